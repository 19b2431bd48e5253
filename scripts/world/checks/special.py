"""Special addresses: refused whatever name leads to them, and in every spelling."""

from .. import names, ways
from ..check import CHECKS, Check, check
from ..ways import WAYS

HOST_TRAPS = ("host-trap",)


def special(key, addresses):
    def function(t, place):
        host = f"special-{key}.example"
        for way in ("direct 80", "direct 443", "proxy", "connect 443") if place.confined else ("proxy",):
            mark = t.world.mark()
            result = ways.get(place, way, host, tls={"verify": False})
            t.world.settle()
            to = {event["to"] for event in t.world.events(mark, "packets.events")} & set(names.SPECIAL[key])
            reached = t.world.grown(mark) or t.world.grown(mark, "events") != (["dns"] if t.asked_names(mark) else [])
            if place.confined:
                t.expect(not to, f"{way}: packets went to {to}")
                t.expect(not t.world.grown(mark), f"{way}: bytes reached {t.world.grown(mark)}")
                t.expect(not t.world.events(mark, "host-trap.events"), f"{way}: the host itself was reached")
                ways.refused(result)
                ways.served(t, place, way)
            else:
                t.expect(to or reached, "unconfined nothing was dialled")
    function.__doc__ = f"{key} ({', '.join(addresses)}) is refused after resolution"
    function.__module__ = __name__
    return function


for _key, _addresses in names.SPECIAL.items():
    # The naive proxy of the control knows IPv4 only, and a kernel sends nothing to some of these.
    _control = ":" not in _addresses[0] and _key not in ("multicast", "broadcast", "zero-eight")
    CHECKS.append(Check(special(_key, _addresses), "research", _control, ("root",), False))

LITERALS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0x7f.0.0.1", "017700000001", "0177.0.0.1",
    "0", "0.0.0.0", "00", "0x0", "10.1.2.3", "10.1.515", "167838211", "012.1.2.3", "169.254.169.254", "2852039166",
    "0xa9fea9fe", "0251.0376.0251.0376", "0xa9.254.0251.254", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::1]",
    "[fd00:ec2::254]", "[fe80::1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[::127.0.0.1]", "11.22.33.44", "185999660",
    "[2a00:1234::44]", "127.0.0.1.", "127.0.0.01", "1.2.3.4.5", "256.256.256.256", "0x", "1e100", "localhost",
    "localhost.", "LOCALHOST", "ip6-localhost", "host.docker.internal", "metadata.google.internal",
    "\u2460\u2461\u2466.0.0.1", "127\u30020\u30020\u30021",
]


def literal(text):
    def function(t, place):
        data = text.encode().decode("latin-1")
        for way in ("direct 80", "proxy", "connect 80", "connect 443"):
            mark = t.world.mark()
            if way.startswith("connect"):
                port = WAYS[way][1]
                head = f"CONNECT {data}:{port} HTTP/1.1\r\nHost: {data}:{port}\r\n\r\n"
                result = place.raw("x", port, b"", via="connect", connect_head=head, timeout=3)
                t.expect(result.stage == "proxy", f"{way}: agreed: {result.stage}")
            else:
                target = f"http://{data}/" if way == "proxy" else "/"
                head = f"GET {target} HTTP/1.1\r\nHost: {data}\r\n\r\n".encode("latin-1")
                result = place.raw("web.example", 80, head, via=WAYS[way][0], timeout=4, until="DQoNCg==")
                ways.refused(result)
            t.nothing_arrived(mark)
            t.expect(not t.world.events(mark, "host-trap.events"), f"{way}: the host itself was reached")
            t.only_resolver_packets(mark, ("11.22.33.44", "2a00:1234::44") if way == "direct 80" else ())
            t.expect(text not in t.asked_names(mark), "it was looked up")
    function.__doc__ = f"the literal {text} is refused as a host"
    function.__module__ = __name__
    return function


for _text in LITERALS:
    CHECKS.append(Check(literal(_text), "research", False, ("root",), False))


def dialled(address):
    def function(t, place):
        for port in (80, 443):
            mark = t.world.mark()
            result = place.raw(address, port, ways.request("direct 80", "web.example"), timeout=4, until="DQoNCg==",
                               tls={"sni": "web.example", "verify": False} if port == 443 else None)
            if place.confined:
                t.nothing_arrived(mark)
                t.only_resolver_packets(mark)
                t.expect(not t.world.events(mark, "host-trap.events"), "the host itself was reached")
                ways.refused(result)
                t.expect(result.seconds < 3, f"refused only after {result.seconds:.1f} s")
    function.__doc__ = f"a connection straight to {address} is refused, whatever Host and SNI say"
    function.__module__ = __name__
    return function


for _address in ("10.1.2.3", "169.254.169.254", "11.22.33.44", "93.184.10.2", "93.184.10.1", "192.168.1.1", "0.0.0.0",
                 "240.0.0.1", "2a00:1234::44", "fd00:ec2::254", "64:ff9b::a01:203", "::ffff:10.1.2.3", "fd12::1",
                 "2a01:4f8:77::2", "127.0.0.2", "::1"):
    CHECKS.append(Check(dialled(_address), "research", False, ("root",), False))


@check(profile="private", control=False)
def private_allowed(t, place):
    """A private range that the profile names is reached, by name and as address, and no other is"""
    for way, host in (("direct 80", "special-private-10.example"), ("proxy", "special-private-10.example"),
                      ("proxy", "10.1.2.3"), ("direct 80", "10.1.2.3")):
        result = ways.get(place, way, host)
        t.expect(b"trap" in result.data, f"{way} {host}: {result.stage} {result.error} {result.data[:200]!r}")
    mark = t.world.mark()
    for host in ("10.1.3.3", "10.1.2.4", "special-private-192.example"):
        ways.refused(ways.get(place, "proxy", host))
    t.nothing_arrived(mark)


@check(profile="literal", control=False)
def literal_allowed(t, place):
    """A public address that a rule names is reached in its one spelling"""
    for way in ("direct 80", "proxy"):
        result = ways.get(place, way, "11.22.33.44")
        t.expect(b"hello from web" in result.data, f"{way}: {result.data[:200]!r}")
    mark = t.world.mark()
    for host in ("185999660", "0xb.22.33.44", "[::ffff:11.22.33.44]", "11.22.33.044"):
        ways.refused(ways.get(place, "proxy", host))
    t.nothing_arrived(mark)
