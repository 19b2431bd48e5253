"""The way out against squid with ssl-bump at the same policy, and against no proxy at all, in one world and one run."""

import importlib.util
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SQUID_PORT = 3130
HELPER = "/usr/lib/squid/security_file_certgen"
NGINX = """
worker_processes 1; daemon off; pid {directory}/nginx.pid; error_log stderr; user root;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; sendfile on; tcp_nodelay on; server_tokens off;
  client_body_temp_path {directory}/nginx-1; proxy_temp_path {directory}/nginx-2; fastcgi_temp_path {directory}/nginx-3;
  uwsgi_temp_path {directory}/nginx-4; scgi_temp_path {directory}/nginx-5;
  server {{
    listen {address}:443 ssl reuseport backlog=1024; server_name bench.example;
    ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_session_tickets off; ssl_session_cache off;
    location = /small {{ default_type text/plain; return 200 "{small}"; }}
    location = /packed {{ root {directory}/files; add_header Content-Encoding gzip; }}
    location / {{ root {directory}/files; }}
  }}
}}
"""
SQUID = """
http_port 127.0.0.1:{port} ssl-bump generate-host-certificates=on dynamic_cert_mem_cache_size=16MB tls-cert={ca}
sslcrtd_program {helper} -s {directory}/squid-db -M 16MB
sslcrtd_children 2 startup=1 idle=1
ssl_bump bump all
tls_outgoing_options cafile={trust}
acl readers method GET HEAD CONNECT
http_access allow readers
http_access deny all
http_upgrade_request_protocols websocket allow all
dns_nameservers {resolver}
workers 1
cache deny all
access_log none
cache_log {directory}/squid.log
cache_store_log none
pid_filename {directory}/squid.pid
coredump_dir {directory}
visible_hostname bench
pinger_enable off
shutdown_lifetime 0 seconds
max_filedescriptors 8192
via off
forwarded_for delete
read_timeout 15 minutes
"""
# title, mode, path, connections, how to show, targets of the ratios: to squid, to direct
FIGURES = [
    ("TLS, keep-alive, 32 connections", "keepalive", "/small", 32, "{:,.0f} requests/s", "≥ 1.5", ""),
    ("new TLS connections, 8 at a time", "connect", "/small", 8, "{:,.0f} /s", "≥ 0.8", ""),
    ("bulk download through inspection", "bulk", "/blob", 1, "{:,.0f} MB/s", "≥ 1.5", "≥ 0.4"),
    ("bulk download, passed through", "bulk", "/blob", 1, "{:,.0f} MB/s", "", "≥ 0.6"),
    ("a request, one at a time", "latency", "/small", 1, "{:,.0f} µs", "", "≤ 200 µs more"),
]
PASSED = "bulk download, passed through"


def obstacle():
    # Before anything of the world is imported.
    missing = [name for name in ("nginx", "squid", "gcc", "ip", "openssl") if not shutil.which(name, path=os.environ.get(
        "PATH", "") + ":/usr/sbin:/sbin")]
    if not os.path.exists(HELPER):
        missing.append("squid-openssl")
    if not os.path.exists("/usr/include/openssl/ssl.h"):
        missing.append("libssl-dev")
    if importlib.util.find_spec("h2") is None:
        missing.append("python3-h2")
    if os.geteuid() != 0:
        return "needs root"
    return f"not installed: {', '.join(missing)}" if missing else None


