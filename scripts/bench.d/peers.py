"""The command lines of the programs that clawjail is compared with, doing the same work as far as each can."""

import json
import os
import re


class Command:
    """One line of the launch table, and what the runner needs to start it."""

    def __init__(self, label, line, user=None, environment=(), files=None, every=1, note=""):
        self.label, self.line, self.user = label, line, user
        self.environment, self.files, self.every, self.note = list(environment), files or {}, every, note
        self.mounts, self.after = None, []
        self.times, self.faults, self.aim = [], [], ""

    def description(self):
        lines = ["command", f"every {self.every}"]
        if self.user:
            lines.append(f"user {self.user[0]} {self.user[1]}")
        lines += [f"open {number} {path}" for number, path in self.files.items()]
        lines += [f"arg {argument}" for argument in self.line]
        lines += [f"env {variable}" for variable in self.environment]
        lines += [f"after {argument}" for argument in self.after]
        return "\n".join(lines) + "\n"


def bubblewrap(plan, scratch, command, covers=None):
    """The same tree: what clawjail generates, bwrap gets as data. `--dev` makes its own tmpfs, devices and devpts.

    `covers`: how many of the covers to make; as root, bwrap makes four of its own below /proc."""
    line = ["/usr/bin/bwrap", "--unshare-all", "--cap-drop", "ALL", "--new-session", "--die-with-parent",
            "--hostname", plan.json["namespaces"]["hostName"], "--clearenv"]
    for variable in plan.json["command"]["environment"]:
        line += ["--setenv", *variable.split("=", 1)]
    files = {}

    def data(content):
        number = 20 + len(files)
        path = os.path.join(scratch, f"data.{number}")
        with open(path, "w") as file:
            file.write(content)
        files[number] = path
        return str(number)

    mounted = {s["path"] for s in plan.steps if s["step"] in ("bind", "tmpfs", "proc", "devpts")}
    for step in plan.steps:
        kind, path = step["step"], step["path"]
        if path.startswith("/dev/") and kind != "tmpfs":
            continue
        if path == "/dev":
            line += ["--dev", path]
        elif kind == "directory" and path not in mounted:
            line += ["--dir", path]
        elif kind == "file":
            line += ["--file", data(step["content"]), path]
        elif kind == "symlink":
            line += ["--symlink", step["target"], path]
        elif kind == "bind":
            line += ["--bind" if step["attributes"].startswith("rw") else "--ro-bind", step["source"], path]
        elif kind == "tmpfs":
            line += ["--perms", "0700" if path.startswith("/home") else "1777", "--size", str(step["size"]),
                     "--tmpfs", path]
        elif kind == "proc":
            line += ["--proc", path]
        elif kind == "cover" and (covers is None or covers > 0):
            covers = None if covers is None else covers - 1
            line += ["--ro-bind-data", data(plan.covers[path]), path]
    line += ["--remount-ro", "/", "--chdir", plan.json["command"]["workingDirectory"], "--", *command]
    return line, files


# What runc lets anyone lay a file over below /proc; the rest it can only mask.
RUNC_COVERS = {"/proc/meminfo", "/proc/cpuinfo", "/proc/loadavg"}

# Where runc's user namespace begins on the host; nobody has to own these ids.
RUNC_HOST_ID = 200000


