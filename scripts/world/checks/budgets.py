"""Budgets: what is hit is a denial with its name, and what is below is served."""

from .. import ways
from ..check import check


@check(profile="requests", control=False, fresh=True)
def requests_per_minute(t, place):
    """The eleventh request of a minute is refused by a budget of ten, and says so"""
    answers = [ways.get(place, way) for way in ("direct 80", "proxy", "connect 443", "direct 443") * 3]
    good = [a for a in answers if a.http_status == 200]
    t.expect(len(good) == 10, f"{len(good)} of 12 were served")
    t.expect(all(a.http_status in (403, 429) and b"requestsPerMinute" in a.data for a in answers[10:]),
             repr(answers[-1].data[:300]))


@check(profile="requests", control=False, fresh=True)
def requests_per_minute_h2(t, place):
    """Requests on one HTTP/2 connection count one by one"""
    done = place.run("sh", "-c", "for n in $(seq 20); do echo \"url = https://web.example/?n=$n\"; done > /tmp/urls;"
                     " curl -sS --http2 --noproxy '*' -K /tmp/urls -w '\\n%{http_code}\\n' | grep -c ^200")
    t.expect(done.text.strip() == "10", done.text)


@check(profile="connection-rate", control=False, fresh=True)
def connections_per_minute(t, place):
    """Connections of a minute are counted by every way in"""
    answers = [ways.get(place, way) for way in ("direct 80", "proxy", "connect 443", "direct 443") * 4]
    good = [a for a in answers if a.http_status == 200]
    t.expect(8 <= len(good) <= 10, f"{len(good)} of 16 were served")


@check(profile="connections", control=False, fresh=True)
def concurrent_connections(t, place):
    """No more connections at the same time than the budget says, and their end makes room"""
    place.write("/tmp/hold.py", b"""
import socket, sys
held = []
for _ in range(4):
    s = socket.create_connection(("web.example", 80)); s.sendall(b"GET / HTTP/1.1\\r\\nHost:"); held.append(s)
print("ready", flush=True); sys.stdin.read()
""")
    held = place.order("spawn", argv=["/usr/bin/python3", "/tmp/hold.py"])
    try:
        t.world.settle(0.3)
        result = ways.get(place, "direct 80")
        t.expect(result.http_status != 200, "a fifth connection was served")
    finally:
        place.order("end", pid=held.pid)
    t.world.settle(0.5)
    ways.served(t, place)


@check(profile="uploads", control=False, fresh=True)
def upload_per_hour(t, place):
    """Uploads of an hour are added up"""
    place.run("sh", "-c", "head -c 400000 /dev/zero > /tmp/upload")
    codes = [place.curl("-H", "Expect:", "--data-binary", "@/tmp/upload", "-o", "/tmp/answer", "-w", "%{http_code}",
                        "https://api.example/upload", proxied=n % 2 == 0).text for n in range(4)]
    t.expect(codes[:2] == ["200", "200"] and all(code != "200" for code in codes[2:]), f"{codes}")
    t.expect("uploadPerHour" in place.run("cat", "/tmp/answer").text, "the denial does not name its budget")


@check(profile="sizes", control=False)
def header_size(t, place):
    """Heads and URLs beyond their budget are refused on both versions, and their name is told"""
    for way in ways.WAYS:
        small = ways.send(place, way, "web.example", ways.request(way, "web.example", headers=["X: " + "y" * 2000]),
                          until="DQoNCg==")
        t.expect(small.http_status == 200, f"{way}: {small.data[:100]!r}")
        mark = t.world.mark()
        for data in (ways.request(way, "web.example", headers=["X: " + "y" * 5000]),
                     ways.request(way, "web.example", headers=[f"X{n}: yyyy" for n in range(1000)]),
                     ways.request(way, "web.example", path="/" + "a" * 1100),
                     ways.request(way, "web.example", path="/" + "a" * 200000)):
            result = ways.send(place, way, "web.example", data, until="DQoNCg==")
            ways.refused(result)
        t.nothing_arrived(mark)
    done = place.curl("--http2", "-H", "X: " + "y" * 5000, "-w", "%{http_code}", "https://web.example/", proxied=False)
    t.expect(not done.text.endswith("200"), done.text[:200])
    ways.served(t, place)


@check(profile="times", control=False)
def response_time(t, place):
    """An origin that does not answer ends in a refusal after `response`"""
    for way in ("direct 443", "proxy"):
        result = ways.get(place, way, path="/hang", timeout=8)
        t.expect(result.http_status in (502, 504, 403) and 1.5 < result.seconds < 4, f"{result.seconds} {result.data[:200]!r}")


@check(profile="times", control=False)
def total_time(t, place):
    """A request whose answer trickles in ends in time, however busy it is"""
    result = ways.get(place, "direct 443", path="/trickle?ms=100", timeout=15)
    t.expect(1.5 < result.seconds < 7, f"{result.seconds} s")


@check(profile="times", control=False)
def idle_time(t, place):
    """A connection that is not used is closed after `idle`"""
    for way in ("direct 443", "connect 443", "direct 80"):
        result = ways.send(place, way, "web.example", ways.request(way, "web.example"), timeout=10)
        t.expect(1.5 < result.seconds < 5 and result.error is None, f"{way}: {result.seconds} s, {result.error}")


@check(profile="times", control=False)
def slow_head(t, place):
    """A request that arrives byte by byte is ended in time, or served if it is fast enough"""
    data = ways.request("direct 80", "web.example")
    mark = t.world.mark()
    result = place.raw("web.example", 80, [(data[n:n + 1], 400) for n in range(30)], timeout=5, wait=60)
    t.nothing_arrived(mark)
    t.expect(result.error or not result.data.startswith(b"HTTP/1.1 200"), "served")
    fast = place.raw("web.example", 80, [(data[n:n + 1], 2) for n in range(len(data))], timeout=5, until="DQoNCg==")
    t.expect(fast.http_status == 200, f"{fast.data[:100]!r} {fast.error}")
