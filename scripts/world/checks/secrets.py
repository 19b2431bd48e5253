"""A credential that programs inside use and do not have."""

import base64
import os
import subprocess
import tempfile
import time

from .. import profiles, vault
from ..check import check
from ..place import Jail
from ..search import Search

CURL = 'curl -sS -i --max-time 20 -H "Authorization: Bearer $VAULT_TOKEN" https://vault.example/api'
GIT = ("git -c credential.helper='!f() { echo username=x; echo \"password=$VAULT_TOKEN\"; }; f' "
       "clone -q https://vault.example/smart/project.git /tmp/clone && wc -l < /tmp/clone/file.txt")
FETCH = """
const key = process.env.VAULT_TOKEN;
fetch("https://vault.example/api", { headers: { Authorization: `Bearer ${key}` } })
  .then(async (r) => console.log(r.status, r.headers.get("x-you"), await r.text())).catch((e) => console.log(e));
"""
REQUESTS = """
import os, requests
session = requests.Session()
session.headers["Authorization"] = "Bearer " + os.environ["VAULT_TOKEN"]
for _ in range(3):
    r = session.get("https://vault.example/api", timeout=20)
print(r.status_code, r.headers["x-you"], r.text)
"""
# As the libraries of providers do it: a key that looks wrong is never sent, and the answer is a stream. It stays, as gateways do.
SDK = """
class Client {
  constructor(key) {
    if (!/^sk-proj-[A-Za-z0-9_-]{40,}$/.test(key)) throw new Error("this is no key of ours");
    this.key = key;
  }
  async say(text) {
    const answer = await fetch("https://vault.example/v1/chat?chunked", { method: "POST",
      headers: { "X-Api-Key": this.key, "Content-Type": "application/json" }, body: JSON.stringify({ text, stream: true }) });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    let rest = "", words = "";
    for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
      rest += piece;
      for (let end; (end = rest.indexOf("\\n\\n")) >= 0; rest = rest.slice(end + 2)) {
        const data = rest.slice(6, end);
        if (data !== "[DONE]") words += JSON.parse(data).delta;
      }
    }
    return words;
  }
}
const client = new Client(process.env.VAULT_TOKEN);
client.say("hello").then((words) => { console.log(words); process.stdin.resume(); }).catch((e) => console.log(e));
process.stdin.on("end", () => process.exit());
"""
STARS = "*" * len(vault.VALUE)


def use(t, jail):
    """Every client does its work with the credential. Returns the pid of the one that stays, and what all have said."""
    said = []

    def client(name, done, *words):
        said.append(done.out + done.err)
        for word in words:
            t.expect(word in done.text, lambda: f"{name}: no {word!r} in {done.text[:600]!r} {done.err[:600]!r}")
    client("curl", jail.run("sh", "-c", CURL), "200", "welcome", STARS)
    client("git", jail.run("sh", "-c", GIT), "1000")
    client("node", jail.script("node", FETCH), f"200 {STARS}", "welcome")
    client("requests", jail.script("python3", REQUESTS), f"200 {STARS}", "welcome")
    jail.write("/tmp/sdk.js", SDK.encode())
    stays = jail.order("spawn", argv=["node", "/tmp/sdk.js"])
    t.expect(stays.line == f"it is {STARS} not", lambda: f"SDK: {stays.line!r}")
    # What is told of a misuse is told inside as well.
    client("misuse", jail.run("sh", "-c", CURL + "/../other?$VAULT_TOKEN"), "403", "secret-misuse")
    return stays.pid, b"".join(said)


def written(t, jail, name):
    """What clawjail says of a jail, in all the ways that it has."""
    profile = os.path.join(jail.directory, "profile.json5")
    texts = [jail.said().encode()]
    for words in (["inspect", name], ["inspect", name, "--json"], ["list"], ["stats", name],
                  ["plan", "--profile", profile, "--user", t.user, "--", "true"],
                  ["plan", "--profile", profile, "--user", t.user, "--json", "--", "true"],
                  ["audit", "show", name], ["audit", "summary", name], ["profile", "show", profile],
                  ["explain", "--profile", profile, "GET", "https://vault.example/api"], ["export", "systemd", "--profile", profile]):
        done = subprocess.run([*t.world.enter(), t.binary, *words], capture_output=True, timeout=60)
        texts.append(done.stdout + done.stderr)
    return texts


def everything(t, jail, name, since, said):
    search = Search(vault.VALUE, since)
    search.look("what clients have said", said)
    for text in written(t, jail, name):
        search.look("what clawjail has said", text)
    search.jail(jail.process.pid)
    for root in ("/run/clawjail", "/var/lib/clawjail", jail.directory):
        search.tree(root, but=(os.path.dirname(key(t)),))
    return search


def key(t):
    """The file that the secret comes from, which only its owner may read."""
    directory = t.world.path("vault")
    path = os.path.join(directory, "value")
    if not os.path.exists(path):
        os.makedirs(directory, 0o700, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(vault.VALUE + "\n")
    return path


@check(profile=None, control=False)
def clients_use_it_and_nobody_finds_it(t, _):
    """curl, git, Node, Python and an SDK use the real credential; no byte inside, and nothing that clawjail writes, has it."""
    since, name = time.time() - 1, f"vault-{os.getpid()}"
    profile = profiles.with_secret(t.world, key(t))
    jail = Jail(t.world, t.binary, profile, t.user, options=["--name", name])
    try:
        pid, said = use(t, jail)
        search = everything(t, jail, name, since, said)
        t.expect(not search.found, lambda: f"found: {search.found[:10]}")
        t.expect(search.memories >= 3 and search.files > 20 and search.bytes > 10 << 20,
                 lambda: f"the search saw {search.memories} processes, {search.files} files, {search.bytes} bytes")
        planted(t, jail, name, since)
        jail.order("end", pid=pid)
    finally:
        jail.close()


def planted(t, jail, name, since):
    """The same search finds what is there: in a file, in an environment, in memory, in base64, in what clawjail writes."""
    coded = base64.b64encode(b"ab" + vault.VALUE.encode())
    jail.write("/tmp/planted", b"x" * 5000 + coded)
    holder = jail.order("spawn", argv=["sh", "-c", "echo ready; read line"], env={"PLANTED": vault.VALUE})
    with tempfile.NamedTemporaryFile(dir=jail.directory) as file:
        file.write(vault.VALUE.encode().hex().encode())
        file.flush()
        found = everything(t, jail, name, since, b"").found
    jail.order("end", pid=holder.pid)
    for place in ("tmp/planted", "environ", "the memory of", jail.directory):
        t.expect(any(place in one for one in found), lambda: f"planted and not found in {place}: {found[:20]}")
