"""Real programs, by the proxy and past it: what is allowed works, what is not is refused."""

from ..check import CHECKS, Check, check

NODE_FETCH = """
const [method, url] = process.argv.slice(2);
fetch(url, { method, body: method === "GET" ? undefined : "hello" })
  .then(async (r) => console.log(r.status, (await r.text()).trim())).catch((e) => console.log("error", e.cause ?? e));
"""
NODE_HTTPS = """
const [method, url] = process.argv.slice(2);
const r = require(url.startsWith("https") ? "https" : "http").request(url, { method }, (a) => {
  let text = ""; a.on("data", (d) => text += d); a.on("end", () => console.log(a.statusCode, text.trim())); });
r.on("error", (e) => console.log("error", e.message)); r.end(method === "GET" ? undefined : "hello");
"""
NODE_TLS = """
const [method, url] = process.argv.slice(2), u = new URL(url), secure = u.protocol === "https:";
const s = secure ? require("tls").connect(443, u.hostname, { servername: u.hostname }, go)
                 : require("net").connect(80, u.hostname, go);
let text = "";
function go() { s.write(`${method} ${u.pathname} HTTP/1.1\\r\\nHost: ${u.hostname}\\r\\nContent-Length: 0\\r\\n` +
  `Connection: close\\r\\n\\r\\n`); }
s.on("data", (d) => text += d); s.on("error", (e) => console.log("error", e.message));
s.on("close", () => console.log(text.split(" ")[1], text.split("\\r\\n\\r\\n")[1]));
"""
URLLIB = """
import sys, urllib.request, urllib.error
method, url, past = sys.argv[1], sys.argv[2], sys.argv[3] == "past"
opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if past else []))
try:
    with opener.open(urllib.request.Request(url, method=method, data=None if method == "GET" else b"hello"), timeout=10) as r:
        print(r.status, r.read().decode().strip())
except urllib.error.HTTPError as e: print(e.code, e.read().decode().strip())
except Exception as e: print("error", e)
"""
REQUESTS = """
import sys, requests
method, url, past = sys.argv[1], sys.argv[2], sys.argv[3] == "past"
session = requests.Session(); session.trust_env = True
if past: session.proxies = {"http": "", "https": ""}; import os; [os.environ.pop(k, None) for k in list(os.environ) if k.lower().endswith("_proxy")]
try:
    r = session.request(method, url, data=None if method == "GET" else b"hello", timeout=10)
    print(r.status_code, r.text.strip())
except Exception as e: print("error", e)
"""


def curl(*more):
    def client(place, method, url, past):
        body = [] if method == "GET" else ["--data", "hello"]
        done = place.curl(*more, "-X", method, *body, "-w", "\n%{http_code} %{http_version}", url, proxied=not past)
        body, _, tail = done.text.rpartition("\n")
        return f"{tail.split()[0] if tail else 'none'} {body} {done.err.decode()}"
    return client


def node(source):
    def client(place, method, url, past):
        return place.script("node", source, method, url).text
    return client


def python(source):
    def client(place, method, url, past):
        return place.script("/usr/bin/python3", source, method, url, "past" if past else "proxied").text
    return client


# name → (client, whether it can use a proxy)
CLIENTS = {
    "curl": (curl("--http1.1"), True), "curl with HTTP/2": (curl("--http2"), True),
    "Node fetch": (node(NODE_FETCH), False), "Node https": (node(NODE_HTTPS), False),
    "Node net and tls": (node(NODE_TLS), False), "urllib": (python(URLLIB), True),
    "requests": (python(REQUESTS), True),
}


def allowed(name, client, url, past):
    def function(t, place):
        text = client(place, "GET", url, past)
        t.expect(text.startswith("200") and "hello from web" in text, f"{text[:300]!r}")
    function.__doc__ = f"GET {url} works with {name}, {'past the proxy' if past else 'by the proxy'}"
    function.__module__ = __name__
    return function


def denied(name, client, method, url, past):
    def function(t, place):
        token, mark = t.token(), t.world.mark()
        text = client(place, method, f"{url}echo/{token}", past)
        if not place.confined:
            t.expect(token.encode() in t.arrived(mark) or t.world.grown(mark), f"did not even arrive: {text[:300]!r}")
            return
        t.nothing_arrived(mark)
        t.expect(text.startswith("403"), f"no 403: {text[:300]!r}")
        t.expect(method in text, f"the denial does not say what was denied: {text[:300]!r}")
    function.__doc__ = f"{method} {url} is refused with {name}, {'past the proxy' if past else 'by the proxy'}"
    function.__module__ = __name__
    return function


