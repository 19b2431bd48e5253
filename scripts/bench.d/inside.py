"""What a jail costs while the command runs: requests, system calls, memory."""

import os
import statistics
import subprocess
import time


def alternate(rounds, sides):
    """Runs all sides by turns, each round beginning with another; for each, the medians of the numbers it prints."""
    figures = [[] for _ in sides]
    for number in range(rounds):
        for turn in range(len(sides)):
            side = (number + turn) % len(sides)
            line, options = sides[side]
            done = subprocess.run(line, capture_output=True, text=True, timeout=60, **options)
            if done.returncode != 0:
                raise RuntimeError((done.stderr or done.stdout).strip() or f"status {done.returncode}")
            figures[side].append([float(word) for word in done.stdout.split()])
    return [[statistics.median(numbers) for numbers in zip(*figure)] for figure in figures]


def memory_of(pid):
    """PSS and private dirty memory in KiB."""
    figures = {}
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            key, _, rest = line.partition(":")
            if rest.strip().endswith("kB"):
                figures[key] = int(rest.split()[0])
    return figures["Pss"], figures["Private_Dirty"]


def idle_jail(line):
    """Memory of supervisor and init while the command sleeps: ((pss, dirty), (pss, dirty))."""
    jail = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        children = f"/proc/{jail.pid}/task/{jail.pid}/children"
        for _ in range(100):
            time.sleep(0.02)
            pids = open(children).read().split()
            if pids and open(f"/proc/{pids[0]}/task/{pids[0]}/children").read().split():
                break
        time.sleep(0.2)
        return memory_of(jail.pid), memory_of(pids[0])
    finally:
        jail.terminate()
        jail.wait()


def binary_size(path):
    return os.stat(path).st_size
