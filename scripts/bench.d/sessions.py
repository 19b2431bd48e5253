"""What runs commands in a container that is there already: clawjail's sessions, podman and runc."""

import glob
import json
import os
import shutil
import subprocess
import tempfile
import time

import peers

IDLE = ["/usr/bin/sleep", "infinity"]
# Seconds; nothing here takes longer.
PATIENCE = 60


class Runtime:
    """One program, for one user. `bench`: gives the scratch directory, and how to become the user."""

    label = ""
    note = ""

    def __init__(self, bench, user):
        self.bench, self.user = bench, user
        self.names = []
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        self.options = {}
        if user:
            self.environment |= {"XDG_RUNTIME_DIR": bench.environment["XDG_RUNTIME_DIR"], "HOME": bench.path("home")}
            self.options = bench.as_user

    def call(self, line, **more):
        """Files, not pipes: what stays behind in the background would keep those open."""
        output = self.bench.path(f"output-{os.getpid()}")
        with open(output, "w+") as file:
            done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                                  timeout=PATIENCE, **(self.options | {"env": self.environment} | more))
            file.seek(0)
            text = file.read()
        if done.returncode != 0:
            raise RuntimeError(f"{os.path.basename(line[0])}: {text.strip()[-300:] or f'status {done.returncode}'}")
        return text

    def start(self, name):
        self.names.append(name)
        self.call(self.create(name))

    def mount_count(self, name):
        return self.call(self.execute(name, "/usr/bin/cat", "/proc/self/mountinfo")).count("\n")

    def stop(self):
        for name in self.names:
            try:
                self.call(self.remove(name))
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                self.bench.notes.append(f"removing {name}: {error}")

    def command(self, label, line, **options):
        if self.user:
            options["user"] = self.bench.ids
        environment = [f"{key}={value}" for key, value in self.environment.items()]
        return self.bench.command(label, line, environment=environment, **options)

    # What a subclass says. All command lines end when their work is done; in %n a round's number is put by the runner.

    def create(self, name):
        raise NotImplementedError

    def execute(self, name, *command):
        raise NotImplementedError

    def remove(self, name):
        raise NotImplementedError

    def processes(self):
        """Those of all that are alive: {role: [process id]}."""
        raise NotImplementedError

    def directories(self, prefix):
        """What is there of those whose names begin like this: state, and control groups."""
        raise NotImplementedError


class Clawjail(Runtime):
    label = "clawjail"

    def __init__(self, bench, user):
        super().__init__(bench, user)
        self.jail = bench.user_jail if user else bench.root_jail
        self.program = self.jail.program

    def create(self, name):
        return [self.program, "session", "create", "--id", name, *self.session_options()]

    def session_options(self):
        """The jail's own, the workspace written as a session's is."""
        options = list(self.jail.options)
        at = options.index("--workspace") + 1
        options[at] += ":/workspace"
        return options

    def execute(self, name, *command):
        return [self.program, "session", "exec", name, "--", *command]

    def remove(self, name):
        return [self.program, "session", "remove", name]

    def run_directory(self):
        parent = self.environment["XDG_RUNTIME_DIR"] if self.user else "/run"
        return os.path.join(parent, "clawjail")

    def processes(self):
        result = {"supervisor": [], "init": []}
        for path in glob.glob(os.path.join(self.run_directory(), "*", "state.json")):
            with open(path) as file:
                state = json.load(file)
            for role, pids in result.items():
                pids.append(state[role])
        return result

    def directories(self, prefix):
        lasting = os.path.join(self.environment["HOME"], ".local/state/clawjail") if self.user else "/var/lib/clawjail"
        return (glob.glob(os.path.join(self.run_directory(), prefix + "*")) +
                glob.glob(os.path.join(lasting, "*", prefix + "*")) + groups(f"clawjail-{prefix}"))


class Runc(Runtime):
    label = "runc"
    program = "runc"

    def __init__(self, bench, user, plan):
        super().__init__(bench, user)
        self.plan = plan
        self.directory = bench.path(f"runc-{'user' if user else 'root'}")
        os.makedirs(self.directory)
        if user:
            os.chown(self.directory, *bench.ids)

    def bundle(self, name):
        directory = os.path.join(self.directory, name)
        if not os.path.isdir(directory):
            os.makedirs(directory)
            calls = peers.allowed_system_calls(self.bench.system_call_list)
            peers.runc_bundle(self.plan, directory, IDLE, calls, f"clawjail-bench-{os.getpid()}-{name}",
                              self.bench.ids if self.user else None)
        return directory

    def base(self):
        return [shutil.which("runc"), "--root", os.path.join(self.directory, "state")]

    def create(self, name):
        return [*self.base(), "run", "--detach", "--bundle", self.bundle(name), self.unique(name)]

    def execute(self, name, *command):
        return [*self.base(), "exec", self.unique(name), *command]

    def remove(self, name):
        return [*self.base(), "delete", "--force", self.unique(name)]

    def unique(self, name):
        return f"clawjail-bench-{os.getpid()}-{name}"


