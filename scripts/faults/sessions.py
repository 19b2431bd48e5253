"""Sessions that are made, used and removed, while something of them is killed: each cycle leaves nothing."""

import json
import os
import random
import signal
import subprocess
import time

PATIENCE = 30
MARKER = b"the command ran\n"
# One descendant of each kind that could get away: of another session, and without the caller's descriptors.
LASTING = "setsid sleep 100 >/dev/null 2>&1 </dev/null & sleep 100"


class Sessions:
    """`problem`: takes one sentence. `nothing_left`: takes when it is asked."""

    def __init__(self, place, problem, nothing_left):
        self.place, self.problem, self.nothing_left = place, problem, nothing_left
        self.made = self.killed = 0
        self.name = ""

    def cycles(self, rounds):
        kinds = (self.plain, self.background, self.client_killed, self.execution_killed, self.supervisor_killed,
                 self.supervisor_killed_in_use, self.init_killed, self.creator_killed, self.remover_killed,
                 self.removed_in_use)
        for _ in range(rounds):
            for kind in kinds:
                self.made += 1
                self.name = f"{self.place.name}-s{self.made}"
                try:
                    kind()
                    self.nothing_lasting()
                except Trouble as trouble:
                    self.problem(f"session {self.name}, {kind.__name__}: {trouble}")
                self.nothing_left(f"after session {self.name}, {kind.__name__}")

    # MARK: Kinds of cycle

    def plain(self):
        self.create()
        self.works()
        self.remove()

    def background(self):
        """What an exec leaves running lasts until the session ends."""
        self.create()
        before = len(self.place.processes())
        self.call("exec", self.name, "--", "/bin/sh", "-c", f"{LASTING} >/dev/null 2>&1 &", status=0)
        if len(self.place.processes()) <= before:
            raise Trouble("a process in the background did not outlive its exec")
        self.remove()

    def client_killed(self):
        self.create()
        before = self.settled()
        client = self.start("exec", self.name, "--", "/bin/sh", "-c", LASTING)
        self.kill_soon(client, 0.04)
        self.finish(client)
        self.back_to(before, "after its client was killed")
        self.works()
        self.remove()

    def execution_killed(self):
        self.create()
        before = self.settled()
        client = self.start("exec", self.name, "--exec-id", "one", "--", "/bin/sh", "-c", f"echo started; {LASTING}")
        client.stdout.readline()
        time.sleep(random.uniform(0, 0.01))
        self.call("kill", self.name, "--exec-id", "one", status=0)
        status, _, _ = self.finish(client)
        if status != 128 + signal.SIGKILL:
            raise Trouble(f"the client of a killed exec ended with {status}")
        self.back_to(before, "after it was killed")
        self.remove()

    def supervisor_killed(self):
        """Found dead, and made anew under its name."""
        self.create()
        self.kill(self.supervisor())
        if self.inspect().get("running") is not False:
            raise Trouble("a session whose supervisor was killed counts as running")
        self.create()
        self.works()
        self.remove()

    def supervisor_killed_in_use(self):
        self.create()
        supervisor = self.supervisor()
        client = self.start("exec", self.name, "--", "/bin/sh", "-c", LASTING)
        time.sleep(random.uniform(0, 0.03))
        self.kill(supervisor)
        status, _, err = self.finish(client)
        if status == 0 or err.count(b"\n") > 1:
            raise Trouble(f"a client without a supervisor ended with {status}, {err!r}")
        self.remove()

    def init_killed(self):
        self.create()
        supervisor = self.supervisor()
        self.kill(first_child(supervisor))
        self.gone(supervisor)
        self.remove()

    def creator_killed(self):
        """What the next one finds is all of it or nothing."""
        self.kill_soon(self.start(*self.creation()), 0.03, wait=True)
        self.create()
        self.works()
        self.remove()

    def remover_killed(self):
        self.create()
        self.kill_soon(self.start("remove", self.name), 0.01, wait=True)
        self.remove()

    def removed_in_use(self):
        self.create()
        client = self.start("exec", self.name, "--", "/bin/sh", "-c", LASTING)
        time.sleep(random.uniform(0, 0.03))
        self.remove()
        if self.finish(client)[0] == 0:
            raise Trouble("an exec of a removed session ended well")

    # MARK: Steps

    def nothing_lasting(self):
        """All that a session keeps lies in its run directory, but for /data, which its profile asks for, and the log
        of what happened, which is meant to stay."""
        found = [f"{directory}/{name}" for directory, names, files in os.walk(self.place.data_parent)
                 for name in names + files if self.name in name and not directory.endswith(("/data", "/audit"))]
        if found:
            raise Trouble(f"left over: {', '.join(found)}")

    def creation(self):
        return ["create", "--id", self.name, "--profile", self.place.profile, "--workspace",
                "/run/test/workspace:/workspace", *([] if self.place.user else ["--user", "nobody"])]

    def create(self):
        out, _ = self.call(*self.creation(), status=0)
        if out != self.name.encode() + b"\n":
            raise Trouble(f"create printed {out!r}")

    def works(self):
        out, err = self.call("exec", self.name, "--", "/bin/sh", "-c", "echo the command ran; exit 7", status=7)
        if out != MARKER or err:
            raise Trouble(f"exec printed {out!r}, {err!r}")

    def remove(self):
        self.call("remove", self.name, status=0)

    def inspect(self):
        return json.loads(self.call("inspect", self.name, "--json", status=0)[0])

    def supervisor(self):
        return self.inspect()["supervisor"]

    def start(self, *words):
        return self.place.start(self.place.as_caller("session", *words))

    def finish(self, process):
        """(status, output, errors). Pipes end only when nobody has them any more."""
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.place.clear()
            process.communicate()
            raise Trouble(f"'{' '.join(process.args[-6:])}' hung") from None
        return process.returncode, out, err

    def call(self, *words, status):
        got, out, err = self.finish(self.start(*words))
        if got != status:
            said = err.decode(errors="replace").strip()
            raise Trouble(f"'{' '.join(words)}' ended with {got} instead of {status}: {said}")
        return out, err

    def kill_soon(self, process, most, wait=False):
        time.sleep(random.uniform(0, most))
        # Ours until it is waited for, so the number is nobody else's.
        process.kill()
        self.killed += 1
        if wait:
            self.finish(process)

    def kill(self, pid):
        if not pid:
            raise Trouble("there is no process to kill")
        os.kill(pid, signal.SIGKILL)
        self.killed += 1

    def gone(self, pid):
        """Waits for a process that is this one's by inheritance."""
        self.until(lambda: not alive(pid, self.place), f"process {pid} did not end")

    def settled(self):
        """How many processes there are when nothing is executed."""
        return len(self.place.processes())

    def back_to(self, count, when):
        self.until(lambda: len(self.place.processes()) <= count, f"descendants of an exec live on {when}")

    def until(self, condition, otherwise):
        end = time.monotonic() + 2
        while not condition():
            if time.monotonic() > end:
                raise Trouble(otherwise)
            self.place.reap()
            time.sleep(0.002)


class Trouble(Exception):
    """What is wrong, in a sentence; ends the cycle."""


def alive(pid, place):
    return str(pid) in place.processes()


def first_child(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            return int(children.read().split()[0])
    except (OSError, IndexError, ValueError):
        return None
