"""Certificates of origins: a wrong one is a 502 that names the reason; pass-through leaves the judging to the client."""

from .. import ways
from ..check import CHECKS, Check, check

REASONS = {"expired": ("expir",), "wrongname": ("name", "host"), "selfsigned": ("self", "chain", "issuer", "trust"),
           "unknownca": ("chain", "issuer", "trust")}


def wrong(kind, words):
    def function(t, place):
        for way in ("direct 443", "connect 443"):
            mark = t.world.mark()
            result = ways.get(place, way, f"{kind}.example", path="/x")
            if not place.confined:
                t.expect(result.stage == "tls", f"unconfined it is accepted: {result.stage}")
                return
            t.expect(result.http_status == 502, f"{way}: {result.stage} {result.error} {result.data[:200]!r}")
            t.expect(any(word in result.data.decode().lower() for word in words), repr(result.data[:400]))
            t.nothing_arrived(mark)
        ways.served(t, place)
    function.__doc__ = f"an origin whose certificate is wrong ({kind}) is a 502 that says why"
    function.__module__ = __name__
    return function


for _kind, _words in REASONS.items():
    CHECKS.append(Check(wrong(_kind, _words), "research", True, ("root",), False))


@check(control=False)
def demanded(t, place):
    """An origin that demands a client's certificate is a 502 and not a hang"""
    result = ways.get(place, "direct 443", "mtls.example", timeout=10)
    t.expect(result.http_status == 502, f"{result.stage} {result.error} {result.data[:200]!r}")
    ways.served(t, place)


@check(profile="pass")
def mutual(t, place):
    """Where TLS passes through, a client shows its own certificate to the origin"""
    for name in ("client", "client_key"):
        place.write(f"/tmp/{name}.pem", open(t.world.files[name], "rb").read())
    place.write("/tmp/origin-ca.pem", open(t.world.files["ca"], "rb").read())
    for proxied in (True, False):
        done = place.curl("--http1.1", "--cacert", "/tmp/origin-ca.pem", "--cert", "/tmp/client.pem", "--key",
                          "/tmp/client_key.pem", "https://mtls.example/", proxied=proxied)
        t.expect("hello from mtls" in done.text, done.err.decode())


@check(profile="pass")
def passes_through(t, place):
    """Where TLS passes through, the certificate is the origin's own"""
    place.write("/tmp/origin-ca.pem", open(t.world.files["ca"], "rb").read())
    for proxied in (True, False):
        for version in ("--http1.1", "--http2"):
            done = place.curl(version, "--cacert", "/tmp/origin-ca.pem", "-X", "POST", "--data", "x",
                              "https://pass.example/echo", proxied=proxied)
            t.expect(done.text == "x", done.err.decode())


@check()
def tls12_origin(t, place):
    """An origin that speaks TLS 1.2 only is served"""
    t.expect(b"hello from tls12" in ways.get(place, "direct 443", "tls12.example").data, "no")


@check(control=False)
def jails_own_authority(t, place):
    """Where TLS is terminated, the certificate is of the jail's own authority, and that is another in each jail"""
    script = "openssl x509 -in $NODE_EXTRA_CA_CERTS -noout -fingerprint -sha256 2>/dev/null || cat $NODE_EXTRA_CA_CERTS"
    mine = place.run("sh", "-c", script).text
    t.expect(mine.strip(), "no certificate of the jail's authority")
    other = t.jail("plain")
    t.expect(other.run("sh", "-c", script).text != mine, "two jails share one authority")
