"""A credential that programs inside use and do not have."""

import base64
import glob
import os
import shutil
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
STATE = "/var/lib/clawjail"
STARS = "*" * len(vault.VALUE)


def use(t, jail):
    """Every client does its work with the credential, and one of them stays. Returns what all have said."""
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
    return b"".join(said)


def written(t, jail, name):
    """What clawjail says of a jail, in all the ways that it has."""
    profile = os.path.join(jail.directory, "profile.json5")
    texts = [jail.said().encode()]
    plan = ["--profile", profile, "--user", t.user]
    for words in (["inspect", name], ["inspect", name, "--json"], ["ps"], ["stats", name], ["plan", *plan, "--", "python3"],
                  ["plan", *plan, "--json", "--", "python3"], ["audit", "show", name], ["audit", "summary", name],
                  ["profile", "show", profile], ["explain", "--profile", profile, "GET", "https://vault.example/api"],
                  ["export", "systemd", "--profile", profile, "--", "python3"]):
        texts.append(clawjail(t, *words))
    # And what is an error.
    return texts + [clawjail(t, "plan", *plan, "--", "no-such-program", status=127)]


def clawjail(t, *words, status=0):
    done = subprocess.run([*t.world.enter(), t.binary, *words], capture_output=True, timeout=60)
    t.expect(done.returncode == status, lambda: f"clawjail {' '.join(words)}: {done.returncode}: {done.stderr[:300]!r}")
    return done.stdout + done.stderr


def everything(t, jail, name, since, said):
    search = Search(vault.VALUE, since)
    search.look("what clients have said", said)
    for text in written(t, jail, name):
        search.look("what clawjail has said", text)
    search.jail(jail.process.pid)
    for root in ("/run/clawjail", STATE, jail.directory):
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
        said = use(t, jail)
        search = everything(t, jail, name, since, said)
        t.expect(not search.found, lambda: f"found: {search.found[:10]}")
        t.expect(search.memories >= 3 and search.files > 20 and search.bytes > 10 << 20,
                 lambda: f"the search saw {search.memories} processes, {search.files} files, {search.bytes} bytes")
        planted(t, jail, name, since)
        evidence(t, name, since)
    finally:
        jail.close()
        for path in glob.glob(f"{STATE}/evidence/{name}-*"):
            os.unlink(path)
        shutil.rmtree(f"{STATE}/audit/{name}", ignore_errors=True)


def evidence(t, name, since):
    """The archive that is kept of a jail that was locked down: of its processes, its log and its profile."""
    try:
        said = clawjail(t, "lockdown", name, "--reason", "a test")
        archives = glob.glob(f"{STATE}/evidence/{name}-*.tar.zst")
        t.expect(len(archives) == 1, lambda: f"evidence: {archives}")
        archive = subprocess.run(["zstd", "-dc", archives[0]], capture_output=True, check=True).stdout
        search = Search(vault.VALUE, since)
        for text in (said, archive):
            search.look("evidence", text)
        t.expect(b"vault.example" in archive and not search.found, lambda: f"found: {search.found[:10]}")
    finally:
        clawjail(t, "unlock", name, "--reason", "a test")


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
    jail.run("rm", "/tmp/planted")
    for place in ("tmp/planted", "environ", "the memory of", jail.directory):
        t.expect(any(place in one for one in found), lambda: f"planted and not found in {place}: {found[:20]}")
