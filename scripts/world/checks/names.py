"""Names that no rule allows, on every way in: refused, and not asked for outside."""

from .. import ways
from ..check import CHECKS, Check, check
from ..ways import WAYS

DENIED = ("denied.example", "other.example", "xweb.example", "web.example.other.example", "web.exampl",
          "notsub.web.example.", "api.example")


def denied(way, host):
    def function(t, place):
        token, mark = t.token(), t.world.mark()
        address = {"address": "198.18.0.77"} if WAYS[way][0] == "direct" and place.confined else {}
        result = ways.send(place, way, host, ways.request(way, host, path=f"/x?{token}"), until="DQoNCg==", **address)
        if place.confined:
            t.nothing_arrived(mark)
            t.expect(not t.asked_names(mark), f"asked for {t.asked_names(mark)}")
            t.only_resolver_packets(mark)
            ways.refused(result)
            ways.served(t, place, way)
    function.__doc__ = f"the name {host} is refused, {way}"
    function.__module__ = __name__
    return function


def named_elsewhere(way, where):
    """A connection to an allowed name that then says another one, in Host, in SNI or in both."""
    def function(t, place):
        token, mark = t.token(), t.world.mark()
        other = "denied.example"
        data = ways.request(way, other if "Host" in where else "web.example", path=f"/x?{token}")
        if way == "proxy":
            data = (f"GET http://web.example/x?{token} HTTP/1.1\r\nHost: {other}\r\n\r\n").encode()
        tls = {"sni": other if "SNI" in where else "web.example", "verify": False}
        result = ways.send(place, way, "web.example", data, tls=tls, until="DQoNCg==")
        if place.confined:
            t.nothing_arrived(mark)
            t.expect("denied.example" not in t.asked_names(mark), "the denied name was asked for")
            ways.refused(result)
            ways.served(t, place, way)
        else:
            t.expect(token.encode() in t.arrived(mark), "did not even arrive unconfined")
    function.__doc__ = f"another name in {where} of a connection to an allowed one is refused, {way}"
    function.__module__ = __name__
    return function


for _way in WAYS:
    for _host in DENIED:
        CHECKS.append(Check(denied(_way, _host), "narrow", False, ("root",), False))
    for _where in ("Host",) if not WAYS[_way][2] else ("Host", "SNI", "SNI and Host"):
        CHECKS.append(Check(named_elsewhere(_way, _where), "narrow", True, ("root",), False))


