"""Requests that no rule allows, or that can be read in two ways, by every way in: no byte of them reaches an origin."""

from .. import ways
from ..check import CHECKS, Check
from ..ways import PLAIN, SECURE, STRAIGHT, WAYS, request, target

HOST = "web.example"


def method(name, body=b""):
    def make(way, token):
        size = [f"Content-Length: {len(body)}"] if body or name in ("POST", "PUT", "PATCH") else []
        return request(way, HOST, name, f"/echo?{token}", size, body)
    return make


def field(*lines, path="/", body=b""):
    """A GET with these header lines."""
    return lambda way, token: request(way, HOST, "GET", f"{path}?{token}", [l.format(t=token) for l in lines], body)


def line(text):
    """Another request line; {T} stands for the target."""
    def make(way, token):
        return (text.replace("{T}", target(way, HOST, f"/x?{token}")).replace("{t}", token)
                + f"\r\nHost: {HOST}\r\n\r\n").encode("latin-1")
    return make


def path(text):
    """A target that has more than one reading, or none."""
    return lambda way, token: request(way, HOST, "GET", text.replace("{t}", token))


def whole(text):
    """Everything as it is; {T} the target, {t} the token."""
    def make(way, token):
        return (text.replace("{T}", target(way, HOST, f"/x?{token}")).replace("{t}", token)).encode("latin-1")
    return make


def hosts(text):
    """Other Host lines."""
    return lambda way, token: (f"GET {target(way, HOST, f'/x?{token}')} HTTP/1.1\r\n{text}\r\n").encode("latin-1")


def h2c_prior(way, token):
    import hpack
    block = hpack.Encoder().encode([(":method", "GET"), (":path", f"/{token}"), (":scheme", "http"),
                                    (":authority", HOST), ("x-token", token)], huffman=False)
    return (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0" + len(block).to_bytes(3, "big")
            + b"\1\5\0\0\0\1" + block)


SMUGGLED = "GET /smuggled?{t} HTTP/1.1\r\nHost: web.example\r\n\r\n"
CHUNKED_POST = "POST {T} HTTP/1.1\r\nHost: web.example\r\n"

