"""Where clients run: in a jail, or unconfined beside it for comparison. Both do the same orders."""

import base64
import json
import os
import pwd
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from . import proxy

AGENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "agent.py")


class Failure(Exception):
    """A check did not pass."""


class Result:
    def __init__(self, answer):
        if "failed" in answer:
            raise Failure(f"the client itself failed: {answer['failed']}")
        self.__dict__.update(answer)
        for name in ("out", "err", "data"):
            if name in answer:
                setattr(self, name, base64.b64decode(answer[name]))

    @property
    def text(self):
        return self.out.decode("utf-8", "replace")

    @property
    def http_status(self):
        """Of the (last) answer in `data`; None if there is none."""
        words = self.data.split(b"\r\n")[0].split()
        return int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit() else None


def encode(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode("latin-1")).decode()


class Place:
    """Starts the agent, and passes orders."""

    confined = True

    def start(self, line, **options):
        self.answers, self.lock, self.next, self.ready = {}, threading.Lock(), 0, queue.Queue()
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                        cwd="/", **options)
        threading.Thread(target=self.read, daemon=True).start()
        try:
            if self.ready.get(timeout=30) is None:
                raise queue.Empty
        except queue.Empty:
            self.close()
            raise Failure(f"no jail: {self.said().strip()}") from None

    def read(self):
        for line in self.process.stdout:
            answer = json.loads(line)
            if answer["id"] == 0:
                self.ready.put(True)
                continue
            self.answers.pop(answer.pop("id")).put(answer)
        self.ready.put(None)
        for waiting in list(self.answers.values()):
            waiting.put({"failed": "the jail ended"})

    def order(self, do, wait=60, **order):
        answer = queue.Queue()
        with self.lock:
            self.next += 1
            number = self.next
            self.answers[number] = answer
            try:
                self.process.stdin.write(json.dumps({"id": number, "do": do, **order}).encode() + b"\n")
                self.process.stdin.flush()
            except OSError:
                raise Failure(f"the jail is gone: {self.said()[-400:]}") from None
        try:
            return Result(answer.get(timeout=wait))
        except queue.Empty:
            raise Failure(f"no answer to '{do}' within {wait} s") from None

    def said(self):
        """Standard error of clawjail so far."""
        # The file is shared with the writer: its position must not move.
        size = os.fstat(self.errors.fileno()).st_size
        return os.pread(self.errors.fileno(), size, 0).decode("utf-8", "replace")

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    # MARK: Clients

    def run(self, *argv, timeout=30, text=None, env=None, cwd="/tmp"):
        return self.order("run", wait=timeout + 10, argv=list(argv), timeout=timeout, input=encode(text or b""),
                          env=env or {}, cwd=cwd)

    def curl(self, *arguments, proxied=True, timeout=30):
        """curl, by the proxy that the environment names or past it."""
        past = [] if proxied else ["--noproxy", "*"]
        return self.run("curl", "-sS", "--max-time", str(timeout - 2), *past, *arguments, timeout=timeout)

    def raw(self, host, port, send=(), wait=None, **order):
        """`send`: bytes, or pieces (bytes, milliseconds to wait after)."""
        pieces = [(send, 0)] if isinstance(send, bytes) else list(send)
        return self.order("raw", wait=order.get("timeout", 10) + 30, host=host, port=port,
                          send=[(encode(piece), pause) for piece, pause in pieces], **order)

    def write(self, path, data):
        self.order("write", path=path, data=encode(data))

    def script(self, program, source, *arguments, **options):
        """Runs text as a program of node or python3."""
        path = f"/tmp/script-{abs(hash(source))}" + (".js" if program == "node" else ".py")
        self.write(path, source.encode())
        return self.run(program, path, *arguments, **options)


class Unconfined(Place):
    confined = False

    def __init__(self, world):
        address = f"http://127.0.0.1:{proxy.PORT}"
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            environment[name] = address
        for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO"):
            environment[name] = world.bundle
        self.start([*world.as_client(), "/usr/bin/python3", "-c", open(AGENT).read()], env=environment)


class Jail(Place):
    """`clawjail run` in the world's host namespace, as root with --user or as an ordinary user."""

    def __init__(self, world, binary, profile, user=None, as_root=True, name=None, options=()):
        self.directory = tempfile.mkdtemp(prefix="clawjail-egress-")
        os.chmod(self.directory, 0o755)
        account = pwd.getpwnam(user)
        profile = dict(profile)
        if not as_root:
            profile["optional"] = ["cgroup", "groups"]
        path = os.path.join(self.directory, "profile.json5")
        with open(path, "w") as file:
            json.dump(profile, file)
        runtime = os.path.join(self.directory, "runtime")
        os.mkdir(runtime, 0o700)
        environment = {"PATH": "/usr/bin:/bin", "HOME": self.directory, "LANG": "C.UTF-8"}
        line = [binary, "run", "--profile", path, *options]
        if as_root:
            line += ["--user", user]
        else:
            os.chown(runtime, account.pw_uid, account.pw_gid)
            # Its home, where its logs are.
            os.chown(self.directory, account.pw_uid, account.pw_gid)
            environment["XDG_RUNTIME_DIR"] = runtime
            line = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--", *line]
        self.status = open(os.path.join(self.directory, "status"), "w+b")
        line += ["--status-fd", str(self.status.fileno()), "--", "/usr/bin/python3", "-c", open(AGENT).read()]
        self.start(world.enter() + line, env=environment, pass_fds=[self.status.fileno()])

    def events(self):
        """Everything on the status channel so far."""
        size = os.fstat(self.status.fileno()).st_size
        lines = os.pread(self.status.fileno(), size, 0).splitlines()
        return [json.loads(line) for line in lines if line.startswith(b"{")]

    def close(self):
        super().close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def egress(self, patience=5):
        """The pid of this jail's clawjail-egress; None if there is none."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            for pid in children(self.process.pid):
                if program_of(pid).endswith("clawjail-egress"):
                    return pid
            time.sleep(0.02)
        return None

    def kill_egress(self):
        pid = self.egress()
        if pid is None:
            raise Failure("there is no clawjail-egress to kill")
        os.kill(pid, signal.SIGKILL)
        return pid


def children(pid):
    """All descendants of a process."""
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                for child in map(int, file.read().split()):
                    found += [child, *children(child)]
    except OSError:
        pass
    return found


def program_of(pid):
    """Its path or, where that is hidden (an empty root shows a bare name), its command line."""
    for path in (f"/proc/{pid}/exe",):
        try:
            return os.readlink(path).removesuffix(" (deleted)")
        except OSError:
            pass
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""
