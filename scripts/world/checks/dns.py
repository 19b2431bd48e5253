"""The resolver in the jail: no name that is not allowed is ever asked for outside."""

import struct

from .. import ways
from ..check import check
from ..dns import encode_name

LOOKUP = """
import socket, sys
try: print(sorted({a[4][0] for a in socket.getaddrinfo(sys.argv[1], 443)}))
except OSError as e: print("error", e)
"""
RESPONDER = "127.0.0.53"


def query(name, kind=1, number=0x1234, flags=0x0100, extra=b""):
    return struct.pack("!HHHHHH", number, flags, 1, 0, 0, 1 if extra else 0) + encode_name(name) + struct.pack(
        "!HH", kind, 1) + extra


def ask(place, message, tcp=False):
    if not tcp:
        return place.order("datagram", address=RESPONDER, port=53, data=encode(message)).data
    result = place.raw(RESPONDER, 53, struct.pack("!H", len(message)) + message, finish=True, timeout=3)
    return result.data[2:]


def encode(data):
    import base64
    return base64.b64encode(data).decode()


def code(reply):
    return reply[3] & 15 if len(reply) > 3 else None


@check(profile="narrow")
def denied_lookup(t, place):
    """A name that no rule allows does not exist, and nobody outside is asked"""
    token, mark = t.token(), t.world.mark()
    for name in ("denied.example", "other.example", f"{token}.example", f"{token}.web.example", "example",
                 "sub.web.example", "169.254.169.254.nip.io"):
        text = place.script("/usr/bin/python3", LOOKUP, name).text
        if place.confined:
            t.expect("error" in text, f"{name}: {text}")
    asked = t.asked_names(mark)
    if place.confined:
        t.expect(not asked, f"asked for {asked}")
        t.only_resolver_packets(mark)
    else:
        t.expect(f"{token}.example" in asked, "not even unconfined was it asked for")


@check(profile="narrow", control=False)
def allowed_lookup(t, place):
    """An allowed name has an address of the jail's own at once, and nobody outside is asked until it is used"""
    mark = t.world.mark()
    text = place.script("/usr/bin/python3", LOOKUP, "web.example").text
    t.expect("198.18." in text or "198.19." in text, text)
    t.expect(place.script("/usr/bin/python3", LOOKUP, "WEB.Example.").text == text, "another address for other letters")
    t.expect(not t.asked_names(mark), f"asked for {t.asked_names(mark)}")
    ways.served(t, place)
    t.expect(t.asked_names(mark) <= {"web.example"}, f"asked for {t.asked_names(mark)}")


@check(profile="narrow", control=False)
def other_types(t, place):
    """No other record than A: no AAAA, HTTPS, SVCB, TXT, MX, SRV, NS, ANY, and none of another class"""
    mark = t.world.mark()
    for kind in (28, 65, 64, 16, 15, 33, 2, 6, 255, 12, 43, 251, 252):
        for tcp in (False, True):
            reply = ask(place, query("web.example", kind), tcp)
            t.expect(not reply or reply[6:8] == b"\0\0", f"type {kind} was answered: {reply.hex()}")
    t.expect(not t.asked_names(mark), "somebody outside was asked")


@check(profile="narrow", control=False)
def over_tcp(t, place):
    """The same answers over TCP, also for several questions on one connection"""
    t.expect(code(ask(place, query("web.example"), True)) == 0, "web.example over TCP")
    t.expect(code(ask(place, query("denied.example"), True)) == 3, "denied.example over TCP")
    one, two = query("web.example", number=1), query("denied.example", number=2)
    both = b"".join(struct.pack("!H", len(m)) + m for m in (one, two))
    data = place.raw(RESPONDER, 53, both, finish=True, timeout=3).data
    t.expect(data[2:4] == b"\0\1" and b"\0\2" in data, data.hex())