class Egress:
    """`program`: clawjail; None measures the others alone. `user`: whom its jails run as."""

    def __init__(self, program, user, rounds, seconds):
        # The world belongs to the tests, and runs on Debian's own python3.
        sys.path.insert(0, os.path.join(HERE, ".."))
        from world import names, place, profiles, world
        self.names, self.place, self.profiles, self.module = names, place, profiles, world
        self.program, self.user, self.rounds, self.seconds = program, user, rounds, seconds
        self.processes, self.jails, self.problems = [], {}, []

    def __enter__(self):
        self.world = self.module.World(watched=False).__enter__()
        try:
            self.directory = self.world.path("bench")
            os.makedirs(os.path.join(self.directory, "files"))
            self.load = os.path.join(self.directory, "load")
            subprocess.run(["gcc", "-O2", "-Wall", "-o", self.load, os.path.join(HERE, "load.c"), "-lssl", "-lcrypto",
                            "-lpthread"], check=True)
            self.start_origin()
            self.start_squid()
            if self.program:
                self.start_jails()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for jail in self.jails.values():
            jail.close()
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.world.close()

    # MARK: The three sides

    def spawn(self, namespace, *line):
        entered = self.module.netns.enter(namespace) + list(line)
        self.processes.append(subprocess.Popen(entered, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                               stderr=open(os.path.join(self.directory, "stderr"), "ab"), cwd="/"))

    def start_origin(self):
        bench = next(origin for origin in self.names.ORIGINS if origin.name == "bench")
        certificates = self.world.path("certificates")
        with open(os.path.join(self.directory, "files", "blob"), "wb") as file:
            file.write(os.urandom(1 << 20) * 128)
        os.chmod(self.directory, 0o755)
        configuration = os.path.join(self.directory, "nginx.conf")
        with open(configuration, "w") as file:
            file.write(NGINX.format(directory=self.directory, address=bench.v4, small="x" * 200,
                                    certificate=f"{certificates}/bench.pem", key=f"{certificates}/bench.key"))
        self.spawn(self.world.internet, "nginx", "-c", configuration, "-p", self.directory)
        self.until_there(self.world.internet, bench.v4, 443)

    def start_squid(self):
        from world import certificates
        authority = certificates.Authority(self.world.path("certificates"), "squid-ca")
        self.squid_ca = authority.certificate
        both = os.path.join(self.directory, "squid-ca-both.pem")
        with open(both, "w") as file:
            file.write(open(authority.certificate).read() + open(authority.key).read())
        os.chmod(both, 0o644)
        os.chmod(self.directory, 0o777)
        configuration = os.path.join(self.directory, "squid.conf")
        with open(configuration, "w") as file:
            file.write(SQUID.format(port=SQUID_PORT, ca=both, helper=HELPER, directory=self.directory,
                                    trust=self.world.files["trust"], resolver=self.names.RESOLVER))
        database = os.path.join(self.directory, "squid-db")
        subprocess.run([HELPER, "-c", "-s", database, "-M", "16MB"], check=True, stdout=subprocess.DEVNULL)
        shutil.chown(database, "proxy", "proxy")
        for name in os.listdir(database):
            shutil.chown(os.path.join(database, name), "proxy", "proxy")
        # Else it looks for its shared memory and its process id in the places of the machine's own squid.
        self.spawn(self.world.host, "squid", "-N", "-n", f"bench{os.getpid()}", "-f", configuration)
        self.until_there(self.world.host, "127.0.0.1", SQUID_PORT)

    def start_jails(self):
        for name, rule in (("inspect", {"hosts": ["*"], "methods": ["GET", "HEAD"]}),
                           ("pass", {"hosts": ["bench.example"], "schemes": ["https"], "inspect": False}),
                           ("sockets", {"hosts": ["ws.example"], "methods": ["GET"], "websocket": True})):
            many = 1_000_000_000
            budgets = {"requestsPerMinute": many, "connectionsPerMinute": many, "connections": 4000, "total": "24h"}
            profile = self.profiles.profile(self.world, {"allow": [rule], "budgets": budgets})
            profile["limits"] |= {"cpus": os.cpu_count()}
            self.jails[name] = self.place.Jail(self.world, self.program, profile, self.user,
                                               options=["--read", f"{self.load}:/opt/load"])

    def until_there(self, namespace, address, port):
        probe = f"import socket; socket.create_connection(('{address}', {port}), 1)"
        for _ in range(100):
            if subprocess.run([*self.module.netns.enter(namespace), "/usr/bin/python3", "-c", probe],
                              stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError(f"nothing listens on {address}:{port}: see {self.directory}/stderr")

    # MARK: Measuring

    def environment(self, path, ca, proxy="", host="bench.example", address=True):
        bench = next(origin for origin in self.names.ORIGINS if origin.host == host)
        values = {"HOST": host, "PORT": "443", "PATHNAME": path, "CA": ca, "PROXY": proxy}
        return values | ({"ADDRESS": bench.v4} if address else {})

    def outside(self, mode, path, connections, squid):
        environment = self.environment(path, self.squid_ca if squid else self.world.files["trust"],
                                       f"127.0.0.1:{SQUID_PORT}" if squid else "")
        done = subprocess.run([*self.world.enter(), self.load, mode, str(connections), str(self.seconds)],
                              env=environment, capture_output=True, text=True, timeout=60 + self.seconds)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip()[:300])
        return float(done.stdout)

    def inside(self, mode, path, connections, jail, transparent):
        place = self.jails[jail]
        proxy = "" if transparent else place.order("environment").http_proxy.rpartition("/")[2]
        ca = "/etc/ssl/certs/ca-certificates.crt"
        if jail == "pass":
            place.write("/tmp/origin-ca.pem", open(self.world.files["ca"], "rb").read())
            ca = "/tmp/origin-ca.pem"
        done = place.run("/opt/load", mode, str(connections), str(self.seconds), timeout=60 + int(self.seconds),
                         env=self.environment(path, ca, proxy, address=False))
        if done.status != 0:
            raise RuntimeError(done.err.decode().strip()[:300])
        return float(done.text)

    def figures(self):
        """For each of FIGURES: {side: median}."""
        results = []
        for title, mode, path, connections, *_ in FIGURES:
            sides = {"direct": lambda: self.outside(mode, path, connections, False)}
            if title != PASSED:
                sides["squid"] = lambda: self.outside(mode, path, connections, True)
            if self.program:
                jail = "pass" if title == PASSED else "inspect"
                sides["clawjail, CONNECT"] = lambda: self.inside(mode, path, connections, jail, False)
                sides["clawjail, transparent"] = lambda: self.inside(mode, path, connections, jail, True)
            results.append(self.alternate(title, sides))
        return results

    def alternate(self, title, sides):
        """By turns, each round beginning with another; the first round warms up and does not count."""
        values = {side: [] for side in sides}
        order = list(sides)
        for number in range(self.rounds + 1):
            for turn in range(len(order)):
                side = order[(number + turn) % len(order)]
                if values[side] is None:
                    continue
                try:
                    value = sides[side]()
                except Exception as error:
                    self.problems.append(f"{title}, {side}: {error}")
                    values[side] = None
                    continue
                if number:
                    values[side].append(value)
        return {side: statistics.median(list_) if list_ else None for side, list_ in values.items()}

    def idle_memory(self, count=1000):
        """MiB that each side's processes have with that many idle WebSockets: {side: (before, with)}."""
        result = {}
        environment = self.environment("/ws", self.squid_ca, f"127.0.0.1:{SQUID_PORT}", host="ws.example")
        squid = self.processes[1].pid
        before = self.pss(squid)
        held = subprocess.Popen([*self.world.enter(), self.load, "idle", str(count), "0"], env=environment,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            if held.stdout.readline() == "ready\n":
                time.sleep(1)
                result["squid"] = (before, self.pss(squid))
            else:
                self.problems.append(f"idle WebSockets, squid: {held.stderr.read().strip()[:200]}")
        finally:
            held.kill()
            held.communicate()
        if self.program:
            result |= self.idle_in_jail(count)
        return result

    def idle_in_jail(self, count):
        place = self.jails["sockets"]
        pid = place.egress()
        if pid is None:
            self.problems.append("idle WebSockets: there is no clawjail-egress")
            return {}
        before = self.pss(pid)
        held = place.order("spawn", wait=120, argv=["/opt/load", "idle", str(count), "0"], env=self.environment(
            "/ws", "/etc/ssl/certs/ca-certificates.crt", host="ws.example", address=False))
        time.sleep(1)
        after = self.pss(pid)
        place.order("end", pid=held.pid)
        if held.line != "ready":
            self.problems.append(f"idle WebSockets: {held.line}")
            return {}
        return {"clawjail": (before, after)}

    def pss(self, pid):
        """Of a process and its descendants, in MiB."""
        total = 0
        for one in [pid, *self.place.children(pid)]:
            try:
                with open(f"/proc/{one}/smaps_rollup") as file:
                    total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
            except (OSError, StopIteration):
                pass
        return total / 1024


def show(results, memory, row, wants_clawjail=True):
    """Rows of the bench's table: figure, ratio to squid, ratio to direct."""
    for (title, mode, _, _, form, aim_squid, aim_direct), values in zip(FIGURES, results):
        row("  " + title, "", "", "", "")
        scale = 1e6 if mode == "bulk" else 1
        for side, value in values.items():
            if value is None:
                row("    " + side, "failed")
                continue
            ratios = []
            for peer, aim in (("squid", aim_squid), ("direct", aim_direct)):
                other = values.get(peer)
                if side.startswith("clawjail") and other and aim:
                    text = f"{value - other:+.0f} µs" if mode == "latency" else f"{value / other:.2f} ×"
                    ratios.append(f"{text} {peer} (aim {aim})")
                elif side == "squid" and peer == "direct" and other:
                    ratios.append(f"{value - other:+.0f} µs direct" if mode == "latency" else f"{value / other:.2f} × direct")
            row("    " + side, form.format(value / scale), "", "", "", ", ".join(ratios))
    row("  1,000 idle WebSockets", "", "", "", "")
    for side, (before, after) in memory.items():
        row("    " + side, f"{after:.0f} MiB", f"{before:.0f} before", "", "≤ 128 MiB" if side == "clawjail" else "")
