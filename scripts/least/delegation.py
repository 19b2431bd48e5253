"""Control groups that an ordinary user may make groups in, as a service manager would hand them over."""

import os
import pwd

ROOT = "/sys/fs/cgroup"
CONTROLLERS = ("memory", "pids", "cpu", "cpu,cpuacct")


class Groups:
    """Use it as a context: the groups are gone afterwards."""

    def __init__(self, user):
        self.account, self.made, self.number = pwd.getpwnam(user), [], 0
        self.unified = os.path.exists(f"{ROOT}/cgroup.controllers")

    def __enter__(self):
        name = f"clawjail-least-{os.getpid()}"
        if self.unified:
            self.hand_on(ROOT)
            self.make(f"{ROOT}/{name}")
            self.hand_on(f"{ROOT}/{name}")
            return self
        with open("/proc/self/cgroup") as file:
            lines = [line.rstrip("\n").split(":", 2) for line in file]
        for _, controllers, path in lines:
            parent = f"{ROOT}/{controllers}{'' if path == '/' else path}"
            if controllers in CONTROLLERS and os.access(f"{parent}/tasks", os.W_OK):
                self.hand_over(f"{parent}/{name}")
        return self

    def __exit__(self, *_):
        for directory in reversed(self.made):
            for below, _, _ in os.walk(directory, topdown=False):
                try:
                    os.rmdir(below)
                except OSError:
                    pass

    def make(self, directory):
        os.mkdir(directory)
        self.made.append(directory)

    def hand_on(self, directory):
        with open(f"{directory}/cgroup.subtree_control", "w") as file:
            file.write("+memory +pids +cpu")

    def hand_over(self, directory):
        """Limits stay whose they are: a group's own are its parent's to set."""
        self.make(directory)
        own = ("cgroup.procs", "cgroup.subtree_control", "cgroup.threads") if self.unified else os.listdir(directory)
        for name in (".", *own):
            os.chown(os.path.join(directory, name), self.account.pw_uid, self.account.pw_gid)

    def enter(self):
        """The words before a command that is to run in them."""
        if self.unified:
            # One for each: what hands controllers on can have no processes beside it.
            self.number += 1
            self.hand_over(f"{self.made[0]}/{self.number}")
            files = [f"{self.made[-1]}/cgroup.procs"]
        else:
            files = [f"{directory}/tasks" for directory in self.made]
        joins = " && ".join(f"echo $$ > '{file}'" for file in files) or "true"
        return ["sh", "-c", f'{joins} || exit 99; exec "$@"', "sh"]
