"""Ports that no rule names, and protocols that are none of ours: refused at once, and no packet leaves."""

from .. import ways
from ..check import check
from ..place import encode


@check()
def no_listener(t, place):
    """A connection to a port without a rule is refused within a second"""
    for address in ("web.example", "11.22.33.44", "10.1.2.3", "2a00:1234::44", "45.55.65.85"):
        for port in (22, 25, 8443, 2525, 6379, 65535, 1):
            if address == "web.example" and not place.confined:
                continue
            mark = t.world.mark()
            result = place.raw(address, port, b"x", timeout=5)
            if place.confined:
                t.expect(result.stage == "connect" and "refused" in result.error.lower(),
                         f"{address}:{port}: {result.stage} {result.error}")
                t.expect(result.seconds < 1, f"{address}:{port}: {result.seconds:.2f} s")
                t.only_resolver_packets(mark)


@check()
def udp(t, place):
    """Datagrams go nowhere: QUIC, DNS elsewhere, NTP"""
    mark = t.world.mark()
    for address in ("11.22.33.44", "8.8.8.8", "169.254.169.254", "2a00:1234::44", "255.255.255.255"):
        for port in (443, 53, 123, 80):
            result = place.order("datagram", address=address, port=port, data=encode(b"x" * 50), timeout=0.2)
            if place.confined:
                t.expect(result.seconds < 1 and not result.data, f"{address}:{port}")
    if place.confined:
        t.only_resolver_packets(mark)
    else:
        t.world.settle()
        to = {event["to"] for event in t.world.events(mark, "packets.events")}
        t.expect("8.8.8.8" in to and "2a00:1234::44" in to, f"unconfined only {to}")


@check(profile="ports", control=False)
def other_ports(t, place):
    """A rule for another port holds for that port and scheme, and for nothing else"""
    done = place.curl("https://alt.example:8443/", proxied=False)
    t.expect("hello from alt" in done.text, done.err.decode())
    t.expect("hello from alt" in place.curl("https://alt.example:8443/").text, "by the proxy")
    for proxied in (True, False):
        t.expect("hello from alt" in place.curl("http://alt.example:8080/", proxied=proxied).text, "http on 8080")
        mark = t.world.mark()
        for url in ("http://alt.example:8443/", "https://alt.example:8080/", "http://alt.example/", "https://alt.example/"):
            done = place.curl("-o", "/dev/null", "-w", "%{http_code}", url, proxied=proxied)
            t.expect(not done.text.startswith("2"), f"{url}: {done.text}")
        t.nothing_arrived(mark)


@check(profile="tcp", control=False)
def tcp(t, place):
    """A TCP rule passes bytes both ways, with the server speaking first, and leads to its name and port only"""
    for via in ("direct", "connect"):
        result = place.raw("banner.example", 2525, b"hello\r\nquit\r\n", via=via, timeout=5)
        t.expect(result.data == b"220 banner.example ready\r\nHELLO\r\nQUIT\r\n", f"{via}: {result.stage} {result.data!r}")
    for host, address, port in (("denied.example", "198.18.0.99", 2525), ("45.55.65.85", None, 2525),
                                ("web.example", None, 2525), ("banner.example", None, 80)):
        # What was allowed before is on its way to the logs.
        t.world.settle()
        mark = t.world.mark()
        result = place.raw(host, port, b"hello\r\n", address=address, timeout=3)
        t.expect(b"220" not in result.data and result.seconds < 2, f"{host} {address}:{port}: {result.data!r}")
        t.nothing_arrived(mark)
        t.only_resolver_packets(mark)


@check(profile="tcp", control=False)
def tcp_half_close(t, place):
    """A half-closed TCP connection still brings the other half"""
    result = place.raw("banner.example", 2525, [(b"one\r\n", 20), (b"two\r\n", 0)], finish=True, timeout=5)
    t.expect(result.data.endswith(b"ONE\r\nTWO\r\n"), repr(result.data))


@check(control=False)
def plain_on_443(t, place):
    """Plain HTTP on 443, and TLS on 80, are refused"""
    mark = t.world.mark()
    result = place.raw("web.example", 443, ways.request("direct 80", "web.example"), timeout=3)
    ways.refused(result)
    result = place.raw("web.example", 80, ways.request("direct 80", "web.example"), tls={"verify": False}, timeout=3)
    t.expect(result.stage == "tls" or result.http_status in (403, 421), f"TLS on 80: {result.stage} {result.http_status}")
    t.nothing_arrived(mark)
    ways.served(t, place)