class Podman(Runtime):
    """With everything left out that costs it time and that it can do without: image, log, events, network."""

    label = "podman"
    program = "podman"

    def __init__(self, bench, user, plan):
        super().__init__(bench, user)
        self.plan = plan
        self.storage = tempfile.mkdtemp(prefix="podman-", dir=bench.scratch)
        # Where such things are by default, and short: podman refuses a longer path.
        self.state = f"/run/clawjail-bench-{os.getpid()}"
        if user:
            self.state = os.path.join(bench.environment["XDG_RUNTIME_DIR"], "podman")
        os.makedirs(self.state, mode=0o700)
        if user:
            for directory in (self.storage, self.state):
                os.chown(directory, *bench.ids)
        self.root = os.path.join(self.storage, "bundle")
        os.mkdir(self.root)
        peers.runc_bundle(plan, self.root, IDLE, [], owner=bench.ids if user else None)
        self.parent = f"clawjail-bench-{os.getpid()}-podman"
        self.runtime = None

    def base(self):
        return [shutil.which("podman"), "--root", os.path.join(self.storage, "storage"), "--runroot",
                os.path.join(self.state, "run"), "--tmpdir", os.path.join(self.state, "tmp"), "--storage-driver", "vfs",
                "--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", self.runtime]

    def start(self, name):
        """crun, its own choice, refuses a host that has both versions of control groups; then runc."""
        problems = []
        for runtime in (self.runtime,) if self.runtime else ("crun", "runc"):
            if not shutil.which(runtime):
                continue
            self.runtime = runtime
            try:
                super().start(name)
                self.note = f"with {runtime}"
                return
            except RuntimeError as error:
                problems.append(str(error))
                self.call(self.remove(self.names.pop()))
        self.runtime = None
        raise RuntimeError("; ".join(problems) or "neither crun nor runc is installed")

    def create(self, name):
        line = [*self.base(), "run", "--detach", "--name", name, "--network", "none", "--read-only",
                "--read-only-tmpfs=false", "--cap-drop", "all", "--security-opt", "no-new-privileges", "--log-driver",
                "none", "--hostname", self.plan.json["namespaces"]["hostName"]]
        # What it would raise otherwise may be more than this machine gives.
        for limit in ("nofile=1024:1024", "nproc=1024:1024"):
            line += ["--ulimit", limit]
        cgroup = self.plan.json["limits"].get("cgroup")
        if not self.user:
            inside = self.plan.json["identity"]["inside"]
            line += ["--user", f"{inside['uid']}:{inside['gid']}", "--cgroup-parent", f"/{self.parent}"]
        if cgroup:
            line += ["--memory", str(cgroup["memory"]), "--memory-swap", str(cgroup["memory"] + cgroup["swap"]),
                     "--pids-limit", str(cgroup["processes"]), "--cpus", str(cgroup["milliCPUs"] / 1000)]
        for variable in self.plan.json["command"]["environment"]:
            line += ["--env", variable]
        for step in self.plan.steps:
            path = step["path"]
            if path == "/dev/shm":
                if step["step"] == "tmpfs":
                    line += ["--shm-size", str(step["size"])]
            elif path.startswith("/dev"):
                pass  # podman makes its own
            elif step["step"] == "bind":
                line += ["--volume", f"{step['source']}:{path}:{step['attributes']}"]
            elif step["step"] == "tmpfs":
                mode = "0700" if path.startswith("/home") else "1777"
                line += ["--tmpfs", f"{path}:{step['attributes']},size={step['size']},mode={mode}"]
        return [*line, "--rootfs", os.path.join(self.root, "root"), *IDLE]

    def execute(self, name, *command):
        return [*self.base(), "exec", name, *command]

    def remove(self, name):
        return [*self.base(), "rm", "--force", "--time", "0", name]

    def processes(self):
        result = {"conmon": [], "the container": []}
        for role, name in zip(result, ("conmon.pid", "pidfile")):
            for path in glob.glob(os.path.join(self.state, "run", "vfs-containers", "*", "userdata", name)):
                with open(path) as file:
                    result[role].append(int(file.read()))
        return result

    def directories(self, prefix):
        return glob.glob(os.path.join(self.state, "run", "vfs-containers", "*", "")) + groups(f"{self.parent}/libpod-")

    def stop(self):
        super().stop()
        if self.user and self.runtime:
            # Ends the process that keeps the user's namespaces.
            try:
                self.call([*self.base(), "system", "migrate"])
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                self.bench.notes.append(f"podman: {error}")
        shutil.rmtree(self.state, ignore_errors=True)
        if not self.user:
            remove_groups(self.parent)


def groups(text):
    """The control groups with this text in their path."""
    return [path for directory, names, _ in os.walk("/sys/fs/cgroup") for path in
            (os.path.join(directory, name) for name in names) if text in path]


def remove_groups(name):
    """podman's control groups, in every hierarchy; those of what has just ended are busy for a moment."""
    top = "/sys/fs/cgroup"
    end = time.monotonic() + 5
    for hierarchy in [top, *(os.path.join(top, entry) for entry in os.listdir(top))]:
        for directory, _, _ in os.walk(os.path.join(hierarchy, name), topdown=False):
            while True:
                try:
                    os.rmdir(directory)
                    break
                except OSError:
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.05)
