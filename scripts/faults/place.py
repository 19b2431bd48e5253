"""A place of its own for each tester: mounts, cgroups and directories in which whatever is left over is clawjail's."""

import ctypes
import errno
import os
import shutil
import signal
import subprocess
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x20000
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
CONTROLLERS = ("memory", "pids", "cpu")
# No account has this id: an ordinary user without any rights, groups or files.
USER = 61234

PROFILE = """{
  description: "for the fault tests: small, and with something of everything",
  process: { programs: ["/bin/sh", "/bin/sleep"], shell: true, selfTest: true },
  filesystem: { workspace: "%s", tmp: "1M", data: { size: "1M" } },
  limits: { memory: "64M", processes: 32, cpus: 1, openFiles: 256 },
%s}
"""
WAY_OUT = """  network: { allow: [{ hosts: ["example.com"], schemes: ["https"] }] },
"""


def obstacle(binary):
    """Why the tests of this clawjail cannot run here; None if they can."""
    for program in (binary, way_out_of(binary)):
        if not os.path.exists(program):
            return f"{program} is not built"
    if os.geteuid() != 0:
        return "root is needed, to trace, and to make control groups for both users"
    for tool in ("strace", "setpriv"):
        if not shutil.which(tool):
            return f"{tool} is missing"
    for controller in CONTROLLERS:
        if not os.path.exists(f"/sys/fs/cgroup/{controller}/tasks"):
            return f"control groups of version 1 are needed, and {controller} is not mounted"
    return None


def way_out_of(binary):
    """clawjail-egress, which is looked for beside clawjail."""
    return os.path.join(os.path.dirname(binary), "clawjail-egress")


def own_cgroup(controller):
    with open("/proc/self/cgroup") as lines:
        for line in lines:
            _, names, path = line.rstrip("\n").split(":", 2)
            if controller in names.split(","):
                return f"/sys/fs/cgroup/{controller}{path}".rstrip("/")
    raise RuntimeError(f"this process is in no cgroup of {controller}")