# (title, bytes, ways or None for all)
TABLE = [
    *[(f"method {name}", method(name), None) for name in
      ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "Get", "GETT", "BREW")],
    ("POST with a body", method("POST", b"hello"), None),
    ("CONNECT inside", line("CONNECT other.example:443?{t} HTTP/1.1"), STRAIGHT),
    ("override by X-HTTP-Method-Override", field("X-HTTP-Method-Override: POST"), None),
    ("override by X-HTTP-Method", field("X-HTTP-Method: DELETE"), None),
    ("override by X-Method-Override", field("X-Method-Override: PUT"), None),
    ("override in odd letters", field("x-http-METHOD-override: post"), None),
    ("override twice, the first harmless", field("X-HTTP-Method-Override: GET", "X-HTTP-Method-Override: POST"), None),
    ("GET with a body", field("Content-Length: 5", body=b"hello"), None),
    ("GET with a chunked body", field("Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"), None),
    ("length and chunked", field("Content-Length: 5", "Transfer-Encoding: chunked",
                                 body=b"0\r\n\r\nGET /s HTTP/1.1\r\nHost: web.example\r\n\r\n"), None),
    ("two lengths", field("Content-Length: 0", "Content-Length: 44"), None),
    ("two equal lengths in one field", field("Content-Length: 0, 0"), None),
    ("length with a sign", field("Content-Length: +0"), None),
    ("negative length", field("Content-Length: -1"), None),
    ("length in hex", field("Content-Length: 0x0"), None),
    ("length beyond 64 bits", field("Content-Length: 18446744073709551616"), None),
    ("chunked twice", field("Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"), None),
    ("chunked not last", field("Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"), None),
    ("transfer coding xchunked", field("Transfer-Encoding: xchunked", body=b"0\r\n\r\n"), None),
    ("transfer coding identity", field("Transfer-Encoding: identity"), None),
    ("transfer coding gzip", field("Transfer-Encoding: gzip"), None),
    ("transfer coding with a vertical tab", field("Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"), None),
    ("folded field", field("X-A: b\r\n c"), None),
    ("folded transfer coding", field("Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n"), None),
    ("space before the colon", field("X-A : b"), None),
    ("space before the first field", lambda way, token:
     f"GET {target(way, HOST, f'/x?{token}')} HTTP/1.1\r\n X: y\r\nHost: {HOST}\r\n\r\n".encode(), None),
    ("field without a colon", field("X-A"), None),
    ("field without a name", field(": b"), None),
    ("field name with a bracket", field("X(A): b"), None),
    ("NUL in a value", field("X-A: b\0c"), None),
    ("bare CR in a value", field("X-A: b\rX-B: c"), None),
    ("bare LF as line end", whole("GET {T} HTTP/1.1\nHost: web.example\n\n"), None),
    ("bare LF between fields", whole("GET {T} HTTP/1.1\r\nHost: web.example\nX-A: b\r\n\r\n"), None),
    ("no Host", hosts(""), None),
    ("two Hosts", hosts(f"Host: {HOST}\r\nHost: other.example\r\n"), None),
    ("two equal Hosts", hosts(f"Host: {HOST}\r\nHost: {HOST}\r\n"), None),
    ("another Host", hosts("Host: other.example\r\n"), None),
    ("Host of the twin on the same address", hosts("Host: twin.example\r\n"), None),
    ("Host with userinfo", hosts(f"Host: {HOST}@other.example\r\n"), None),
    ("Host with userinfo before", hosts(f"Host: user@{HOST}\r\n"), None),
    ("Host with another port", hosts(f"Host: {HOST}:22\r\n"), None),
    ("Host with a port that is no number", hosts(f"Host: {HOST}:http\r\n"), None),
    ("Host with a path", hosts(f"Host: {HOST}/x\r\n"), None),
    ("Host with NUL", hosts(f"Host: {HOST}\0.other.example\r\n"), None),
    ("Host with two trailing dots", hosts(f"Host: {HOST}..\r\n"), None),
    ("Host as list", hosts(f"Host: {HOST}, other.example\r\n"), None),
    ("empty Host", hosts("Host:\r\n"), None),
    ("Host is an address", hosts("Host: 11.22.33.44\r\n"), None),
    ("Host is a decimal address", hosts("Host: 185999660\r\n"), None),
    ("absolute target of another host", line("GET http://other.example/x?{t} HTTP/1.1"), STRAIGHT),
    ("absolute target of another scheme", line("GET ftp://web.example/x?{t} HTTP/1.1"), None),
    ("absolute https target in plain text", line("GET https://web.example/x?{t} HTTP/1.1"), PLAIN),
    ("absolute target with userinfo", line("GET http://a:b@web.example/x?{t} HTTP/1.1"), None),
    ("absolute target, userinfo that looks like a host",
     line("GET http://web.example@denied.example/x?{t} HTTP/1.1"), None),
    ("absolute target with a backslash", line("GET http://web.example\\@other.example/x?{t} HTTP/1.1"), None),
    ("target without a slash", line("GET x?{t} HTTP/1.1"), STRAIGHT),
    ("target *", line("GET * HTTP/1.1"), STRAIGHT),
    ("target authority", line("GET web.example:80?{t} HTTP/1.1"), STRAIGHT),
    *[(f"path {text}", path(text), None) for text in
      ("/a%2fb?{t}", "/a%2Fb?{t}", "/a%5cb?{t}", "/a\\b?{t}", "/a;b?{t}", "/../a?{t}", "/%2e%2e/a?{t}",
       "/a/../../b?{t}", "/a%zz?{t}", "/a%?{t}", "/a%0ab?{t}", "/a%00b?{t}", "/a\x01b?{t}", "/a\x7fb?{t}",
       "/a\xe4b?{t}", "/a?{t}#b", "/a#b?{t}")],
    ("space in the target", line("GET {T} x HTTP/1.1"), None),
    ("tab in the request line", line("GET\t{T}\tHTTP/1.1"), None),
    ("HTTP/0.9", whole("GET {T}\r\n"), None),
    ("HTTP/0.9 with version", line("GET {T} HTTP/0.9"), None),
    ("HTTP/2.0 as text", line("GET {T} HTTP/2.0"), None),
    ("HTTP/1.2", line("GET {T} HTTP/1.2"), None),
    ("HTTP/11", line("GET {T} HTTP/11"), None),
    ("http/1.1 in small letters", line("GET {T} http/1.1"), None),
    ("RTSP", line("PLAY {T} RTSP/1.0"), None),
    ("chunked on HTTP/1.0", whole("GET {T} HTTP/1.0\r\nHost: web.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
     None),
    ("HTTP/2 with prior knowledge", h2c_prior, ("direct 80", "connect 80")),
    ("HTTP/2 where HTTP/1.1 was agreed", h2c_prior, SECURE),
    ("WebSocket", field("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", path="/ws"), None),
    ("bad chunk size in a POST", whole(CHUNKED_POST + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + SMUGGLED), None),
    ("a denied request, then an allowed one", lambda way, token: request(
        way, HOST, "DELETE", f"/x?{token}") + request(way, HOST, "GET", f"/y?{token}"), None),
    ("a denied POST whose body is a request", lambda way, token: request(
        way, HOST, "POST", "/x", [f"Content-Length: {len(SMUGGLED.format(t=token))}"],
        SMUGGLED.format(t=token).encode()), None),
    ("a head without end", whole("GET {T} HTTP/1.1\r\nHost: web.example\r\n"), None),
    ("SSH", whole("SSH-2.0-{t}\r\n"), None),
    ("binary", lambda way, token: bytes(range(256)) + token.encode(), STRAIGHT),
]