def runc_bundle(plan, bundle, command, system_calls, name=f"clawjail-bench-{os.getpid()}", owner=None):
    """config.json and a root with every mount point, symlink and generated file in place.

    `name`: of its cgroup. `owner`: uid and gid of an ordinary user who starts it: as the root of its namespace, which
    is all that the kernel lets such a user have without help, and without limits."""
    root = os.path.join(bundle, "root")
    os.makedirs(root)
    mounts = []

    def place(path, directory, content=""):
        full = root + path
        os.makedirs(full if directory else os.path.dirname(full), exist_ok=True)
        if not directory:
            with open(full, "w") as file:
                file.write(content)

    for step in plan.steps:
        kind, path = step["step"], step["path"]
        if path.startswith("/dev") and kind != "tmpfs":
            continue  # runc makes its own
        if kind == "directory":
            place(path, True)
        elif kind == "file":
            place(path, False, step["content"])
        elif kind == "symlink":
            os.symlink(step["target"], root + path)
        elif kind == "bind":
            place(path, plan.is_directory(step))
            mounts.append({"destination": path, "source": step["source"], "type": "bind",
                           "options": ["rbind", "private", *step["attributes"].split(",")]})
        elif kind == "tmpfs":
            if not path.startswith("/dev"):
                place(path, True)
            mode = "0700" if path.startswith("/home") else "1777"
            mounts.append({"destination": path, "source": "tmpfs", "type": "tmpfs", "options": [
                *step["attributes"].split(","), f"size={step['size']}", f"nr_inodes={step['inodes']}", f"mode={mode}"]})
        elif kind == "proc":
            mounts.append({"destination": path, "source": "proc", "type": "proc",
                           "options": ["nosuid", "nodev", "noexec"]})
        elif kind == "cover" and path in RUNC_COVERS:
            source = os.path.join(bundle, "cover" + path.replace("/", "-"))
            with open(source, "w") as file:
                file.write(plan.covers[path])
            mounts.append({"destination": path, "source": source, "type": "bind", "options": ["bind", "ro"]})
    devices = [
        {"destination": "/dev", "source": "tmpfs", "type": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]},
        {"destination": "/dev/pts", "source": "devpts", "type": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
    ]
    place("/dev", True)
    # Parents first: runc mounts in this order.
    mounts = sorted(devices + mounts, key=lambda mount: mount["destination"].count("/"))
    cgroup = plan.json["limits"]["cgroup"]
    inside = plan.json["identity"]["inside"]
    id_maps = [[{"containerID": 0, "hostID": RUNC_HOST_ID, "size": 65536}]] * 2
    if owner:
        inside = {"uid": 0, "gid": 0}
        id_maps = [[{"containerID": 0, "hostID": number, "size": 1}] for number in owner]
    config = {
        "ociVersion": "1.0.2",
        "root": {"path": "root", "readonly": True},
        "hostname": plan.json["namespaces"]["hostName"],
        "process": {
            "terminal": False, "user": {"uid": inside["uid"], "gid": inside["gid"]}, "args": list(command),
            "env": plan.json["command"]["environment"], "cwd": plan.json["command"]["workingDirectory"],
            "capabilities": {name: [] for name in ("bounding", "effective", "permitted", "inheritable", "ambient")},
            "noNewPrivileges": True,
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024},
                        {"type": "RLIMIT_CORE", "hard": 0, "soft": 0}],
        },
        "mounts": mounts,
        "linux": {
            "uidMappings": id_maps[0], "gidMappings": id_maps[1],
            "namespaces": [{"type": name} for name in ("user", "mount", "pid", "network", "ipc", "uts", "cgroup")],
            "cgroupsPath": f"/{name}",
            "maskedPaths": sorted(set(plan.covers) - RUNC_COVERS),
            "resources": {
                "memory": {"limit": cgroup["memory"], "swap": cgroup["memory"] + cgroup["swap"]},
                "pids": {"limit": cgroup["processes"]},
                "cpu": {"quota": cgroup["milliCPUs"] * 100, "period": 100000},
            } if cgroup else {},
            "seccomp": {
                "defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
                "syscalls": [{"names": system_calls, "action": "SCMP_ACT_ALLOW"}],
            },
        },
    }
    if owner:
        del config["linux"]["cgroupsPath"]
        # What runc finds missing it makes itself.
        for path, _, _ in os.walk(bundle):
            os.chown(path, *owner)
    with open(os.path.join(bundle, "config.json"), "w") as file:
        json.dump(config, file, indent=1)
    # The workspace and the covers have to be reachable for the mapped ids.
    os.chmod(bundle, 0o755)


def allowed_system_calls(source):
    """clawjail's own list, as far as text can tell it: the groups before the refused ones."""
    text = open(source).read().split("static let refused")[0]
    names = set()
    for group in re.findall(r'static let \w+ = "+([^"]*)"', text):
        names.update(group.split())
    ruled = {"clone", "memfd_create", "prctl", "ioctl", "socket", "socketpair", "execveat", "personality"}
    return sorted(names | ruled)


FIREJAIL = ["/usr/bin/firejail", "--quiet", "--noprofile", "--private", "--private-dev", "--private-tmp", "--net=none",
            "--ipc-namespace", "--caps.drop=all", "--seccomp", "--nonewprivs", "--nogroups"]
