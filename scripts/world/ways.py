"""The ways by which a request can leave a jail. What is refused on one must be refused on all."""

from .place import Failure

# name → (how the agent dials, port, TLS)
WAYS = {
    "direct 80": ("direct", 80, False),
    "direct 443": ("direct", 443, True),
    "proxy": ("proxy", 80, False),
    "connect 80": ("connect", 80, False),
    "connect 443": ("connect", 443, True),
}
PLAIN = ("direct 80", "proxy", "connect 80")
SECURE = ("direct 443", "connect 443")
STRAIGHT = ("direct 80", "direct 443", "connect 80", "connect 443")


def target(way, host, path):
    return f"http://{host}{path}" if way == "proxy" else path


def send(place, way, host, pieces, tls=None, **order):
    """Sends bytes to `host` by that way. HTTP/1.1 inside of TLS, unless `tls` says otherwise."""
    via, port, secure = WAYS[way]
    # An origin that does not understand may wait for ever; a jail answers or hangs up.
    order["timeout"] = order.get("timeout", 4) if place.confined else 0.5
    if secure:
        order["tls"] = {"alpn": ["http/1.1"], **(tls or {})}
    return place.raw(host, port, pieces, via=via, **order)


def request(way, host, method="GET", path="/", headers=(), body=b"", version="HTTP/1.1", host_field=True):
    lines = [f"{method} {target(way, host, path)} {version}"]
    if host_field:
        lines.append(f"Host: {host}")
    return ("\r\n".join([*lines, *headers]) + "\r\n\r\n").encode("latin-1") + body


def get(place, way, host="web.example", path="/", **order):
    return send(place, way, host, request(way, host, path=path, headers=["Connection: close"]), **order)


def served(t, place, way="direct 443"):
    """The next client gets its answer."""
    result = get(place, way)
    t.expect(result.http_status == 200, lambda: f"the next client was not served: {way}: {result.stage} "
             f"{result.error} {result.data[:200]!r}")


def refused(result):
    """Not answered as if it had been allowed."""
    if result.stage == "done" and result.http_status and 200 <= result.http_status < 300:
        raise Failure(f"answered {result.data[:200]!r}")