# What a naive proxy cannot pass on, or what the ends of the control do not understand.
NO_CONTROL = {("target *", None), ("SSH", "proxy"), ("absolute https target in plain text", "proxy"),
              ("HTTP/0.9", "proxy"), ("absolute target with a backslash", "proxy"),
              ("a denied POST whose body is a request", None)}


def attack(title, make, way):
    def function(t, place):
        token, mark = t.token(), t.world.mark()
        data = make(way, token)
        result = ways.send(place, way, HOST, data, until=ways_end(), timeout=1.5 if "without end" in title else 4)
        if not place.confined:
            # Also those that carry no token have grown a log.
            t.world.settle()
            t.expect(t.world.grown(mark), f"did not even arrive unconfined: {result.stage} {result.error}")
            return
        t.nothing_arrived(mark)
        ways.refused(result)
        ways.served(t, place, way)
    function.__doc__ = f"refused: {title}, {way}"
    function.__module__ = __name__
    return function


def ways_end():
    import base64
    return base64.b64encode(b"\r\n\r\n").decode()


for _title, _make, _ways in TABLE:
    for _way in _ways or WAYS:
        _control = not {(_title, None), (_title, _way)} & NO_CONTROL
        CHECKS.append(Check(attack(_title, _make, _way), "research", _control, ("root",), False))


# Where a part may arrive.

def pipelined(way):
    def function(t, place):
        token, mark = t.token(), t.world.mark()
        data = request(way, HOST, "GET", "/") + request(way, HOST, "POST", f"/x?{token}", ["Content-Length: 0"])
        result = ways.send(place, way, HOST, data, timeout=2)
        arrived = t.arrived(mark)
        if place.confined:
            t.expect(token.encode() not in arrived, "the second request arrived")
            t.expect(b"hello from web" in result.data, "the first request was not answered")
        else:
            t.expect(token.encode() in arrived, "did not even arrive unconfined")
    function.__doc__ = f"an allowed request is served, and the denied one behind it is not: {way}"
    function.__module__ = __name__
    return function


def h2c_upgrade(way):
    def function(t, place):
        mark = t.world.mark()
        result = ways.send(place, way, HOST, request(way, HOST, "GET", "/", [
            "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"]),
            until=ways_end())
        arrived = t.arrived(mark).lower()
        if place.confined:
            t.expect(b"h2c" not in arrived and b"http2-settings" not in arrived, "the upgrade arrived")
            t.expect(result.http_status != 101, "switched")
            ways.served(t, place, way)
        else:
            t.expect(b"h2c" in arrived, "did not even arrive unconfined")
    function.__doc__ = f"an upgrade to h2c goes nowhere: {way}"
    function.__module__ = __name__
    return function


def hop_by_hop(way):
    def function(t, place):
        mark = t.world.mark()
        ways.send(place, way, HOST, request(way, HOST, "GET", "/", [
            "Connection: close, X-Hop", "X-Hop: hop", "Keep-Alive: 5", "Proxy-Authorization: Basic c2VjcmV0",
            "Proxy-Connection: keep-alive", "TE: trailers", "X-Kept: kept"]), until=ways_end())
        arrived = t.arrived(mark).lower()
        t.expect(b"x-kept: kept" in arrived or b"kept" in arrived, "the request did not arrive")
        if place.confined:
            for word in (b"x-hop", b"c2vjcmv0", b"proxy-connection", b"keep-alive: 5", b"via:", b"x-forwarded", b"forwarded:"):
                t.expect(word not in arrived, f"{word.decode()} arrived")
    function.__doc__ = f"hop-by-hop fields stay behind, and nothing tells about the host: {way}"
    function.__module__ = __name__
    return function


def truncated(way):
    """A request cut off at each byte, closed or half-closed there."""
    def function(t, place):
        data = request(way, HOST, "GET", "/", ["X-A: b"])
        mark = t.world.mark()
        orders = []
        via, port, secure = WAYS[way]
        from ..place import encode
        for end in range(0, len(data) - 1, 1 if not secure else 4):
            orders.append({"host": HOST, "port": port, "via": via, "send": [[encode(data[:end]), 0]], "timeout": 3,
                           "tls": {"alpn": ["http/1.1"]} if secure else None,
                           "finish": end % 2 == 0, "abort": end % 2 == 1})
        place.order("many", orders=orders)
        if place.confined:
            t.nothing_arrived(mark)
        ways.served(t, place, way)
    function.__doc__ = f"a request that ends at any byte is dropped, and the next is served: {way}"
    function.__module__ = __name__
    return function


for _way in WAYS:
    for _maker in (pipelined, h2c_upgrade, hop_by_hop, truncated):
        CHECKS.append(Check(_maker(_way), "research", True, ("root",), False))
