"""What secrets cost on the way out: a request into which one is put, and an answer that is looked through for it; against the
same jail without any, and squid, in one world and one run."""

import gzip
import json
import os
import random

import egress

KEY = "bench-" + "k" * 34
# title, mode, path, connections, how to show
FIGURES = [
    ("a request, keep-alive, 32 connections", "keepalive", "/small", 32, "{:,.0f} requests/s"),
    ("a request, one at a time", "latency", "/small", 1, "{:,.0f} µs"),
    ("a megabyte that is random", "bulk", "/blob", 1, "{:,.0f} MB/s"),
    ("a megabyte of JSON", "bulk", "/text", 1, "{:,.0f} MB/s"),
    ("a megabyte of JSON, which comes as gzip", "bulk", "/packed", 1, "{:,.0f} MB/s"),
]
WITHOUT, UNUSED, WITH = "no secrets in the profile", "secrets, none in the request", "a secret in the request"
CODED = FIGURES[-1][0]


class Secrets(egress.Egress):
    """Its jails: one without secrets, one with one that is bound to the bench's host."""

    def start_origin(self):
        # Before nginx looks for them.
        files = os.path.join(self.directory, "files")
        lines = (json.dumps({"id": random.randrange(1 << 40), "name": "somebody", "text": "a few words\nand \"more\" of them"})
                 for _ in range(50_000))
        # Its repetitions are too far apart for gzip to see, so it does not grow more than answers may.
        text = ("\n".join(lines).encode() * 32)[:128 << 20]
        with open(os.path.join(files, "text"), "wb") as file:
            file.write(text)
        with open(os.path.join(files, "packed"), "wb") as file:
            file.write(gzip.compress(text, 6))
        super().start_origin()

    def start_jails(self):
        path = os.path.join(self.directory, "key")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(KEY + "\n")
        secret = {"name": "bench", "env": "BENCH_KEY", "hosts": ["bench.example"], "inject": {"header": "X-Api-Key"},
                  "source": {"file": path}}
        many = 1_000_000_000
        budgets = {"requestsPerMinute": many, "connectionsPerMinute": many, "connections": 4000, "total": "24h"}
        allow = [{"hosts": ["bench.example"], "methods": ["GET", "HEAD"]}]
        for name, secrets in (("inspect", []), ("secrets", [secret])):
            profile = self.profiles.profile(self.world, {"allow": allow, "budgets": budgets})
            profile["limits"] |= {"cpus": os.cpu_count()}
            if secrets:
                profile["secrets"] = secrets
            self.jails[name] = self.place.Jail(self.world, self.program, profile, self.user,
                                               options=["--read", f"{self.load}:/opt/load"])
        self.placeholder = self.jails["secrets"].order("environment").BENCH_KEY

    def environment(self, path, ca, proxy="", host="bench.example", address=True):
        return super().environment(path, ca, proxy, host, address) | {"HEADER": self.header}

    def side(self, name, mode, path, connections):
        """The placeholder is a header of 40 bytes; where it is none, another one is as long."""
        def measure():
            self.header = f"X-Api-Key: {self.placeholder if name == WITH else 'x' * len(self.placeholder)}"
            if name == "squid":
                return self.outside(mode, path, connections, True)
            return self.inside(mode, path, connections, "inspect" if name == WITHOUT else "secrets", True)
        return measure

    def figures(self):
        names = (["squid"] if self.program is None else ["squid", WITHOUT, UNUSED, WITH])
        return [self.alternate(title, {name: self.side(name, mode, path, connections) for name in names})
                for title, mode, path, connections, _ in FIGURES]


def show(results, row):
    """Rows of the bench's table: each figure, and its ratio to the jail without secrets."""
    for (title, mode, _, _, form), values in zip(FIGURES, results):
        row("  " + title, "", "", "", "")
        base = values.get(WITHOUT)
        for side, value in values.items():
            if value is None:
                row("    " + side, "failed")
                continue
            text = form.format(value / (1e6 if mode == "bulk" else 1))
            ratio = ""
            if base and side != WITHOUT:
                ratio = f"{value - base:+.0f} µs" if mode == "latency" else f"{value / base:.2f} × without"
            # Only there is anything decoded: the others pass on what came, and count that.
            if title == CODED and side == WITH:
                ratio = "decoded bytes"
            row("    " + side, text, "", "", "", ratio)
