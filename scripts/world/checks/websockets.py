"""WebSockets: where a rule allows them, they work; elsewhere they do not."""

import base64
import os
import struct

from .. import ways
from ..check import check
from ..place import Failure
from .bodies import resident

NODE = """
const [url] = process.argv.slice(2), u = new URL(url), crypto = require("crypto");
const r = require(u.protocol === "wss:" ? "https" : "http").request({ host: u.hostname, path: "/ws",
  port: u.protocol === "wss:" ? 443 : 80, headers: { Connection: "Upgrade", Upgrade: "websocket",
  "Sec-WebSocket-Version": 13, "Sec-WebSocket-Key": crypto.randomBytes(16).toString("base64") } });
r.on("upgrade", (a, s, head) => { const m = Buffer.alloc(4), f = Buffer.from("hello");
  let all = head; s.on("data", (d) => { all = Buffer.concat([all, d]);
    if (all.includes("hello")) { console.log("echoed"); s.destroy(); } });
  s.write(Buffer.concat([Buffer.from([0x81, 0x80 | f.length]), m, f])); });
r.on("response", (a) => console.log("response", a.statusCode)); r.on("error", (e) => console.log("error", e.message));
r.end();
"""


def masked(data, opcode=1):
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack("!H", len(data))
    return bytes([0x80 | opcode]) + size + b"\0\0\0\0" + data


def upgrade(way, host="ws.example", path="/ws", extra=()):
    return ways.request(way, host, path=path, headers=[
        "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", *extra])


@check(profile="sockets", users=("root", "user"))
def echo(t, place):
    """A WebSocket says everything back, on every way in"""
    for way in ways.WAYS:
        data = b"x" * 1000
        result = ways.send(place, way, "ws.example", [(upgrade(way), 100), (masked(b"hello"), 10), (masked(data), 0),
                                                      (masked(b"", 9), 0)], timeout=2, until=base64.b64encode(data).decode())
        t.expect(result.http_status == 101 and b"welcome" in result.data and data in result.data,
                 f"{way}: {result.stage} {result.error} {result.data[:300]!r}")


@check(profile="sockets")
def node(t, place):
    """A WebSocket of Node, in plain text and with TLS"""
    for url in ("ws://ws.example/", "wss://ws.example/"):
        text = place.script("node", NODE, url).text
        t.expect("echoed" in text, f"{url}: {text}")


@check(profile="sockets", control=False)
def at_once(t, place):
    """Frames sent together with the request arrive after the upgrade"""
    for way in ("direct 443", "connect 443"):
        result = ways.send(place, way, "ws.example", upgrade(way) + masked(b"early"), timeout=2, until=base64.b64encode(b"early").decode())
        t.expect(result.http_status == 101 and b"early" in result.data, f"{way}: {result.data[:300]!r}")


@check(profile="sockets", control=False)
def refused_elsewhere(t, place):
    """No WebSocket to a host whose rule does not allow it"""
    for way in ways.WAYS:
        mark = t.world.mark()
        result = ways.send(place, way, "web.example", upgrade(way, "web.example"), until="DQoNCg==")
        t.expect(result.http_status == 403, f"{way}: {result.data[:200]!r}")
        t.nothing_arrived(mark)


@check(profile="sockets", control=False)
def wrong_accept(t, place):
    """An origin whose Sec-WebSocket-Accept is wrong is a 502"""
    result = ways.send(place, "direct 443", "ws.example", upgrade("direct 443", path="/ws/wrong-accept"), until="DQoNCg==")
    t.expect(result.http_status == 502, f"{result.data[:200]!r}")


@check(profile="sockets", control=False)
def bad_upgrades(t, place):
    """Upgrades that are none are refused: no key, wrong version, two keys, with a body, POST, HTTP/1.0"""
    way = "direct 443"
    good = upgrade(way)
    for bad in (good.replace(b"Sec-WebSocket-Key", b"X-Key"), good.replace(b": 13", b": 8"),
                upgrade(way, extra=["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]),
                upgrade(way, extra=["Content-Length: 5"]) + b"hello", good.replace(b"GET", b"POST", 1),
                good.replace(b"HTTP/1.1", b"HTTP/1.0"), good.replace(b"Upgrade: websocket", b"Upgrade: websocket, h2c")):
        mark = t.world.mark()
        result = ways.send(place, way, "ws.example", bad, until="DQoNCg==")
        t.expect(result.http_status != 101, f"switched: {bad[:200]!r}")
        t.expect(b"upgrade: websocket" not in t.arrived(mark).lower(), f"arrived: {bad[:200]!r}")
    ways.served(t, place)


@check(profile="sockets", control=False)
def bad_frames(t, place):
    """Frames that no client may send end the connection: unmasked, reserved bits, huge, a broken continuation"""
    way = "direct 443"
    for bad in (b"\x81\5hello", b"\xf1\x85\0\0\0\0hello", b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",
                b"\x80\x85\0\0\0\0hello", b"\x89\xfe\1\0\0\0\0\0" + b"x" * 256, b"\x83\x85\0\0\0\0hello"):
        result = ways.send(place, way, "ws.example", [(upgrade(way), 100), (bad, 0)], timeout=3)
        t.expect(result.error is None, f"{bad[:10]!r} left the connection open")
    ways.served(t, place)


@check(profile="sockets", control=False)
def long_lived(t, place):
    """A WebSocket lives longer than `idle`: it is exempt by rule"""
    result = ways.send(place, "direct 443", "ws.example", [(upgrade("direct 443"), 5000), (masked(b"still"), 0)],
                       timeout=3, until=base64.b64encode(b"still").decode())
    t.expect(b"still" in result.data, f"{result.error} {result.data[:200]!r}")


HOLD = b"""
import socket, ssl, sys
context, held = ssl.create_default_context(), []
for n in range(int(sys.argv[1])):
    s = context.wrap_socket(socket.create_connection(("ws.example", 443)), server_hostname="ws.example")
    s.sendall(b"GET /ws HTTP/1.1\\r\\nHost: ws.example\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
              b"Sec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n")
    if not s.recv(4096).startswith(b"HTTP/1.1 101"): print("not switched at", n, flush=True); break
    held.append(s)
else: print("ready", flush=True)
sys.stdin.read()
for s in held: s.sendall(b"\\x81\\x82\\0\\0\\0\\0hi")
good = sum(b"hi" in (lambda d: d if b"hi" in d else d + s.recv(4096))(s.recv(4096)) for s in held)
print("alive", good)
"""


@check(profile="sockets", control=False, fresh=True)
def thousand(t, place):
    """A thousand idle WebSockets live in 128 MiB, and all still answer"""
    place.write("/tmp/hold.py", HOLD)
    egress = place.egress()
    if egress is None:
        raise Failure("there is no clawjail-egress")
    held = place.order("spawn", wait=120, argv=["/usr/bin/python3", "/tmp/hold.py", "1000"])
    t.world.settle(4)
    memory = resident(egress)
    done = place.order("end", wait=60, pid=held.pid, timeout=50)
    t.expect(held.line == "ready", held.line)
    t.expect(b"alive 1000" in done.out, done.text[-200:])
    t.expect(memory <= 128 << 20, f"{memory >> 20} MiB")
