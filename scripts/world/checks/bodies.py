"""Downloads and uploads: whole, in all sizes, and no larger than allowed."""

import json

from .. import routes, ways
from ..check import CHECKS, Check, check
from ..place import Failure

LARGE = 200_000_000


def download(profile, host, arguments, past, size=LARGE):
    def function(t, place):
        flags = ["--noproxy", "*"] if past else []
        done = place.order("run", wait=130, timeout=120, argv=[
            "sh", "-c", 'curl -sS "$@" | sha256sum', "sh", *arguments, *flags, f"https://{host}.example/blob?size={size}"])
        t.expect(done.text.split()[:1] == [routes.blob_digest(size)], done.text + done.err.decode())
    function.__doc__ = (f"{size} bytes arrive with equal SHA-256 from {host}, {' '.join(arguments)}, "
                        f"{'past the proxy' if past else 'by the proxy'}")
    function.__module__ = __name__
    CHECKS.append(Check(function, profile, True, ("root",), False))


for _past in (False, True):
    download("research", "web", ["--http1.1"], _past)
    download("research", "web", ["--http2"], _past)
    download("pass", "pass", ["--http1.1"], _past)
download("research", "h1", ["--http2"], True)
download("research", "h2", ["--http1.1"], True)
for _size in (0, 1, 16383, 16384, 16385, 65535, 65536, 1 << 20):
    download("research", "web", ["--http1.1"], True, _size)


def upload(host, path, size, chunked, version, good):
    def function(t, place):
        place.run("sh", "-c", f"head -c {size} /dev/zero > /tmp/upload")
        mark = t.world.mark()
        extra = ["-H", "Transfer-Encoding: chunked"] if chunked else []
        done = place.curl(version, "-H", "Expect:", "--data-binary", "@/tmp/upload", *extra, "-w", "\n%{http_code}",
                          f"https://{host}.example{path}", proxied=False)
        body, _, status = done.text.rpartition("\n")
        t.world.settle()
        if good or not place.confined:
            t.expect(status == "200" and json.loads(body)["size"] == size, f"{status} {body[:200]} {done.err!r}")
            return
        t.expect(status in ("403", "413") or done.status in (55, 56, 92), f"{status} {done.err!r}")
        most = len(t.world.since(mark, f"{host}.plain"))
        limit = (1 << 20) + 65536 if chunked else 0
        t.expect(most <= limit, f"{most} bytes arrived")
    function.__doc__ = (f"an upload of {size} bytes{' in chunks' if chunked else ''} with {version} to {host}{path} is "
                        f"{'served' if good else 'refused'}")
    function.__module__ = __name__
    CHECKS.append(Check(function, "posting", True, ("root",), False))


for _version in ("--http1.1", "--http2"):
    for _chunked in (False, True) if _version == "--http1.1" else (False,):
        upload("api", "/upload", 900_000, _chunked, _version, True)
        upload("api", "/upload", 1 << 20, _chunked, _version, True)
        upload("api", "/upload", (1 << 20) + 1, _chunked, _version, False)
        upload("api", "/upload", 20_000_000, _chunked, _version, False)


@check(profile="posting")
def expect_continue(t, place):
    """A client that waits for 100 Continue is served"""
    done = place.curl("--http1.1", "-H", "Expect: 100-continue", "--data", "hello", "https://api.example/echo",
                      proxied=False, timeout=10)
    t.expect(done.text == "hello" and done.seconds < 5, f"{done.text} {done.err!r} {done.seconds}")


