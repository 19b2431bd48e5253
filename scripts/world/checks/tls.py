"""ClientHellos: what cannot be read in one way, or names something else, is refused."""

import ssl
import struct

from .. import ways
from ..check import CHECKS, Check, check


def client_hello(name, alpn=None):
    """The bytes of a record, from a real client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def parts(record):
    """(everything before the extensions, [(type, data)])"""
    body = record[9:]
    at = 34
    at += 1 + body[at]
    at += 2 + struct.unpack("!H", body[at:at + 2])[0]
    at += 1 + body[at]
    head, at, extensions = body[:at], at + 2, []
    while at < len(body):
        kind, size = struct.unpack("!HH", body[at:at + 4])
        extensions.append((kind, body[at + 4:at + 4 + size]))
        at += 4 + size
    return head, extensions


def assemble(head, extensions):
    packed = b"".join(struct.pack("!HH", kind, len(data)) + data for kind, data in extensions)
    body = head + struct.pack("!H", len(packed)) + packed
    message = b"\1" + len(body).to_bytes(3, "big") + body
    return b"\x16\3\1" + struct.pack("!H", len(message)) + message


def names(*entries):
    """A server_name extension (RFC 6066, 3) with these (type, bytes)."""
    packed = b"".join(bytes([kind]) + struct.pack("!H", len(name)) + name for kind, name in entries)
    return struct.pack("!H", len(packed)) + packed


def changed(change):
    def make():
        head, extensions = parts(client_hello("web.example"))
        return assemble(head, change(extensions))
    return make


def replace_name(data):
    return changed(lambda e: [(kind, data if kind == 0 else old) for kind, old in e])


def split_records(record, size):
    message = record[5:]
    return b"".join(b"\x16\3\1" + struct.pack("!H", len(message[at:at + size])) + message[at:at + size]
                    for at in range(0, len(message), size))


BAD = {
    "two server names": replace_name(names((0, b"web.example"), (0, b"denied.example"))),
    "the same server name twice": replace_name(names((0, b"web.example"), (0, b"web.example"))),
    "two server_name extensions": changed(lambda e: e + [(0, names((0, b"denied.example")))]),
    "an empty server name": replace_name(names((0, b""))),
    "an empty server_name list": replace_name(b"\0\0"),
    "a server name of another type": replace_name(names((1, b"web.example"))),
    "a server name with NUL": replace_name(names((0, b"web.example\0.denied.example"))),
    "an address as server name": replace_name(names((0, b"11.22.33.44"))),
    "a server name in Unicode": replace_name(names((0, "wéb.example".encode()))),
    "a server name with a star": replace_name(names((0, b"*.example"))),
    "a server name with a space": replace_name(names((0, b"web.example "))),
    "a server name with a port": replace_name(names((0, b"web.example:443"))),
    "a list longer than its extension": replace_name(b"\0\xff\0\0\x0bweb.example"),
    "bytes after the list": replace_name(names((0, b"web.example")) + b"x"),
    "two ALPN extensions": changed(lambda e: e + [(16, b"\0\3\2h2"), (16, b"\0\x09\x08http/1.1")]),
    "a broken ALPN list": changed(lambda e: e + [(16, b"\0\x09\x0fh")]),
    "a record of length 0": lambda: b"\x16\3\1\0\0" * 64,
    "a record longer than 2^14": lambda: b"\x16\3\1\xff\xff" + b"\1" * 65535,
    "a handshake message of 16 MiB": lambda: b"\x16\3\1\0\4\1\xff\xff\xff" + b"\x16\3\1\x40\0" + b"x" * 16384,
    "another handshake message": lambda: b"\x16\3\1\0\4\2\0\0\0",
    "an alert": lambda: b"\x15\3\3\0\2\2\x28",
    "application data": lambda: b"\x17\3\3\0\5hello",
    "SSL 2": lambda: b"\x80\x2e\1\0\2\0\x15\0\0\0\x10" + b"x" * 37,
}


# Where TLS is ended here the name that can be read is the one that counts, and browsers offer this to everybody.
ENCRYPTED = changed(lambda e: e + [(0xFE0D, b"\0\0\1\0\1\0\0\x20" + b"k" * 32 + b"\0\x10" + b"p" * 16)])


def bad(title, make, via, where=""):
    def function(t, place):
        mark = t.world.mark()
        result = place.raw("web.example", 443, make(), via=via, timeout=6)
        t.world.settle()
        t.nothing_arrived(mark)
        t.expect(not t.world.grown(mark, "wire"), f"bytes reached {t.world.grown(mark, 'wire')}")
        t.expect(not result.data.startswith(b"\x16"), "a ServerHello came back")
        t.expect("denied.example" not in t.asked_names(mark), "the denied name was asked for")
        t.expect(result.seconds < 5.5, "the connection stayed open")
        if not where:
            ways.served(t, place)
    function.__doc__ = f"ClientHello with {title} is refused, {via}{', where ' if where else ''}{where}"
    function.__module__ = __name__
    return function


for _title, _make in BAD.items():
    for _via in ("direct", "connect"):
        CHECKS.append(Check(bad(_title, _make, _via), "research", False, ("root",), False))
        CHECKS.append(Check(bad(_title, _make, _via, "web.example passes through"), "pass", False, ("root",), False))


for _via in ("direct", "connect"):
    CHECKS.append(Check(bad("encrypted ClientHello", ENCRYPTED, _via, "web.example passes through"), "pass", False,
                        ("root",), False))


@check(control=False)
def truncated(t, place):
    """A ClientHello cut off at any byte, closed or reset, is dropped, and the next client is served"""
    from ..place import encode
    hello = client_hello("web.example")
    mark = t.world.mark()
    for via in ("direct", "connect"):
        orders = [{"host": "web.example", "port": 443, "via": via, "timeout": 4, "send": [[encode(hello[:end]), 0]],
                   "finish": end % 2 == 0, "abort": end % 2 == 1} for end in range(0, len(hello), 3)]
        place.order("many", orders=orders)
    t.world.settle()
    t.expect(not t.world.grown(mark, "wire"), "bytes reached an origin")
    ways.served(t, place)


@check(control=False)
def mutated(t, place):
    """A ClientHello with any byte changed ends cleanly, and the next client is served"""
    from ..place import encode
    hello = client_hello("web.example")
    mark = t.world.mark()
    orders = [{"host": "web.example", "port": 443, "via": "direct", "timeout": 3, "abort": False, "finish": True,
               "send": [[encode(hello[:at] + bytes([hello[at] ^ 0x55]) + hello[at + 1:]), 0]]}
              for at in range(0, len(hello), 2)]
    place.order("many", orders=orders)
    t.nothing_arrived(mark)
    ways.served(t, place)


@check(control=False)
def in_pieces(t, place):
    """A ClientHello in many records and many segments is understood"""
    for size in (16, 64):
        for via in ("direct", "connect"):
            hello = split_records(client_hello("web.example"), size)
            pieces = [(hello[at:at + 40], 1) for at in range(0, len(hello), 40)]
            result = place.raw("web.example", 443, pieces, via=via, timeout=3, most=10)
            t.expect(result.data.startswith(b"\x16\3\3"), f"{size} {via}: {result.stage} {result.error} {result.data[:20]!r}")


@check(control=False)
def no_name(t, place):
    """A client that sends no server name is served, as the name that it resolved or asked the proxy for"""
    for way in ("direct 443", "connect 443"):
        result = ways.get(place, way, tls={"sni": False, "verify": False})
        t.expect(b"hello from web" in result.data, f"{way}: {result.stage} {result.error} {result.data[:200]!r}")


@check(profile="pass", control=False)
def pass_no_name(t, place):
    """Where TLS passes through, no server name and another one are refused"""
    for via in ("direct 443", "connect 443"):
        for name in (False, "denied.example", "other.example", "mtls.example"):
            mark = t.world.mark()
            result = ways.get(place, via, "pass.example", tls={"sni": name, "verify": False})
            t.expect(result.stage != "done", f"{via} {name}: {result.data[:100]!r}")
            t.world.settle()
            t.expect(not t.world.grown(mark, "wire"), "bytes reached an origin")


@check()
def old_version(t, place):
    """TLS 1.2 is served; TLS 1.1 is not"""
    for way in ("direct 443", "connect 443"):
        result = ways.get(place, way, tls={"maximum": "TLSv1_2"})
        t.expect(result.http_status == 200, f"{way}: {result.stage} {result.error}")
    if place.confined:
        result = ways.get(place, "direct 443", tls={"maximum": "TLSv1_1", "verify": False})
        t.expect(result.stage == "tls", f"TLS 1.1: {result.stage}")


@check(control=False)
def silent_client(t, place):
    """A client that says nothing, or half a ClientHello, is dropped in time"""
    hello = client_hello("web.example")
    for data in (b"", hello[:40]):
        result = place.raw("web.example", 443, data, timeout=60, wait=70)
        t.expect(result.seconds < 35 and result.error is None, f"{result.seconds} s, {result.error}")
    ways.served(t, place)
