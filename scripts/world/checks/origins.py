"""Origins that answer badly, slowly or not at all: the client gets a clean answer or a clean end, and the next is
served."""

from .. import ways
from ..check import CHECKS, Check, check

GOOD = {
    "slow": b"slow\n", "trickle": b"trickle\n", "no-length": b"until the end\n", "http10": b"old\n",
    "informational": b"ok\n", "trailers": b"ok\n", "huge-headers?count=10&size=1000": b"many headers\n",
    "gzip": b"", "redirect?to=https://denied.example/": b"", "status?code=404": b"as asked\n",
    "status?code=500": b"as asked\n", "chunk-extension": b"ok\n",
}
# The head is refused: 502. Or the body breaks off: then the client must be able to tell.
BAD = (
    "unsolicited-101", "two-lengths", "length-and-chunked", "bad-status", "not-http", "nul-header", "bare-cr",
    "empty-answer", "reset", "endless-head", "huge-headers?count=2000&size=4000", "folded",
)
BROKEN = ("early-close", "early-close-chunked", "bad-chunk", "huge-chunk")


def good(path, text):
    def function(t, place):
        for way in ("direct 80", "direct 443", "proxy", "connect 443"):
            result = ways.get(place, way, path="/" + path, timeout=6)
            t.expect(result.http_status and result.http_status < 502 and text in unchunked(result.data),
                     f"{way}: {result.stage} {result.error} {result.data[:300]!r}")
        done = place.curl("--http2", f"https://h1.example/{path}", proxied=False)
        t.expect(done.status == 0 and text in done.out, f"HTTP/2: {done.err!r}")
    function.__doc__ = f"an origin's answer '{path}' is served"
    function.__module__ = __name__
    return function


def unchunked(data):
    head, _, body = data.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 1"):
        head, _, body = body.partition(b"\r\n\r\n")
    if b"chunked" not in head.lower():
        return body
    out = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        count = int(size.split(b";")[0] or b"0", 16)
        if count == 0:
            break
        out, body = out + body[:count], body[count + 2:]
    return out


def bad(path):
    def function(t, place):
        for way in ("direct 80", "direct 443", "proxy", "connect 443"):
            result = ways.get(place, way, path="/" + path, timeout=10)
            t.expect(result.http_status == 502, f"{way}: {result.stage} {result.error} {result.data[:300]!r}")
            ways.served(t, place, way)
        done = place.curl("--http2", "-w", "%{http_code}", "-o", "/dev/null", f"https://h1.example/{path}", proxied=False)
        t.expect(done.text == "502", f"HTTP/2: {done.text} {done.err!r}")
    function.__doc__ = f"an origin's answer '{path}' is a 502, and the next client is served"
    function.__module__ = __name__
    return function


def broken(path):
    def function(t, place):
        for version in ("--http1.1", "--http2"):
            for proxied in (True, False):
                done = place.curl(version, f"https://h1.example/{path}", proxied=proxied)
                code = place.curl(version, "-o", "/dev/null", "-w", "%{http_code}", f"https://h1.example/{path}",
                                  proxied=proxied).text
                t.expect(done.status != 0 or code == "502", f"{version}: a broken body looked whole: {done.out[:200]!r}")
        if place.confined:
            ways.served(t, place)
    function.__doc__ = f"an origin's body that breaks off ('{path}') does not look whole"
    function.__module__ = __name__
    return function


for _path, _text in GOOD.items():
    CHECKS.append(Check(good(_path, _text), "research", "trickle" not in _path and "slow" not in _path, ("root",), False))
for _path in BAD:
    CHECKS.append(Check(bad(_path), "research", False, ("root",), False))
for _path in BROKEN:
    CHECKS.append(Check(broken(_path), "research", True, ("root",), False))


@check(control=False)
def two_answers(t, place):
    """What an origin sends beyond its answer is never the answer to somebody else"""
    for _ in range(5):
        for way in ("direct 443", "direct 80", "connect 443"):
            first = ways.get(place, way, path="/two-answers")
            second = ways.get(place, way)
            t.expect(b"poison" not in first.data + second.data, f"{way}: poisoned")
            t.expect(b"hello from web" in second.data, f"{way}: {second.stage} {second.error} {second.data[:200]!r}")


@check(control=False)
def redirects(t, place):
    """A redirect is the client's to follow, and a decision of its own"""
    narrow = t.jail("narrow")
    mark = t.world.mark()
    done = narrow.curl("-L", "-w", "%{http_code}", "-o", "/dev/null",
                       "https://web.example/redirect?to=https://denied.example/x", proxied=False)
    t.expect(not done.text.startswith("2"), done.text)
    t.expect("denied.example" not in t.asked_names(mark), "the denied name was asked for")
    t.expect(t.world.grown(mark) == ["web"], f"{t.world.grown(mark)}")


@check(control=False)
def early_answer(t, place):
    """An origin that answers before it has read an upload, and closes, is understood"""
    posting = t.jail("posting")
    done = posting.curl("--http1.1", "-H", "Expect:", "-w", "%{http_code}", "https://web.example/early-answer")
    t.expect("413" in done.text, f"{done.text} {done.err!r}")


def half_closed(way):
    def function(t, place):
        for path in ("/", "/slow?ms=600", "/blob?size=300000"):
            result = ways.send(place, way, "web.example", ways.request(way, "web.example", path=path), finish=True,
                               timeout=6)
            t.expect(result.http_status == 200, f"{path}: {result.stage} {result.error} {result.data[:100]!r}")
            if "blob" in path:
                t.expect(len(result.data) > 300000, f"{len(result.data)} bytes")
    function.__doc__ = f"a client that half-closes after its request is served: {way}"
    function.__module__ = __name__
    return function


for _way in ("direct 80", "proxy", "connect 80"):
    CHECKS.append(Check(half_closed(_way), "research", False, ("root",), False))


@check(control=False)
def aborted_clients(t, place):
    """Two hundred clients that abort in the middle of a download leave nothing behind, and the next is served"""
    from ..place import encode
    from .bodies import resident
    egress = place.egress()
    data = encode(ways.request("direct 80", "web.example", path="/endless-body"))
    for _ in range(2):
        place.order("many", orders=[{"host": "web.example", "port": 80, "send": [[data, 50]], "abort": True}] * 100)
    t.world.settle(1)
    if egress:
        t.expect(descriptors(egress) < 200, f"{descriptors(egress)} descriptors are open")
        t.expect(resident(egress) < 300 << 20, f"{resident(egress) >> 20} MiB")
    ways.served(t, place)


def descriptors(pid):
    import os
    return len(os.listdir(f"/proc/{pid}/fd"))


@check()
def keep_alive(t, place):
    """Many requests on one connection, and origins that close it between them"""
    data = ways.request("direct 443", "web.example") * 50
    result = ways.send(place, "direct 443", "web.example", data, timeout=4)
    t.expect(result.data.count(b"hello from web") == 50, f"{result.data.count(b'hello from web')} of 50")