BAD_BODIES = {
    "chunk size zz": b"zz\r\nhello\r\n0\r\n\r\n", "chunk size 0x5": b"0x5\r\nhello\r\n0\r\n\r\n",
    "chunk size +5": b"+5\r\nhello\r\n0\r\n\r\n", "chunk size -5": b"-5\r\nhello\r\n0\r\n\r\n",
    "huge chunk size": b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n", "empty chunk size": b"\r\nhello\r\n0\r\n\r\n",
    "chunk longer than said": b"5\r\nhelloX\r\n0\r\n\r\n", "chunk shorter than said": b"6\r\nhello\r\n0\r\n\r\n",
    "bare LF after the size": b"5\nhello\r\n0\r\n\r\n", "bare LF after the data": b"5\r\nhello\n0\r\n\r\n",
    "space before the size": b" 5\r\nhello\r\n0\r\n\r\n",
    "bare CR in an extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "a trailer that smuggles": b"5\r\nhello\r\n0\r\nContent-Length: 5\r\nHost: denied.example\r\n\r\n",
    "a broken trailer": b"5\r\nhello\r\n0\r\nno colon\r\n\r\n", "no end": b"5\r\nhello\r\n",
}


def bad_body(title, body, way):
    """The head passes: what matters is that nothing after the error arrives, and that the request never ends well."""
    def function(t, place):
        token, mark = t.token(), t.world.mark()
        tail = f"GET /smuggled?{token} HTTP/1.1\r\nHost: web.example\r\n\r\n".encode() if title != "no end" else b""
        data = ways.request(way, "api.example", "POST", "/echo", ["Transfer-Encoding: chunked"]) + body + tail
        result = ways.send(place, way, "api.example", data, timeout=2, finish=title == "no end")
        arrived = t.arrived(mark)
        if place.confined:
            if title != "a trailer that smuggles":
                t.expect(token.encode() not in arrived, "what came after the error arrived")
                t.expect(result.http_status != 200, f"answered: {result.data[:200]!r}")
            t.expect(b"denied.example" not in arrived, "the trailer arrived")
            ways.served(t, place, way)
        else:
            t.expect(arrived, "did not even arrive unconfined")
    function.__doc__ = f"a body with {title} is refused, {way}"
    function.__module__ = __name__
    CHECKS.append(Check(function, "posting", way != "proxy", ("root",), False))


for _title, _body in BAD_BODIES.items():
    for _way in ("direct 443", "connect 443"):
        bad_body(_title, _body, _way)


@check(profile="posting")
def aborted_upload(t, place):
    """An upload that breaks off reaches the origin as one that broke off"""
    mark = t.world.mark()
    data = ways.request("direct 443", "api.example", "POST", "/echo", ["Content-Length: 1000"]) + b"x" * 500
    ways.send(place, "direct 443", "api.example", data, abort=True)
    t.world.settle(0.5)
    ends = [e["end"] for e in t.world.events(mark, "api.events") if e["event"] == "ended" and e["bytes"]]
    t.expect("closed" not in ends, f"{ends}")
    if place.confined:
        ways.served(t, place)


@check(profile="plain", control=False, fresh=True)
def stalled_memory(t, place):
    """A hundred clients that stop reading, while their origins send without end, hold no memory beyond buffers"""
    egress = place.egress()
    if egress is None:
        raise Failure("there is no clawjail-egress")
    before = resident(egress)
    place.write("/tmp/stalled.py", b"""
import socket, ssl, sys
context, held = ssl.create_default_context(), []
for n in range(100):
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096); s.connect(("web.example", 443 if n % 2 else 80))
    if n % 2: s = context.wrap_socket(s, server_hostname="web.example")
    s.sendall(b"GET /endless-body HTTP/1.1\\r\\nHost: web.example\\r\\n\\r\\n"); held.append(s)
print("ready", flush=True); sys.stdin.read()
""")
    held = place.order("spawn", argv=["/usr/bin/python3", "/tmp/stalled.py"])
    try:
        t.expect(held.line == "ready", held.line)
        t.world.settle(3)
        grown = resident(egress) - before
        ways.served(t, place)
        t.expect(grown < 100 << 20, f"{grown >> 20} MiB for a hundred stalled clients")
    finally:
        place.order("end", pid=held.pid)


def resident(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * 4096
