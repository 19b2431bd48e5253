"""One launch with a tracer on one of its processes, and what the tracer has seen."""

import collections
import os
import re
import signal
import subprocess
import time

PATIENCE = 30
SCRIPT = "echo the command ran; exit 7"
LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*)$")
UNFINISHED = " <unfinished ...>"
Call = collections.namedtuple("Call", "process name number text phase")
Result = collections.namedtuple("Result", "status out err lines hung")


def same(recorded, hit):
    """Whether two texts show the same call; what a failed call did not fill in stands as an address."""
    shared = plain(re.split(r"(?:^|, )(?:0x|\{?[a-z_]+=)|\) += ", hit)[0])
    return plain(recorded)[:60].startswith(shared[:60])


def plain(text):
    """A call's arguments without what changes from one launch to the next."""
    text = re.sub(r'"[0-9a-f-]{36}|"\\.*|"clawjail-ca-.*', "#", text)
    return re.sub(r"0x[0-9a-f]+|\d+", "#", text)


def calls_of(lines):
    """(name, its number among the process's calls of that name, text), joined where another process came between."""
    counts = collections.Counter()
    for line in lines:
        match = LINE.match(line)
        # In this one the process was killed: there is no call after it that the recording could speak of.
        if match and not line.endswith("<unfinished ...>) = ?"):
            counts[match[1]] += 1
            yield match[1], counts[match[1]], match[2]


class Tracer:
    """One launch with a strace on one of its processes."""

    def __init__(self, place, name):
        self.place, self.name, self.file = place, name, f"/run/test/trace-{name}"
        self.children = []

    def strace(self, *options):
        return ["strace", "-qq", "-y", "-s", "200", "-o", self.file, *options]

    def run(self, process, options):
        self.place.forget_data()
        if os.path.exists(self.file):
            os.unlink(self.file)
        command = self.place.command(self.name, SCRIPT, "--publish", f"127.0.0.1:{self.place.port}:80")
        if process == "supervisor":
            return self.finish(self.place.start(self.strace(*options) + command))
        if process.endswith(" clone"):
            return self.run_clone(options, command)
        below_egress = process in ("egress-init", "gateway start", "gateway")
        # Stopped once the clone is there (and init's maps are written): it waits for its first message.
        stop = self.place.stops["first clone" if below_egress else "maps"]
        main = self.place.start(self.stop(*stop) + command)
        if not self.wait_for(self.stopped, main):
            return self.finish(main)
        supervisor = children(main.pid)[0]
        # The way out, if there is one, was cloned first.
        init = children(supervisor)[-1]
        # Until it sleeps in recvmsg(2) it makes calls that only some of the records would show.
        self.wait_for(lambda: state_of(init) == "S", main)
        if process in ("init", "egress-init"):
            options = [option.replace("trace=", "trace=recvmsg,") for option in options]
            tracer = self.attach(init, self.strace(*options))
            # The call it sleeps in begins anew for the tracer; woken before that, it would be one less to count.
            self.wait_for(lambda: "recvmsg(" in text_of(self.file), tracer)
            os.kill(supervisor, signal.SIGCONT)
            return self.finish(main, tracer)
        # Once more, from inside: init is stopped after the last call before it forks, or the program as it begins.
        hold = ["-f"] if process == "gateway" else []
        hold = self.attach(init, self.stop(*self.place.stops[process]) + hold)
        os.kill(supervisor, signal.SIGCONT)
        if not self.wait_for(self.stopped, main):
            return self.finish(main, hold)
        hold.terminate()
        hold.wait()
        target = children(init)[0] if process == "gateway" else init
        # Of the gateway the first thread alone.
        follow = [] if process == "gateway" else ["-f"]
        tracer = self.attach(target, self.strace(*follow, *options))
        os.kill(target, signal.SIGCONT)
        return self.finish(main, tracer)

    def run_clone(self, options, command):
        """What the first clone does before it waits for anything: with a tracer on both that is gone when it waits."""
        name, number = self.place.stops["first clone"]
        options = [option.replace("trace=", f"trace={name},") for option in options]
        # -D: the launch is our child, and tells us its status. -I2: the tracer ends when it is asked to.
        stop = ["-D", "-I2", "-f", *options, f"--inject={name}:signal=SIGSTOP:when={number}"]
        main = self.place.start(self.strace(*stop) + command)
        if self.wait_for(lambda: self.stopped(self.file), main):
            tracer, clone = tracer_of(main.pid), children(main.pid)[0]
            # It sleeps in recvmsg(2), or is gone.
            self.wait_for(lambda: state_of(clone) in "SZ" and "unshare(" in text_of(self.file), main)
            os.kill(tracer, signal.SIGTERM)
            self.wait_for(lambda: not tracer_of(main.pid), main)
            os.kill(main.pid, signal.SIGCONT)
        return self.finish(main)

    def attach(self, pid, command):
        tracer = subprocess.Popen(command + ["-p", str(pid)], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.wait_for(lambda: tracer_of(pid) == tracer.pid, tracer)
        return tracer

    @staticmethod
    def wait_for(question, process):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                answer = question()
            except (FileNotFoundError, ProcessLookupError, IndexError):
                answer = None
            if answer:
                return answer
            if process.poll() is not None:
                return None
            time.sleep(0.001)
        return None

    def stop(self, name, number):
        """A strace that stops its process after a call."""
        self.forget_stop()
        return ["strace", "-qq", "-o", self.file + "-stop", "-e", f"trace={name}",
                f"--inject={name}:signal=SIGSTOP:when={number}"]

    def forget_stop(self):
        if os.path.exists(self.file + "-stop"):
            os.unlink(self.file + "-stop")

    def stopped(self, file=None):
        return "--- stopped by SIGSTOP ---" in text_of(file or self.file + "-stop")

    def finish(self, main, *tracers):
        hung = False
        try:
            out, err = main.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            hung = True
            self.place.clear()
            out, err = main.communicate()
        for tracer in tracers:
            try:
                tracer.communicate(timeout=2)
            except subprocess.TimeoutExpired:
                tracer.kill()
                tracer.communicate()
        lines = []
        if os.path.exists(self.file):
            with open(self.file, errors="replace") as file:
                lines = join(file.read().splitlines())
        return Result(main.returncode, out, err, lines, hung)


def join(lines):
    """The two halves of calls that strace had to interrupt, in one."""
    open_calls, result = {}, []
    for line in lines:
        pid, _, rest = line.partition(" ") if line[:1].isdigit() else ("", "", line)
        rest = rest.lstrip()
        if rest.endswith(UNFINISHED):
            open_calls[pid] = len(result)
            result.append(f"{pid} {rest.removesuffix(UNFINISHED)}")
        elif rest.startswith("<... ") and pid in open_calls:
            result[open_calls.pop(pid)] += rest.split("resumed>", 1)[1]
        else:
            result.append(f"{pid} {rest}".lstrip())
    return result


def text_of(file):
    with open(file, errors="replace") as lines:
        return lines.read()


def children(pid):
    return [int(child) for child in text_of(f"/proc/{pid}/task/{pid}/children").split()]


def state_of(pid):
    return text_of(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()[0]


def tracer_of(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"TracerPid:\s+(\d+)", status.read())[1])
