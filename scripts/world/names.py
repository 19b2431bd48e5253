"""Who is where in this internet. Data only."""

HOST4, HOST6 = "93.184.10.2", "2a01:4f8:77::2"
GATEWAY4, GATEWAY6 = "93.184.10.1", "2a01:4f8:77::1"
RESOLVER = GATEWAY4
BLACK_HOLE = "11.22.33.99"
# Nothing listens there on any port.
HOLE = "11.22.33.98"

# Ports on which every address answers, so that a connection to a wrong one is seen as made, and not as refused.
TRAP_PORTS = (22, 25, 80, 110, 443, 587, 853, 993, 3128, 5432, 6379, 8080, 8443)

# A trap of the host itself: its loopback and its own addresses.
HOST_TRAP_PORTS = (80, 443, 8080)


class Origin:
    """One server. `ports`: port → kind (http, https, banner). `names`: what its certificate is for."""

    def __init__(self, name, v4, v6=None, ports=None, alpn=("h2", "http/1.1"), certificate="good", **options):
        self.name, self.v4, self.v6, self.alpn, self.certificate = name, v4, v6, alpn, certificate
        self.ports = {80: "http", 443: "https"} if ports is None else ports
        self.options = options
        self.host = f"{name}.example"


ORIGINS = [
    Origin("web", "11.22.33.44", "2a00:1234::44", also=(
        "deep.sub.web", "cname", "cname-chain", "truncated", "slow", "rebind", "long-ttl", "many", "special-mixed",
        "special-mapped-public", "special-mixed-families")),
    # The same addresses as 'web', another name and another log: for requests that say one and mean the other.
    Origin("twin", "11.22.33.44", "2a00:1234::44", shares="web"),
    Origin("h1", "11.22.33.45", alpn=("http/1.1",)),
    Origin("h2", "11.22.33.46", alpn=("h2",)),
    Origin("alt", "11.22.33.47", ports={8443: "https", 8080: "http"}),
    Origin("tls12", "11.22.33.48", alpn=("http/1.1",), maximum="TLSv1_2"),
    Origin("other", "45.55.65.75", "2a00:1234::75"),
    Origin("denied", "45.55.65.76", "2a00:1234::76"),
    Origin("api", "45.55.65.77"),
    Origin("pass", "45.55.65.78"),
    Origin("mtls", "45.55.65.79", alpn=("http/1.1",), demands_certificate=True),
    Origin("expired", "45.55.65.81", certificate="expired"),
    Origin("wrongname", "45.55.65.82", certificate="wrongname"),
    Origin("selfsigned", "45.55.65.83", certificate="selfsigned"),
    Origin("unknownca", "45.55.65.84", certificate="unknownca"),
    Origin("banner", "45.55.65.85", ports={2525: "banner"}),
    Origin("git", "45.55.65.86", alpn=("http/1.1",), git=True),
    Origin("v6", None, "2a00:1234::87"),
    Origin("ws", "45.55.65.88", alpn=("http/1.1",)),
    Origin("vault", "45.55.65.89", vault=True),
    # A name, a certificate and an address for the server of the benchmarks.
    Origin("bench", "11.22.33.60", ports={}),
]

# Names of special addresses: `special-KEY.example`. All answers public but these.
SPECIAL = {
    "this-network": ["0.0.0.0"],
    "zero-eight": ["0.1.2.3"],
    "loopback": ["127.0.0.1"],
    "loopback-far": ["127.9.8.7"],
    "private-10": ["10.1.2.3"],
    "private-172": ["172.16.0.1"],
    "private-192": ["192.168.1.1"],
    "shared": ["100.64.1.1"],
    "link-local": ["169.254.7.7"],
    "metadata": ["169.254.169.254"],
    "metadata-aliyun": ["100.100.100.200"],
    "protocol": ["192.0.0.8"],
    "documentation": ["192.0.2.1"],
    "documentation-2": ["198.51.100.1"],
    "documentation-3": ["203.0.113.1"],
    "benchmark": ["198.18.0.5"],
    "as112": ["192.31.196.1"],
    "relay-6to4": ["192.88.99.1"],
    "multicast": ["224.0.0.251"],
    "reserved": ["240.0.0.1"],
    "broadcast": ["255.255.255.255"],
    "host-own": [HOST4],
    "unspecified-6": ["::"],
    "loopback-6": ["::1"],
    "mapped": ["::ffff:10.1.2.3"],
    "mapped-public": ["::ffff:11.22.33.44"],
    "compatible": ["::10.1.2.3"],
    "nat64": ["64:ff9b::a01:203"],
    "nat64-local": ["64:ff9b:1::a01:203"],
    "to4": ["2002:a01:203::1"],
    "teredo": ["2001:0:a01:203::1"],
    "documentation-6": ["2001:db8::1"],
    "discard": ["100::1"],
    "orchid": ["2001:20::1"],
    "link-local-6": ["fe80::1"],
    "site-local": ["fec0::1"],
    "ula": ["fd12::1"],
    "metadata-6": ["fd00:ec2::254"],
    "multicast-6": ["ff02::fb"],
    "host-own-6": [HOST6],
    # One good answer does not make up for a bad one.
    "mixed": ["11.22.33.44", "10.1.2.3"],
    "mixed-families": ["11.22.33.44", "fd12::1"],
}

# Names whose answers are a behaviour of the server, `KEY.example`; see dns.py.
BEHAVIOURS = (
    "nx", "servfail", "refused", "silent", "slow", "empty", "truncated", "wrong-id", "wrong-question", "garbage",
    "cname", "cname-chain", "cname-loop", "cname-private", "many", "rebind", "hole", "blackhole", "long-ttl",
    "compression-loop", "half",
)


def records():
    """name → [addresses] of everything that answers plainly."""
    table = {}
    for origin in ORIGINS:
        table[origin.host] = [address for address in (origin.v4, origin.v6) if address]
    for key, addresses in SPECIAL.items():
        table[f"special-{key}.example"] = addresses
    table["hole.example"] = [HOLE]
    table["blackhole.example"] = [BLACK_HOLE]
    table["deep.sub.web.example"] = table["sub.web.example"] = table["web.example"]
    table["localhost.example"] = ["127.0.0.1"]
    return table