class Place:
    """Takes this process away from the host: call it in a process that does nothing else afterwards."""

    def __init__(self, binary, name, user):
        self.binary, self.name, self.user = binary, name, user
        # A tester that is stopped still leaves nothing: its end goes through `finally`.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(1))
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if LIBC.unshare(CLONE_NEWNS):
            raise OSError(ctypes.get_errno(), "unshare")
        # Orphans come to this process, wherever else they might have hidden.
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        for directory in ("/run", "/var/lib"):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "clawjail-test", directory], check=True)
        os.makedirs("/run/test/home", mode=0o755)
        os.makedirs("/run/test/workspace")
        os.mkdir("/run/test/runtime", mode=0o700)
        self.profile = "/run/test/faults.json5"
        self.use(way_out=False)
        shutil.copy(binary, "/run/test/clawjail")
        shutil.copy(way_out_of(binary), "/run/test/clawjail-egress")
        # Where a tracer stops a process: (system call, its number), by what is to be traced next.
        self.stops = {}
        self.payload_uid = USER if user else 65534
        os.chown("/run/test/workspace", self.payload_uid, self.payload_uid)
        for directory in ("home", "runtime"):
            os.chown(f"/run/test/{directory}", USER, USER)
        self.run_directory = "/run/test/runtime/clawjail" if user else "/run/clawjail"
        self.data_parent = "/run/test/home/.local" if user else "/var/lib/clawjail"
        self.groups = [f"{own_cgroup(c)}/test-{os.getpid()}-{name}" for c in CONTROLLERS]
        for group in self.groups:
            os.mkdir(group)
            if user:
                for path in (group, f"{group}/tasks", f"{group}/cgroup.procs"):
                    os.chown(path, USER, USER)
        self.mounts = self.mount_table()

    def use(self, way_out):
        """Which profile launches have from now on: with a way out, and what is written to the workspace kept apart, or without."""
        with open(self.profile, "w") as file:
            file.write(PROFILE % (("review", WAY_OUT) if way_out else ("readWrite", "")))

    def environment(self):
        return {
            "PATH": "/usr/bin:/bin", "HOME": "/run/test/home" if self.user else "/root",
            "XDG_RUNTIME_DIR": "/run/test/runtime", "LANG": "C",
        }

    def as_caller(self, *words):
        """clawjail with these words, as whoever starts jails here."""
        start = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--"] if self.user else []
        return [*start, "/run/test/clawjail", *words]

    def command(self, name, script, *options):
        who = [] if self.user else ["--user", "nobody"]
        return self.as_caller("run", "--profile", self.profile, "--name", name, "--workspace", "/run/test/workspace",
                              *who, *options, "--", "/bin/sh", "-c", script)

    def enter(self):
        """In the child that becomes a launch: into the test's control groups."""
        for group in self.groups:
            with open(f"{group}/tasks", "w") as tasks:
                tasks.write("0")

    def start(self, command, **more):
        return subprocess.Popen(
            command, cwd="/", env=self.environment(), preexec_fn=self.enter, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    # What is there.

    @staticmethod
    def mount_table():
        with open("/proc/self/mountinfo") as lines:
            return sorted(lines)

    def groups_below(self):
        """Those of jails, and of what is executed in them: the deepest first."""
        return [f"{directory}/{name}" for group in self.groups
                for directory, names, _ in os.walk(group, topdown=False) for name in names]

    def processes(self):
        found = set()
        for group in self.groups + self.groups_below():
            try:
                with open(f"{group}/tasks") as tasks:
                    found.update(tasks.read().split())
            except OSError as error:
                # Removed before it was opened, or while it was read.
                if error.errno not in (errno.ENOENT, errno.ENODEV):
                    raise
        for thread in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{thread}/children") as children:
                found.update(children.read().split())
        return sorted(found)

    def run_directories(self):
        try:
            return [name for name in os.listdir(self.run_directory) if name != ".lock"]
        except FileNotFoundError:
            return []

    def left_over(self, patience=0.3, only=""):
        """Everything that a launch has left, in words. Processes get a moment to end."""
        end = time.monotonic() + patience
        while True:
            self.reap()
            found = [f"process {pid} ({command_of(pid)})" for pid in self.processes()]
            found += [f"control group {group}" for group in self.groups_below()]
            found += [f"run directory {name}" for name in self.run_directories()]
            found = [what for what in found if what.startswith(only)]
            if not found or time.monotonic() > end:
                break
            time.sleep(0.005)
        if only:
            return found
        if self.mount_table() != self.mounts:
            found.append("mounts")
        with open("/proc/net/unix") as sockets:
            found += [f"socket {line.split()[-1]}" for line in sockets if f"/{self.name}-" in line]
        return found

    def reap(self):
        """Orphans that ended; what subprocess started stays its own to reap."""
        for pid in self.processes():
            try:
                with open(f"/proc/{pid}/stat") as stat:
                    fields = stat.read().rsplit(")", 1)[1].split()
                if fields[0] == "Z" and int(fields[1]) == os.getpid():
                    os.waitpid(int(pid), os.WNOHANG)
            except (FileNotFoundError, ProcessLookupError, ChildProcessError):
                pass

    def clear(self):
        """After a failed case: so that the next one is judged for itself."""
        for _ in range(100):
            for pid in self.processes():
                try:
                    os.kill(int(pid), 9)
                except ProcessLookupError:
                    pass
            time.sleep(0.01)
            self.reap()
            if not self.processes():
                break
        for group in self.groups_below():
            os.rmdir(group)
        for name in self.run_directories():
            shutil.rmtree(f"{self.run_directory}/{name}")

    def forget_data(self):
        heads = f"{self.data_parent}/audit/heads"
        if os.path.exists(heads):
            subprocess.run(["chattr", "-a", heads], check=True)
        shutil.rmtree(self.data_parent, ignore_errors=True)

    def leave(self):
        for group in self.groups:
            os.rmdir(group)


def command_of(pid):
    try:
        with open(f"/proc/{pid}/comm") as comm:
            return comm.read().strip()
    except OSError:
        return "gone"
