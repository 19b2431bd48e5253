"""Where the time of a launch goes: system calls by process, page faults, and the calls that take longest."""

import collections
import os
import re
import shutil
import subprocess

ROLES = ["supervisor", "init", "command"]


def show(line, options, scratch):
    count_calls(line, options, scratch)
    count_faults(line, options)
    time_calls(line, options)


def count_calls(line, options, scratch):
    if not shutil.which("strace"):
        print("strace: not installed")
        return
    trace = os.path.join(scratch, "trace")
    subprocess.run(["strace", "-f", "-qq", "-o", trace, *line], check=True, stdin=subprocess.DEVNULL, **options)
    calls = collections.defaultdict(collections.Counter)
    for entry in open(trace):
        match = re.match(r"(\d+) +(\w+)\(", entry)
        if match:
            calls[match[1]][match[2]] += 1
    print("SYSTEM CALLS by process (strace)")
    for role, counter in zip(ROLES, calls.values()):
        most = ", ".join(f"{name} {count}" for name, count in counter.most_common(14))
        print(f"  {role:<11}{sum(counter.values()):>5}   {most}")
    print(f"  {'together':<11}{sum(sum(c.values()) for c in calls.values()):>5}")


def count_faults(line, options):
    if not shutil.which("perf"):
        print("perf: not installed")
        return
    events = "page-faults,context-switches,user_time,system_time"
    done = subprocess.run(["perf", "stat", "-r", "20", "-e", events, *line], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, **options)
    print("ALL PROCESSES, mean of 20 launches (perf stat)")
    for entry in done.stderr.splitlines():
        if re.search(r"page-faults|context-switches|time", entry):
            print("  " + entry.strip())


def time_calls(line, options):
    """perf trace costs less than strace, so that what it shows is near the truth."""
    if not shutil.which("perf"):
        return
    done = subprocess.run(["perf", "trace", "-s", *line], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          **options)
    print("SYSTEM CALLS that take longest, by process (perf trace -s; waiting is in poll, read and recvmsg)")
    role = None
    rows = collections.defaultdict(list)
    for entry in done.stderr.splitlines():
        process = re.match(r"\s*(\S+) \((\d+)\), \d+ events", entry)
        if process:
            role = f"{process[1]} {process[2]}"
        call = re.match(r"\s+(\w+)\s+(\d+)\s+\d+\s+([\d.]+)\s", entry)
        if call and role:
            rows[role].append((float(call[3]), call[1], int(call[2])))
    for role, calls in rows.items():
        print(f"  {role}: {sum(t for t, _, _ in calls):.2f} ms")
        for time, name, count in sorted(calls, reverse=True)[:10]:
            print(f"    {name:<24}{count:>5} calls {time:>8.3f} ms")
