"""HTTP/2 of clients inside: frames by hand."""

import struct

import hpack

from .. import ways
from ..check import CHECKS, Check, check

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, data=b""):
    return len(data).to_bytes(3, "big") + bytes([kind, flags]) + struct.pack("!I", stream) + data


def headers(fields, stream=1, end=True):
    block = hpack.Encoder().encode(fields, huffman=False)
    return frame(1, 4 | (1 if end else 0), stream, block)


def start():
    return PREFACE + frame(4, 0, 0)


def pseudo(method="GET", path="/", authority="web.example", scheme="https"):
    return [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path)]


def plain(fields, **options):
    return lambda token: start() + headers([*fields(token)], **options)


def more(*extra, **options):
    return plain(lambda token: [*pseudo(path=f"/x?{token}", **options), *[(n, v.format(t=token)) for n, v in extra]])


def fields_only(*fields):
    return plain(lambda token: [(name, value.replace("{t}", token)) for name, value in fields])


BAD = {
    "POST": plain(lambda t: pseudo("POST", f"/echo?{t}")),
    "POST with data": lambda t: start() + headers(pseudo("POST", f"/echo?{t}"), end=False) + frame(0, 1, 1, b"hello"),
    "DELETE": plain(lambda t: pseudo("DELETE", f"/x?{t}")),
    "TRACE": plain(lambda t: pseudo("TRACE", f"/x?{t}")),
    "GET with data": lambda t: start() + headers(pseudo(path=f"/x?{t}"), end=False) + frame(0, 1, 1, b"hello"),
    "override": more(("x-http-method-override", "POST")),
    "another authority": plain(lambda t: pseudo(path=f"/x?{t}", authority="denied.example")),
    "another authority with userinfo": plain(lambda t: pseudo(path=f"/x?{t}", authority="web.example@denied.example")),
    "another port": plain(lambda t: pseudo(path=f"/x?{t}", authority="web.example:22")),
    "no authority": fields_only((":method", "GET"), (":scheme", "https"), (":path", "/x?{t}")),
    "another Host than authority": more(("host", "denied.example")),
    "Host alone, another": fields_only((":method", "GET"), (":scheme", "https"), (":path", "/x?{t}"),
                                       ("host", "denied.example")),
    "two authorities": fields_only((":method", "GET"), (":scheme", "https"), (":authority", "web.example"),
                                   (":authority", "denied.example"), (":path", "/x?{t}")),
    "two methods": fields_only((":method", "GET"), (":method", "POST"), (":scheme", "https"),
                               (":authority", "web.example"), (":path", "/x?{t}")),
    "two paths": fields_only((":method", "GET"), (":scheme", "https"), (":authority", "web.example"), (":path", "/"),
                             (":path", "/x?{t}")),
    "no path": fields_only((":method", "GET"), (":scheme", "https"), (":authority", "web.example"), ("x", "{t}")),
    "no method": fields_only((":scheme", "https"), (":authority", "web.example"), (":path", "/x?{t}")),
    "an unknown pseudo-header": more((":x", "y")),
    "a pseudo-header after a field": fields_only((":method", "GET"), (":scheme", "https"), ("x", "y"),
                                                 (":authority", "web.example"), (":path", "/x?{t}")),
    "a field name in capitals": more(("X-Upper", "{t}")),
    "CR LF in a value": more(("x-a", "b\r\nx-smuggled: {t}")),
    "LF in a value": more(("x-a", "b\nx-smuggled: {t}")),
    "NUL in a value": more(("x-a", "b\0c")),
    "CR LF in a name": more(("x-a: b\r\nx-b", "{t}")),
    "a space in a name": more(("x a", "{t}")),
    "a colon in a name": more(("x:a", "{t}")),
    "an empty name": more(("", "{t}")),
    "CR LF in the path": plain(lambda t: pseudo(path=f"/ HTTP/1.1\r\nHost: denied.example\r\nX: {t}")),
    "a space in the path": plain(lambda t: pseudo(path=f"/a b?{t}")),
    "CR LF in the method": plain(lambda t: pseudo(method="GET / HTTP/1.1\r\nX: y\r\n\r\nGET", path=f"/x?{t}")),
    "a space in the method": plain(lambda t: pseudo(method="GET /", path=f"/x?{t}")),
    "CR LF in the authority": plain(lambda t: pseudo(authority="web.example\r\nx: y", path=f"/x?{t}")),
    "an absolute path": plain(lambda t: pseudo(path=f"http://denied.example/x?{t}")),
    "a path without a slash": plain(lambda t: pseudo(path=f"x?{t}")),
    "path *": fields_only((":method", "GET"), (":scheme", "https"), (":authority", "web.example"), (":path", "*"),
                          ("x", "{t}")),
    "an encoded slash in the path": plain(lambda t: pseudo(path=f"/a%2fb?{t}")),
    "a path above the root": plain(lambda t: pseudo(path=f"/../x?{t}")),
    "scheme http": plain(lambda t: pseudo(scheme="http", path=f"/x?{t}")),
    "transfer-encoding": more(("transfer-encoding", "chunked")),
    "connection": more(("connection", "x-hop"), ("x-hop", "{t}")),
    "upgrade": more(("upgrade", "h2c")),
    "TE other than trailers": more(("te", "gzip")),
    "a length and no data": more(("content-length", "5")),
    "two lengths": more(("content-length", "0"), ("content-length", "5")),
    "CONNECT": fields_only((":method", "CONNECT"), (":authority", "denied.example:443"), ("x", "{t}")),
    "extended CONNECT": plain(lambda t: [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"),
                                         (":authority", "web.example"), (":path", f"/ws?{t}")]),
    "an even stream": lambda t: start() + headers(pseudo(path=f"/x?{t}"), stream=2),
    "stream 0": lambda t: start() + headers(pseudo(path=f"/x?{t}"), stream=0),
    "no preface": lambda t: headers(pseudo(path=f"/x?{t}")),
    "HTTP/1.1 instead": lambda t: f"GET /x?{t} HTTP/1.1\r\nHost: web.example\r\n\r\n".encode(),
    "a pushed promise": lambda t: start() + frame(5, 4, 1, b"\0\0\0\2" + t.encode()),
    "endless continuation": lambda t: start() + frame(1, 1, 1, b"") + b"".join(
        frame(9, 0, 1, b"\0\1x\1" + b"y") for _ in range(20000)),
    "a header list of 1 MiB": lambda t: start() + headers(pseudo(path=f"/x?{t}"))[:0] + frame(
        1, 0, 1, hpack.Encoder().encode(pseudo(path=f"/x?{t}"), huffman=False)) + b"".join(
        frame(9, 4 if n == 63 else 0, 1, hpack.Encoder().encode([(f"x{n}", "y" * 16000)], huffman=False))
        for n in range(64)),
    "an oversized frame": lambda t: start() + b"\xff\xff\xff\0\0\0\0\0\1" + b"x" * 100000,
    "a broken header block": lambda t: start() + frame(1, 5, 1, b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
}


def bad(title, make, way):
    def function(t, place):
        token, mark = t.token(), t.world.mark()
        result = ways.send(place, way, "web.example", make(token), tls={"alpn": ["h2"]}, timeout=0.7)
        t.expect(result.stage == "done" and result.alpn == "h2", f"{result.stage} {result.error} {result.alpn}")
        arrived = t.arrived(mark)
        if place.confined:
            t.expect(token.encode() not in arrived, "the token arrived")
            t.nothing_arrived(mark)
            t.expect("denied.example" not in t.asked_names(mark), "the denied name was asked for")
            t.expect(b"\x88" not in first_block(result.data), "answered with 200")
            ways.served(t, place)
        else:
            t.expect(arrived, "did not even arrive unconfined")
    function.__doc__ = f"HTTP/2 with {title} is refused, {way}"
    function.__module__ = __name__
    return function


def first_block(data):
    """The header block of the first answer."""
    while len(data) >= 9:
        size = int.from_bytes(data[:3], "big")
        if data[3] == 1:
            return data[9:9 + 1]
        data = data[9 + size:]
    return b""


for _title, _make in BAD.items():
    for _way in ("direct 443", "connect 443"):
        CHECKS.append(Check(bad(_title, _make, _way), "research", True, ("root",), False))


@check(control=False)
def cookie_crumbs(t, place):
    """Cookies in several fields arrive in one, joined as HTTP/1.1 wants it"""
    mark = t.world.mark()
    data = start() + headers([*pseudo(authority="h1.example", path="/cookies"), ("cookie", "a=1"), ("cookie", "b=2")])
    ways.send(place, "direct 443", "h1.example", data, tls={"alpn": ["h2"]}, timeout=1)
    arrived = t.arrived(mark).lower()
    t.expect(arrived.count(b"cookie:") == 1 and b"a=1; b=2" in arrived, repr(arrived[:300]))


@check(control=False)
def rapid_reset(t, place):
    """Thousands of requests that are reset at once end their connection, and the next client is served"""
    data = start() + b"".join(headers(pseudo(), stream=2 * n + 1) + frame(3, 0, 2 * n + 1, b"\0\0\0\x08")
                              for n in range(5000))
    ways.send(place, "direct 443", "web.example", data, tls={"alpn": ["h2"]}, timeout=3)
    ways.served(t, place)


@check(control=False)
def floods(t, place):
    """Floods of pings, settings, empty data and priorities end, and the next client is served"""
    for one in (frame(6, 0, 0, b"12345678"), frame(4, 0, 0, b"\0\3\0\0\0\x64"), frame(0, 0, 1), frame(2, 0, 1, b"\0" * 5),
                frame(8, 0, 0, b"\0\0\0\1")):
        data = start() + headers(pseudo(path="/hang"), end=False) + one * 20000
        ways.send(place, "direct 443", "web.example", data, tls={"alpn": ["h2"]}, timeout=2)
        ways.served(t, place)


@check()
def many_streams(t, place):
    """A hundred requests on one connection are all answered"""
    done = place.run("sh", "-c", "for n in $(seq 100); do echo \"url = https://web.example/headers?n=$n\"; done > /tmp/urls;"
                     " curl -sS --http2 --noproxy '*' --parallel --parallel-max 100 -K /tmp/urls | grep -o '\"/headers?n=[0-9]*\"' | sort -u | wc -l")
    t.expect(done.text.strip() == "100", done.text + done.err.decode())