@check(profile="narrow", control=False)
def malformed(t, place):
    """A DNS message cut off or changed at any byte leaves the responder serving"""
    whole = query("web.example", extra=b"\0\0\x29\x04\xd0\0\0\0\0\0\0")
    mark = t.world.mark()
    wrong = [whole[:end] for end in range(len(whole))]
    wrong += [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1:] for at in range(len(whole))]
    wrong += [b"\xff" * 600, whole + b"\0" * 65000, query("a" * 63 + "." + "b" * 63 + "." + "c" * 63 + ".example"),
              struct.pack("!HHHHHH", 1, 0x100, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1",
              struct.pack("!HHHHHH", 1, 0x100, 65535, 65535, 65535, 65535) + b"\0\0\1\0\1",
              query("web.example", flags=0x8180), query("web\0.example"), query("web.exa mple")]
    script = ("import base64, json, socket, sys\n"
              f"u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.connect(('{RESPONDER}', 53))\n"
              "for m in json.load(sys.stdin): u.send(base64.b64decode(m))\n"
              "import struct\n"
              f"for m in [b'', b'\\0', b'\\xff\\xff', b'\\0\\0', b'\\0\\x10short']:\n"
              f"  s = socket.create_connection(('{RESPONDER}', 53)); s.sendall(m); s.close()\n")
    import json
    place.write("/tmp/malformed.py", script.encode())
    done = place.run("/usr/bin/python3", "/tmp/malformed.py",
                     text=json.dumps([encode(m) for m in wrong if len(m) < 65000]).encode())
    t.expect(done.status == 0, done.err.decode())
    t.expect(code(ask(place, query("web.example"))) == 0, "the responder serves no more")
    t.expect(code(ask(place, query("web.example"), True)) == 0, "the responder serves no more over TCP")
    t.expect(not t.asked_names(mark), f"somebody outside was asked for {t.asked_names(mark)}")


@check(profile="narrow", control=False)
def stalled_tcp(t, place):
    """Many DNS connections that say nothing do not keep others from answers"""
    place.write("/tmp/stall.py", f"""
import socket, sys
held = []
for _ in range(300):
    try:
        s = socket.socket(); s.settimeout(1); s.connect(("{RESPONDER}", 53)); s.send(b"\\0"); held.append(s)
    except OSError: break
print("ready", flush=True); sys.stdin.read()
""".encode())
    held = place.order("spawn", argv=["/usr/bin/python3", "/tmp/stall.py"])
    try:
        t.expect(code(ask(place, query("web.example"))) == 0, "no answer over UDP")
    finally:
        place.order("end", pid=held.pid)
    t.expect(code(ask(place, query("web.example"), True)) == 0, "no answer over TCP after they were gone")


@check(profile="research", control=False)
def many_names(t, place):
    """Thirty thousand names do not make two names share an address, nor the responder stop"""
    place.write("/tmp/names.py", f"""
import socket, struct
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.connect(("{RESPONDER}", 53)); u.settimeout(2)
seen, doubles = {{}}, 0
for n in range(30000):
    name = b"n%d" % n
    u.send(struct.pack("!HHHHHH", n & 65535, 0x100, 1, 0, 0, 0) + bytes([len(name)]) + name + b"\\7example\\0\\0\\1\\0\\1")
    reply = u.recv(512)
    address = reply[-4:]
    # Once the table is full there is no answer in the reply.
    if reply[7] and seen.setdefault(address, name) != name: doubles += 1
print("doubles", doubles)
""".encode())
    mark = t.world.mark()
    done = place.run("/usr/bin/python3", "/tmp/names.py", timeout=60)
    t.expect(done.text.strip() == "doubles 0", done.text + done.err.decode()[-300:])
    t.expect(not t.asked_names(mark), "somebody outside was asked")
    ways.served(t, place)


@check(profile="research", control=False)
def other_resolvers(t, place):
    """Questions to any other resolver go nowhere"""
    mark, token = t.world.mark(), t.token()
    for address in ("8.8.8.8", "1.1.1.1", "93.184.10.1", "2001:4860:4860::8888", "127.0.0.1"):
        place.order("datagram", address=address, port=53, data=encode(query(f"{token}.example")), timeout=1)
        place.raw(address, 53, struct.pack("!H", 30) + query(f"{token}.example"), timeout=1)
    t.expect(not t.asked_names(mark), f"asked for {t.asked_names(mark)}")
    t.only_resolver_packets(mark)


def upstream(name, good):
    def function(t, place):
        result = ways.get(place, "direct 443", f"{name}.example", tls={"verify": False}, timeout=12)
        status = result.http_status
        t.expect(status == 200 if good else status in (502, 504, 403) or not result.data,
                 lambda: f"{result.stage} {result.error} {result.data[:200]!r}")
        ways.served(t, place)
    function.__doc__ = f"upstream answer '{name}' {'serves' if good else 'is a clean refusal, and the next is served'}"
    function.__module__ = __name__
    return function


def register():
    from ..check import CHECKS, Check
    for name in ("cname", "cname-chain", "truncated", "slow", "long-ttl"):
        CHECKS.append(Check(upstream(name, True), "research", False, ("root",), False))
    for name in ("nx", "servfail", "refused", "silent", "empty", "wrong-id", "wrong-question", "garbage", "cname-loop",
                 "compression-loop", "half", "cname-private", "hole"):
        CHECKS.append(Check(upstream(name, False), "research", False, ("root",), False))


register()


@check(profile="plain", control=False, fresh=True)
def rebinding(t, place):
    """A name that first resolves to a public and then to a private address never leads to the private one"""
    mark = t.world.mark()
    for _ in range(6):
        ways.get(place, "direct 80", "rebind.example")
        ways.get(place, "proxy", "rebind.example")
        t.world.settle(0.6)
    to = {event["to"] for event in t.world.events(mark, "packets.events")}
    t.expect("10.1.2.3" not in to, f"packets to {to}")
    t.expect("11.22.33.44" in to, "the public address was never dialled: this shows nothing")
