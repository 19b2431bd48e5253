"""The plan that clawjail prints, read once; every other program gets its work from it."""

import json
import re
import subprocess

# linux/mount.h, linux/landlock.h, bits/resource.h
MOUNT_FLAGS = {"ro": 1, "nosuid": 2, "nodev": 4, "noexec": 8, "rw": 0}
LANDLOCK_READ, LANDLOCK_EXECUTE, LANDLOCK_WRITE = 0b1100, 1, 0b10
LANDLOCK_REFER, LANDLOCK_TRUNCATE, LANDLOCK_IOCTL = 1 << 13, 1 << 14, 1 << 15
LANDLOCK_CHANGE = LANDLOCK_WRITE | LANDLOCK_TRUNCATE | LANDLOCK_REFER | (0b1111111110000 & ~(1 << 6) & ~(1 << 11))
RESOURCES = {"core": 4, "openFiles": 7, "realtimePriority": 14, "nice": 13, "processes": 6, "fileSize": 1}


class Plan:
    def __init__(self, clawjail, as_user):
        """`clawjail`: the command line up to `run`'s options; `as_user`: how to become the user it runs as."""
        self.clawjail, self.as_user = clawjail, as_user
        line = [clawjail.program, "plan", "--json", *clawjail.options, "--", "/usr/bin/true"]
        self.json = json.loads(subprocess.run(line, check=True, capture_output=True, **as_user).stdout)
        self.covers = self.read_covers()

    @property
    def steps(self):
        return self.json["mounts"]

    def inside(self, *command, check=True):
        """What a command prints in a jail of this plan."""
        line = [self.clawjail.program, "run", *self.clawjail.options, "--", *command]
        return subprocess.run(line, check=check, capture_output=True, text=True, **self.as_user).stdout

    def read_covers(self):
        """The generated files over /proc are not in the plan's text: read what they show."""
        paths = [step["path"] for step in self.steps if step["step"] == "cover"]
        script = 'for f; do echo "==> $f"; cat "$f"; done'
        parts = re.split(r"^==> (.*)\n", self.inside("/usr/bin/sh", "-c", script, "sh", *paths), flags=re.M)
        return dict(zip(parts[1::2], parts[2::2]))

    def mount_count(self):
        return self.inside("/usr/bin/cat", "/proc/self/mountinfo").count("\n")

    def is_directory(self, bind):
        """Directories are made for them beforehand, files are not."""
        return any(s["step"] == "directory" and s["path"] == bind["path"] for s in self.steps)


def reference_launch(plan, filters, name):
    """The flat file that reference.c reads."""
    lines = []

    def add(*fields):
        lines.append("\t".join(str(field).replace("\n", "\1") for field in fields))

    p = plan.json
    cgroup = p["limits"].get("cgroup")
    if cgroup:
        for controller, directory in cgroup["directories"].items():
            directory = re.sub(r"[^/]*$", name, directory)
            add("cgroup", directory)
            add("tasks", f"{directory}/tasks")
            if controller == "memory":
                add("write", f"{directory}/memory.limit_in_bytes", cgroup["memory"])
                add("write", f"{directory}/memory.memsw.limit_in_bytes", cgroup["memory"] + cgroup["swap"])
            elif controller == "pids":
                add("write", f"{directory}/pids.max", cgroup["processes"])
            elif controller == "cpu":
                add("write", f"{directory}/cpu.cfs_period_us", 100000)
                add("write", f"{directory}/cpu.cfs_quota_us", cgroup["milliCPUs"] * 100)
    inside, host = p["identity"]["inside"], p["identity"]["host"]
    add("inside", inside["uid"], inside["gid"])
    add("map-uid", f"{inside['uid']} {host['uid']} 1\n")
    add("map-gid", f"{inside['gid']} {host['gid']} 1\n")
    if not p["identity"]["startedByRoot"]:
        add("deny-setgroups")
    add("flags", p["namespaces"]["flags"])
    add("host", p["namespaces"]["hostName"])
    for resource, value in p["limits"]["resources"].items():
        add("limit", RESOURCES[resource], value)

    for step in plan.steps:
        kind, path = step["step"], step["path"]
        attributes = sum(MOUNT_FLAGS[word] for word in step.get("attributes", "").split(",") if word)
        if kind == "directory":
            add(kind, path, step["mode"])
        elif kind == "file":
            add(kind, path, step["content"])
        elif kind == "symlink":
            add(kind, path, step["target"])
        elif kind == "bind":
            add(kind, path, step["source"], attributes, int(plan.is_directory(step)))
        elif kind == "tmpfs":
            mode = "700" if path.startswith("/home") else "1777"
            add(kind, path, step["size"], step["inodes"], mode, attributes)
        elif kind == "cover":
            add(kind, path, plan.covers[path])
        else:
            add(kind, path)

    landlock = p.get("landlock")
    if landlock:
        abi = landlock["abi"]
        handled = (LANDLOCK_REFER | (LANDLOCK_REFER - 1)) | (LANDLOCK_TRUNCATE if abi >= 3 else 0) | (
            LANDLOCK_IOCTL if abi >= 5 else 0)
        add("handled", handled, 0 if landlock["bindPorts"] is None else 1, 3 if landlock["scoped"] else 0)
        on_files = LANDLOCK_EXECUTE | LANDLOCK_WRITE | 0b100 | LANDLOCK_TRUNCATE | LANDLOCK_IOCTL
        rights = {
            "read": LANDLOCK_READ, "execute": LANDLOCK_READ | LANDLOCK_EXECUTE,
            "write": LANDLOCK_READ | LANDLOCK_CHANGE, "all": LANDLOCK_READ | LANDLOCK_CHANGE | LANDLOCK_EXECUTE,
            "device": LANDLOCK_READ | LANDLOCK_WRITE | LANDLOCK_IOCTL,
        }
        files = {s["path"] for s in plan.steps if s["step"] == "bind" and not plan.is_directory(s)}
        for rule in landlock["rules"]:
            access = rights[rule["access"]] & handled & (on_files if rule["path"] in files else ~0)
            add("landlock", rule["path"], access)
    for path in filters:
        add("filter", path)
    command = p["command"]
    add("directory-of-command", command["workingDirectory"])
    for argument in command["arguments"]:
        add("arg", argument)
    for variable in command["environment"]:
        add("env", variable)
    return "\n".join(lines) + "\n"
