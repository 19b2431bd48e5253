"""Puts the world together, and says where everything is."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from . import certificates, dns, git, names, netns, origins, watch
from .logs import EventLog

HOST_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def obstacle():
    """Why there can be no world here; None if there can."""
    if os.geteuid() != 0:
        return "root is needed, to make network namespaces"
    missing = [tool for tool in ("ip", "nsenter", "unshare", "openssl", "git") if not shutil.which(tool)]
    if missing:
        return f"not installed: {', '.join(missing)}"
    try:
        import h2  # noqa: F401
    except ImportError:
        return "not installed: python3-h2"
    return None


class World:
    """Use it as a context. Everything ends with it: namespaces, processes, files."""

    def __init__(self, watched=True):
        self.watched, self.pids = watched, []

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="clawjail-world-")
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def start(self):
        os.chmod(self.directory, 0o755)
        for name in ("certificates", "logs", "git"):
            os.mkdir(self.path(name))
        pairs, self.files = certificates.make(self.path("certificates"), names.ORIGINS)
        self.write_client_files()
        git.make(self.path("git"))
        self.host = self.spawn(self.serve_host)
        self.internet = self.spawn(lambda report: self.serve_internet(report, pairs))
        netns.connect(self.host, self.internet, names)
        netns.set_sysctl(self.host, ipv4__ping_group_range="'0 2147483647'")
        # Origins listen on addresses that only a route makes this internet's own.
        netns.set_sysctl(self.internet, ipv6__ip_nonlocal_bind=1)
        for end in (self.host, self.internet):
            self.proceed(end)
        with open(self.path("world.json"), "w") as file:
            json.dump(self.description(), file, indent=1)

    def write_client_files(self):
        """What an ordinary client in the host's namespace needs, and what `network.upstream.trust` may name."""
        self.bundle, self.resolv = self.path("bundle.pem"), self.path("resolv.conf")
        with open(self.bundle, "wb") as file:
            if os.path.exists(HOST_CERTIFICATES):
                file.write(open(HOST_CERTIFICATES, "rb").read())
            file.write(open(self.files["ca"], "rb").read())
        with open(self.resolv, "w") as file:
            file.write(f"nameserver {names.RESOLVER}\noptions timeout:1 attempts:2\n")
        self.files["trust"] = shutil.copy(self.files["ca"], self.path("trust.pem"))
        os.chmod(self.files["client_key"], 0o644)

    # MARK: Processes

    def spawn(self, serve):
        """A process in a namespace of its own; `self.proceed` lets it go on once it has a wire."""
        reading, writing = os.pipe()

        def work(report):
            os.close(writing)
            report("namespace")
            if os.read(reading, 1) != b"g":
                return
            serve(report)
            report("serving")
            signal.pause()
        pid, reports = netns.spawn(work)
        os.close(reading)
        self.pids.append((pid, reports, writing))
        if reports.readline() != "namespace\n":
            raise RuntimeError("no network namespace")
        return pid

    def proceed(self, pid):
        _, reports, writing = next(entry for entry in self.pids if entry[0] == pid)
        os.write(writing, b"g")
        if reports.readline() != "serving\n":
            raise RuntimeError("a part of the world did not start")

    def serve_host(self, _):
        from . import proxy
        origins.start_host_traps(self.path("logs"))
        proxy.start()

    def serve_internet(self, _, pairs):
        logs = self.path("logs")
        # Ports of clients that are gone are free again at once; many clients come from one address.
        origins.start(pairs, self.files, logs)
        dns.Server(names.records(), EventLog(os.path.join(logs, "dns.events")), names.RESOLVER).start()
        if self.watched:
            watch.start("wire", EventLog(os.path.join(logs, "packets.events")))

    def close(self):
        for pid, reports, writing in self.pids:
            netns.end(pid)
            reports.close()
            os.close(writing)
        self.pids = []
        shutil.rmtree(self.directory, ignore_errors=True)

    # MARK: What it says of itself

    def enter(self):
        """The words before a command that is to run on the host of this world."""
        return netns.enter(self.host)

    def as_client(self):
        """The same, for a client that is not confined: it sees this world's resolver and certificates."""
        script = (f"mount --bind {self.resolv} /etc/resolv.conf && mount --bind {self.bundle} {HOST_CERTIFICATES} && "
                  'exec "$@"')
        return self.enter() + ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]

    def description(self):
        return {
            "enter": self.enter(), "enterAsClient": self.as_client(), "directory": self.directory,
            "resolver": names.RESOLVER, "trust": self.files["trust"], "bundle": self.bundle,
            "clientCertificate": self.files["client"], "clientKey": self.files["client_key"],
            "host": [names.HOST4, names.HOST6], "logs": self.path("logs"),
            "origins": {o.name: {
                "host": o.host, "addresses": [a for a in (o.v4, o.v6) if a],
                "ports": {str(port): kind for port, kind in o.ports.items()}, "alpn": o.alpn,
                "logs": {kind: self.path("logs", f"{o.name}.{kind}") for kind in ("wire", "plain", "events")},
            } for o in names.ORIGINS},
            "special": {f"special-{key}.example": value for key, value in names.SPECIAL.items()},
            "behaviours": [f"{name}.example" for name in names.BEHAVIOURS],
            "git": {"smart": "https://git.example/smart/project.git", "dumb": "https://git.example/dumb/project.git"},
            "dnsLog": self.path("logs", "dns.events"), "packetLog": self.path("logs", "packets.events"),
            "trapLog": self.path("logs", "trap.events"), "hostTrapLog": self.path("logs", "host-trap.events"),
        }

    # MARK: What has arrived

    def mark(self):
        """The present ends of all logs, for `since`."""
        logs = self.path("logs")
        return {name: os.path.getsize(os.path.join(logs, name)) for name in os.listdir(logs)}

    def since(self, mark, name):
        """Bytes that `name` (such as web.plain) has got since the mark."""
        path = self.path("logs", name)
        if not os.path.exists(path):
            return b""
        with open(path, "rb") as file:
            file.seek(mark.get(name, 0))
            return file.read()

    def events(self, mark, name):
        return [json.loads(line) for line in self.since(mark, name).splitlines()]

    def grown(self, mark, kind="plain"):
        """Names of origins and traps whose log of that kind has grown."""
        return sorted(name.rpartition(".")[0] for name, size in self.mark().items()
                      if name.endswith("." + kind) and size > mark.get(name, 0))

    def everything(self, mark, kind="plain"):
        return b"".join(self.since(mark, name) for name in self.mark() if name.endswith("." + kind))

    def settle(self, seconds=0.05):
        """Lets what is under way arrive."""
        time.sleep(seconds)


def main():
    import argparse
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true", help="stay until standard input closes")
    parser.add_argument("--quiet", action="store_true", help="no packet log")
    arguments = parser.parse_args()
    reason = obstacle()
    if reason:
        sys.exit(f"world: {reason}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with World(watched=not arguments.quiet) as world:
        # One line: where the description is. It is there, and all is served, when the line comes.
        print(world.path("world.json"), flush=True)
        if arguments.serve:
            while sys.stdin.buffer.read(4096):
                pass
        else:
            subprocess.run([*world.as_client(), "curl", "-sS", "https://web.example/"])