for _name, (_client, _proxies) in CLIENTS.items():
    for _past in (False, True) if _proxies else (True,):
        for _url in ("http://web.example/", "https://web.example/"):
            CHECKS.append(Check(allowed(_name, _client, _url, _past), "research", True, ("root", "user"), False))
            for _method in ("POST", "PUT", "PATCH", "DELETE"):
                CHECKS.append(Check(denied(_name, _client, _method, _url, _past), "research", True,
                                    ("root", "user") if _method == "POST" else ("root",), False))


@check(users=("root", "user"))
def curl_head(t, place):
    """HEAD works with curl"""
    done = place.curl("-I", "https://web.example/")
    t.expect(" 200" in done.text, done.text)


@check()
def curl_versions(t, place):
    """curl gets HTTP/2 where it asks for it, also where the origin has only one version"""
    for host in ("web", "h1", "h2"):
        for past in (False, True):
            done = place.curl("--http2", f"https://{host}.example/", proxied=not past)
            t.expect(f"hello from {host}" in done.text, f"{host}: {done.err!r}")


@check(profile="plain", control=False, fresh=True)
def denial_teaches(t, place):
    """A denial is a 403 with JSON that names what was denied, and the rule that would allow it"""
    import json
    done = place.curl("-X", "POST", "--data", "x", "-w", "\n%{http_code} %{content_type}",
                      "https://api.example/messages?secret=1")
    body, _, tail = done.text.rpartition("\n")
    t.expect(tail.startswith("403 application/json"), tail)
    json.loads(body)
    for word in ("POST", "api.example", "/messages"):
        t.expect(word in body, f"'{word}' is not in {body}")
    t.expect("secret" not in body and "secret" not in place.said(), "the query string was told")
    t.world.settle(0.5)
    t.expect("api.example" in place.said(), f"the supervisor said nothing: {place.said()[-300:]!r}")
    events = [event for event in place.events() if "api.example" in json.dumps(event)]
    t.expect(events, "no event on the status channel")


GIT = ["git", "-c", "http.version=HTTP/1.1"]


def git_clone(kind, past):
    def function(t, place):
        where = f"/tmp/{t.token()}"
        env = {"no_proxy": "*", "NO_PROXY": "*"} if past else {}
        done = place.run(*GIT, "clone", "-q", f"https://git.example/{kind}/project.git", where, env=env, timeout=60)
        t.expect(done.status == 0, done.err.decode())
        log = place.run("git", "-C", where, "log", "--oneline")
        t.expect("commit 2" in log.text, log.text)
        done = place.run("git", "-C", where, "fetch", "-q", env=env)
        t.expect(done.status == 0, done.err.decode())
    function.__doc__ = f"git clones and fetches ({kind}), {'past the proxy' if past else 'by the proxy'}"
    function.__module__ = __name__
    return function


def git_push(past):
    def function(t, place):
        where = f"/tmp/{t.token()}"
        env = {"no_proxy": "*", "NO_PROXY": "*"} if past else {}
        done = place.run(*GIT, "clone", "-q", "https://git.example/smart/project.git", where, env=env)
        t.expect(done.status == 0, done.err.decode())
        place.run("git", "-C", where, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty",
                  "-m", "more")
        mark = t.world.mark()
        done = place.run("git", "-C", where, "push", "-q", "origin", f"HEAD:refs/heads/{t.token()}", env=env)
        if place.confined:
            t.expect(done.status != 0, "the push was done")
            t.expect(b"POST" not in t.arrived(mark), "a POST of the push arrived")
        else:
            t.expect(done.status == 0, done.err.decode())
    function.__doc__ = f"git cannot push, {'past the proxy' if past else 'by the proxy'}"
    function.__module__ = __name__
    return function


for _past in (False, True):
    for _kind in ("smart", "dumb"):
        CHECKS.append(Check(git_clone(_kind, _past), "git-read", True, ("root", "user"), False))
    CHECKS.append(Check(git_push(_past), "git-read", True, ("root",), False))


@check(profile="research")
def git_dumb_research(t, place):
    """git clones in 'research' from a server that needs GET only"""
    done = place.run(*GIT, "clone", "-q", "https://git.example/dumb/project.git", f"/tmp/{t.token()}")
    t.expect(done.status == 0, done.err.decode())
