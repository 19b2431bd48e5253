"""The profiles of the checks, as values; each is written to a file when its jail starts."""

from . import names

PROGRAMS = ["curl", "git", "node", "python3", "sh", "cat", "getent"]


def profile(world, network, extends="offline"):
    upstream = {"resolvers": [names.RESOLVER], "trust": world.files["trust"]}
    return {
        "description": "for the tests of the way out", "extends": extends,
        "process": {"programs": PROGRAMS, "shell": True}, "filesystem": {"root": "host", "tmp": "512M"},
        "limits": {"memory": "2G", "processes": 4096, "openFiles": 8192},
        "network": {**network, "upstream": upstream},
    }


def get(*hosts, **more):
    return {"hosts": list(hosts), "methods": ["GET", "HEAD"], **more}


# name → (network, parent). 'research' is the shipped profile, and nothing more.
NETWORKS = {
    "research": ({"budgets": {"requestsPerMinute": 100000, "connectionsPerMinute": 100000, "connections": 4000}},
                 "research"),
    "plain": ({"allow": [get("*")]}, "offline"),
    # One name, one method, one path.
    "narrow": ({"allow": [get("web.example"), get("*.sub.web.example"),
                          get("api.example", paths=["/headers", "/echo/*", "/status/**"])],
                "deny": [{"hosts": ["denied.example"]}]}, "offline"),
    "ports": ({"allow": [get("alt.example", ports=[8443], schemes=["https"]),
                         get("alt.example", ports=[8080], schemes=["http"])]}, "offline"),
    "posting": ({"allow": [get("web.example"),
                           {"hosts": ["api.example"], "methods": ["GET", "POST"],
                            "paths": ["/upload", "/echo", "/headers"], "requestSize": "1M"}]}, "offline"),
    "git-read": ({"allow": [{"hosts": ["git.example"], "methods": ["GET"],
                             "paths": ["/smart/**/info/refs", "/smart/**/HEAD", "/dumb/**"]},
                            {"hosts": ["git.example"], "methods": ["POST"], "paths": ["/smart/**/git-upload-pack"]}],
                  "deny": [{"hosts": ["git.example"], "paths": ["/**/git-receive-pack"]}]}, "offline"),
    "pass": ({"allow": [{"hosts": ["pass.example"], "schemes": ["https"], "inspect": False},
                        {"hosts": ["mtls.example"], "schemes": ["https"], "inspect": False},
                        {"hosts": ["web.example"], "schemes": ["https"], "inspect": False}]}, "offline"),
    "sockets": ({"allow": [{"hosts": ["ws.example"], "methods": ["GET"], "websocket": True}, get("web.example")],
                 "budgets": {"connections": 3000, "connectionsPerMinute": 10000, "requestsPerMinute": 10000,
                             "idle": "3s"}}, "offline"),
    "tcp": ({"allow": [{"hosts": ["banner.example"], "ports": [2525], "protocol": "tcp"}]}, "offline"),
    "private": ({"allow": [get("special-private-10.example"), get("10.1.2.3")],
                 "allowPrivate": ["10.1.2.0/24"]}, "offline"),
    "literal": ({"allow": [get("11.22.33.44", schemes=["http"])]}, "offline"),
    "requests": ({"allow": [get("*")], "budgets": {"requestsPerMinute": 10}}, "offline"),
    "connections": ({"allow": [get("*")], "budgets": {"connections": 4}}, "offline"),
    "connection-rate": ({"allow": [get("*")], "budgets": {"connectionsPerMinute": 10}}, "offline"),
    "uploads": ({"allow": [{"hosts": ["api.example"], "methods": ["POST"], "requestSize": "10M"}],
                 "budgets": {"uploadPerHour": "1M"}}, "offline"),
    "sizes": ({"allow": [get("*")], "budgets": {"headerSize": "4K", "urlSize": "1K"}}, "offline"),
    "times": ({"allow": [get("*")], "budgets": {"idle": "2s", "response": "2s", "total": "4s"}}, "offline"),
    "block": ({"allow": [get("*")], "onGatewayExit": "block"}, "offline"),
    "restart": ({"allow": [get("*")], "onGatewayExit": "restart"}, "offline"),
    "stop": ({"allow": [get("*")], "onGatewayExit": "stop"}, "offline"),
}


# name → (way, host, path): what shows that a jail of that profile has a way out at all, where that costs no budget.
# Without it a jail without any network would pass what only asks for refusals.
PROBES = {
    "git-read": ("direct 443", "git.example", "/dumb/project.git/HEAD"), "ports": None, "tcp": None,
    "private": ("proxy", "10.1.2.3", "/"), "literal": ("proxy", "11.22.33.44", "/"), "requests": None,
    "connections": None, "connection-rate": None, "uploads": None, "pass": None,
}
DEFAULT_PROBE = ("direct 443", "web.example", "/")


def with_secret(world, path):
    """A host that wants a credential, which comes from a file: three ways to send it, each at paths of its own."""
    host = {"name": "vault", "hosts": ["vault.example"]}
    network = {"allow": [{"hosts": ["vault.example"], "methods": ["GET", "POST"], "requestSize": "1M"}]}
    return profile(world, network) | {"secrets": [
        {**host, "env": "VAULT_TOKEN", "paths": ["/api"], "inject": "bearer", "source": {"file": path}},
        {**host, "paths": ["/smart/**"], "inject": {"basic": "x"}},
        {**host, "methods": ["POST"], "paths": ["/v1/**"], "inject": {"header": "X-Api-Key"}},
    ]}


def named(world, name):
    network, parent = NETWORKS[name]
    return profile(world, network, parent)
