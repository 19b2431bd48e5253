"""What it costs to call a command that a profile lists: from inside, against starting it without any of that."""

import os
import statistics
import subprocess

PROFILE = """{
  process: { programs: ["%s"] },
  limits: { memory: "512M", processes: 64 },
  optional: ["cgroup", "groups"],
  commands: [{ program: "%s" }],
}
"""
TURNS = 4
# A jail's calls are limited in number: this many come at once.
ROUNDS = 50


def description(line):
    words = "".join(f"arg {word}\n" for word in line)
    return f"rounds {ROUNDS}\nwarmup 5\npause 2000\ncommand\n{words}env PATH=/usr/bin:/bin\n"


def times(starter, line, options):
    """Nanoseconds of each run, by a runner that `starter` starts."""
    done = subprocess.run(starter, input=description(line), capture_output=True, text=True, timeout=120, **options)
    runs = [list(map(int, row.split())) for row in done.stdout.splitlines()]
    if done.returncode != 0 or not runs or any(status != 0 for _, _, status, *_ in runs):
        raise RuntimeError((done.stderr or done.stdout).strip()[-300:] or f"status {done.returncode}")
    return [duration for _, duration, *_ in runs]


def measure(sides):
    """By turns; each side: what starts the runner, what that runs, options."""
    found = [[] for _ in sides]
    for _ in range(TURNS):
        for index, side in enumerate(sides):
            found[index] += times(*side)
    return found


def show(labels, found, row):
    """Ratios are those of the first to the others."""
    ours = statistics.median(found[0])
    for label, durations in zip(labels, found):
        durations.sort()
        low, high = durations[len(durations) // 10], durations[-1 - len(durations) // 10]
        median = statistics.median(durations)
        ratio = "" if durations is found[0] else f"{ours / median:.2f} ×"
        row(f"  {label}", f"{median / 1e6:.2f} ms", f"{low / 1e6:.2f} – {high / 1e6:.2f}", ratio)


def profile(runner, program, path):
    with open(path, "w") as file:
        file.write(PROFILE % (runner, program))
    os.chmod(path, 0o644)
    return path
