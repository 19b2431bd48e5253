"""Many of them alive at once: how fast they are made and removed, and what each takes while nothing happens."""

import os
import re
import statistics
import time

from inside import memory_of

# What the kernel keeps for processes, namespaces, mounts and control groups; page cache is not among it.
KERNEL_MEMORY = ("Slab", "KernelStack", "PageTables", "Percpu")
NAME = "many-"


def run(runtime, count, row, bench, compare=None):
    """Makes, watches and removes `count`; rows of the bench's table. Returns its figures, or None where it failed.

    `compare`: the figures of what this is the measure for."""
    mounts, networks = mount_count(), object_count("net_namespace")
    memory = kernel_memory()
    problem = None
    created = bench.time_each(runtime.command("create", runtime.create(NAME + "%n")), count)
    try:
        processes = runtime.processes()
        alive = all(len(pids) == count for pids in processes.values())
        if len(created) < count or not alive:
            problem = f"{len(created)} of {count} were made, and there are " + ", ".join(
                f"{len(pids)} of {role}" for role, pids in processes.items())
        else:
            figures = idle(processes, count, memory)
            executed = bench.time_each(runtime.command("exec", runtime.execute(f"{NAME}{count // 2}", "/usr/bin/true")), min(100, count))
    finally:
        removed = bench.time_each(runtime.command("remove", runtime.remove(NAME + "%n")), count)
    left = leftovers(runtime, processes, mounts, networks, count)
    title = f"{runtime.label}, {count:,} of them"
    if problem:
        row("  " + title, "failed", "", "", "", problem)
        return None
    row("  " + title)
    figures |= {"created": statistics.median(created), "executed": statistics.median(executed),
                "removed": statistics.median(removed), "left": left}
    show(figures, created, removed, count, row, compare)
    return figures


def idle(processes, count, memory):
    """Of one on average, while nothing happens."""
    time.sleep(2)
    figures = {"kernel": (kernel_memory() - memory) / count}
    for index, key in enumerate(("pss", "dirty")):
        figures[key] = {role: sum(memory_of(pid)[index] for pid in pids) / count for role, pids in processes.items()}
    pids = [pid for pids in processes.values() for pid in pids]
    before = [activity(pid) for pid in pids]
    time.sleep(10)
    after = [activity(pid) for pid in pids]
    figures["processor"] = sum(b[0] - a[0] for a, b in zip(before, after)) / 1e6
    figures["woken"] = sum(b[1] - a[1] for a, b in zip(before, after))
    return figures


def show(figures, created, removed, count, row, compare):
    def ratio(value):
        return "" if compare is None else f"{value(compare) / value(figures):.3f} ×"

    def parts(key):
        return ", ".join(f"{role} {value:.0f}" for role, value in figures[key].items())

    tenth = max(2, count // 10)
    for label, key, times in (("made, each", "created", created), ("an exec in one of them", "executed", None),
                              ("removed, each", "removed", removed)):
        text = ""
        if times:
            tenths = statistics.quantiles(times, n=10)
            first, last = (statistics.median(part) / 1e6 for part in (times[:tenth], times[-tenth:]))
            text = f"{1e9 * count / sum(times):.1f} a second; the first tenth {first:.1f}, the last {last:.1f} ms"
        spread = f"{tenths[0] / 1e6:.2f} – {tenths[8] / 1e6:.2f}" if times else ""
        row(f"    {label}", f"{figures[key] / 1e6:.2f} ms", spread, ratio(lambda f: f[key]), "", text)
    for label, key in (("PSS of one", "pss"), ("private and dirty memory of one", "dirty")):
        row(f"    {label}", f"{sum(figures[key].values()):.0f} KiB", "", ratio(lambda f: sum(f[key].values())), "",
            parts(key))
    row("    the kernel's memory for one", f"{figures['kernel']:.0f} KiB", "", ratio(lambda f: f["kernel"]))
    row("    processor time of all in 10 s", f"{figures['processor']:.1f} ms", "", "", "",
        f"woken {figures['woken']} times")
    left = figures["left"]
    row("    left over", f"{len(left):,}" if left else "nothing", "", "", "", ", ".join(left[:2]))


# MARK: What is there


def activity(pid):
    """Nanoseconds of processor time and how often it was woken, of all threads."""
    processor = woken = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
            processor += int(file.read().split()[0])
        with open(f"/proc/{pid}/task/{thread}/status") as file:
            woken += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M)[1])
    return processor, woken


def kernel_memory():
    """KiB."""
    with open("/proc/meminfo") as file:
        return sum(int(line.split()[1]) for line in file if line.split(":")[0] in KERNEL_MEMORY)


def mount_count():
    with open("/proc/self/mountinfo") as file:
        return file.read().count("\n")


def object_count(name):
    try:
        with open("/proc/slabinfo") as lines:
            return next(int(line.split()[1]) for line in lines if line.split()[0] == name)
    except (OSError, StopIteration):
        return 0


def leftovers(runtime, processes, mounts, networks, count):
    """One text for each; what ends in its own time gets a few seconds."""
    for _ in range(100):
        found = [f"{role} {pid}" for role, pids in processes.items() for pid in pids if is_running(pid)]
        if mount_count() != mounts:
            found.append("mounts")
        found += runtime.directories(NAME)
        # Others on this host make and drop them too.
        if object_count("net_namespace") - networks > count // 4:
            found.append("network namespaces")
        if not found:
            break
        time.sleep(0.1)
    return found


def is_running(pid):
    """A zombie is its parent's affair: here that is whoever runs this machine."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