CONNECTS = [
    ("to a denied name", "CONNECT denied.example:443 HTTP/1.1\r\nHost: denied.example:443\r\n\r\n"),
    ("to a port that no rule names", "CONNECT web.example:22 HTTP/1.1\r\nHost: web.example:22\r\n\r\n"),
    ("without a port", "CONNECT web.example HTTP/1.1\r\nHost: web.example\r\n\r\n"),
    ("with an empty port", "CONNECT web.example: HTTP/1.1\r\nHost: web.example:\r\n\r\n"),
    ("to port 0", "CONNECT web.example:0 HTTP/1.1\r\nHost: web.example:0\r\n\r\n"),
    ("to port 65979", "CONNECT web.example:65979 HTTP/1.1\r\nHost: web.example:65979\r\n\r\n"),
    ("to an address", "CONNECT 11.22.33.44:443 HTTP/1.1\r\nHost: 11.22.33.44:443\r\n\r\n"),
    ("to loopback", "CONNECT 127.0.0.1:8080 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"),
    ("to the proxy itself", "CONNECT 127.0.0.53:3128 HTTP/1.1\r\nHost: 127.0.0.53:3128\r\n\r\n"),
    ("to localhost", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n"),
    ("to metadata, in brackets", "CONNECT [::ffff:169.254.169.254]:80 HTTP/1.1\r\nHost: [::ffff:169.254.169.254]:80\r\n\r\n"),
    ("with userinfo", "CONNECT web.example@denied.example:443 HTTP/1.1\r\nHost: web.example:443\r\n\r\n"),
    ("with another Host", "CONNECT denied.example:443 HTTP/1.1\r\nHost: web.example:443\r\n\r\n"),
    ("allowed target, denied Host", "CONNECT web.example:443 HTTP/1.1\r\nHost: denied.example:443\r\n\r\n"),
    ("with a scheme", "CONNECT https://web.example:443 HTTP/1.1\r\nHost: web.example:443\r\n\r\n"),
    ("with a path", "CONNECT web.example:443/x HTTP/1.1\r\nHost: web.example:443\r\n\r\n"),
    ("with NUL", "CONNECT denied.example\0.web.example:443 HTTP/1.1\r\nHost: web.example:443\r\n\r\n"),
    ("with HTTP/0.9", "CONNECT web.example:443\r\n\r\n"),
    ("with a body", "CONNECT web.example:443 HTTP/1.1\r\nHost: web.example:443\r\nContent-Length: 5\r\n\r\nhello"),
    ("in small letters", "connect web.example:443 HTTP/1.1\r\nHost: web.example:443\r\n\r\n"),
]


def connect(title, head):
    def function(t, place):
        mark = t.world.mark()
        result = place.raw("web.example", 443, b"", via="connect", connect_head=head, timeout=3)
        t.expect(result.stage == "proxy", f"the proxy agreed: {result.stage} {result.error}")
        t.nothing_arrived(mark)
        t.only_resolver_packets(mark)
        t.expect("denied.example" not in t.asked_names(mark), "the denied name was asked for")
        ways.served(t, place, "connect 443")
    function.__doc__ = f"CONNECT {title} is refused"
    function.__module__ = __name__
    return function


for _title, _head in CONNECTS:
    CHECKS.append(Check(connect(_title, _head), "narrow", False, ("root",), False))


@check(profile="narrow", control=False)
def nested_connect(t, place):
    """CONNECT inside CONNECT, in plain text and inside TLS, opens nothing"""
    for way in ("connect 80", "connect 443"):
        mark, token = t.world.mark(), t.token()
        inner = (f"CONNECT denied.example:80 HTTP/1.1\r\nHost: denied.example:80\r\n\r\n"
                 f"GET /x?{token} HTTP/1.1\r\nHost: denied.example\r\n\r\n").encode()
        result = ways.send(place, way, "web.example", inner, timeout=2)
        t.nothing_arrived(mark)
        t.expect(b" 200 " not in result.data, f"{result.data[:200]!r}")
        ways.served(t, place, way)


@check(profile="narrow", control=False)
def paths(t, place):
    """A path that no rule allows is refused, however it is written"""
    for way in WAYS:
        ok = ways.get(place, way, "api.example", "/headers")
        t.expect(ok.http_status == 200, f"{way}: {ok.data[:200]!r}")
        for path in ("/", "/header", "/headers/", "/headers/x", "/Headers", "/echo", "/echo/a/b", "/echo/../upload",
                     "/headers/%2e%2e/upload", "/status/../upload", "/./upload", "/upload?x=/headers",
                     "/echo/a%2fb", "/echo/a;b"):
            mark = t.world.mark()
            result = ways.get(place, way, "api.example", path)
            t.nothing_arrived(mark)
            t.expect(result.http_status in (403, 400), f"{way} {path}: {result.data[:200]!r}")


@check(profile="narrow", control=False)
def one_form(t, place):
    """What arrives is the one form of the path that was judged"""
    for path, sent in (("/%73tatus/a", "/status/a"), ("/echo/../headers", "/headers"), ("/status/./a/%7e", "/status/a/~"),
                       ("/status/a%3f", "/status/a%3F")):
        mark = t.world.mark()
        ways.get(place, "direct 80", "api.example", path)
        arrived = t.arrived(mark)
        t.expect(f"GET {sent} HTTP/1.1".encode() in arrived, f"{path}: {arrived[:200]!r}")


@check(profile="narrow", control=False)
def stale_address(t, place):
    """An address that no name has now is refused, at once"""
    for address in ("198.18.200.7", "198.19.255.254", "198.18.0.0"):
        for port, tls in ((80, None), (443, {"verify": False})):
            mark = t.world.mark()
            result = place.raw("web.example", port, ways.request("direct 80", "web.example"), address=address, tls=tls,
                               timeout=5, until="DQoNCg==")
            t.nothing_arrived(mark)
            ways.refused(result)
            t.expect(result.seconds < 3, f"{result.seconds} s")
