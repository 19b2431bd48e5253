"""Jails as services of systemd: what docs/systemd.md says of them. As root, in a machine of its own."""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
PREFIX = "/usr/local"
CLAWJAIL = f"{PREFIX}/bin/clawjail"
GATEWAY = f"{PREFIX}/share/clawjail/sample-gateway/gateway.js"
RUN = "/run/clawjail-clawjail"
# Everything takes long under emulation.
PATIENCE = 180

HEALTH = """health: { http: { port: 18789, path: "/healthz" }, startPeriod: "2m", interval: "1s", timeout: "4s", retries: 2 }"""
PROCESS = """process: { stopGrace: "5s" }"""
PROFILES = {
    "demo": f'{{ extends: "research", {PROCESS}, {HEALTH} }}',
    # Lists only grow: another port means another beginning.
    "second": f'{{ extends: "offline", {PROCESS}, {HEALTH}, network: {{ publish: ["18790:18789"] }} }}',
    "keeper": f'{{ extends: "offline", {PROCESS}, filesystem: {{ data: {{ size: "16M" }} }} }}',
    "broken": '{ extends: "research", proces: {} }',
}
WALLS = ("NoNewPrivileges", "ProtectSystem", "PrivateUsers")


def run(*words, check=True, **more):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE * 2, **more)
    assert not check or done.returncode == 0, f"{' '.join(words)}: {done.returncode}\n{done.stdout}"
    return done


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def eventually(what, condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.3)
    raise AssertionError(f"not within {seconds} s: {what}\n{journal_tail()}")


def journal_tail():
    return run("journalctl", "-b", "-o", "cat", "-n", "40", "--no-pager", check=False).stdout


def journal(unit):
    return run("journalctl", "-b", "-o", "cat", "--no-pager", "-u", unit, check=False).stdout


def show(unit, name):
    return run("systemctl", "show", "-P", name, unit).stdout.strip()


def healthy(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def processes(unit):
    """Of the unit and all groups below, as {pid: name}."""
    found = {}
    top = "/sys/fs/cgroup" + (show(unit, "ControlGroup") or f"/system.slice/{unit}")
    for place, _, files in os.walk(top):
        if "cgroup.procs" not in files:
            continue
        try:
            with open(f"{place}/cgroup.procs", encoding="ascii") as file:
                pids = [int(line) for line in file]
            for pid in pids:
                with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                    found[pid] = file.read().strip()
        except OSError:
            pass
    return found


def gateway(unit):
    return next((pid for pid, name in processes(unit).items() if name.startswith(("node", "openclaw", "MainThread"))), None)


def install():
    """As `make install` lays it out, for a user that cannot look into anybody's home."""
    if os.path.exists(GATEWAY):
        return
    os.makedirs(f"{PREFIX}/share/clawjail", exist_ok=True)
    for name in ("clawjail", "clawjail-egress"):
        shutil.copy2(f"{TREE}/.build/release/{name}", f"{PREFIX}/bin/{name}")
    os.makedirs(f"{PREFIX}/libexec/clawjail", exist_ok=True)
    shutil.copy2(f"{TREE}/.build/release/jailprobe", f"{PREFIX}/libexec/clawjail/jailprobe")
    shutil.copytree(f"{TREE}/profiles", f"{PREFIX}/share/clawjail/profiles", dirs_exist_ok=True)
    shutil.copytree(f"{TREE}/scripts/sample-gateway", f"{PREFIX}/share/clawjail/sample-gateway", dirs_exist_ok=True)
    run(CLAWJAIL, "setup", "--unit", "clawjail@", "--watchdog", "20s")
    for name, text in PROFILES.items():
        write(f"/etc/clawjail/profiles/{name}.json5", text)
        write(f"/etc/clawjail/agents/{name}.env",
              f"CLAWJAIL_COMMAND=node {GATEWAY} gateway\nOPENCLAW_GATEWAY_TOKEN=token\n", 0o600)


def start(name):
    install()
    unit = f"clawjail@{name}.service"
    run("systemctl", "reset-failed", unit, check=False)
    run("systemctl", "start", unit)
    return unit


def stop(unit):
    run("systemctl", "stop", unit)
    run("systemctl", "reset-failed", unit, check=False)


def restarted(unit, main):
    """Another supervisor, and it is well."""
    return show(unit, "MainPID") not in (main, "0") and show(unit, "ActiveState") == "active"


# The tests


def test_setup_is_idempotent():
    install()
    again = run(CLAWJAIL, "setup", "--unit", "clawjail@", "--watchdog", "20s").stdout
    assert all(line.startswith("there") for line in again.splitlines()), again
    with open("/etc/shadow", encoding="utf-8") as file:
        line = next(line for line in file if line.startswith("clawjail:"))
    assert line.split(":")[1].startswith("!"), line
    assert run("id", "-Gn", "clawjail").stdout.split() == ["clawjail"]
    for path, mode in ("/etc/clawjail/agents", 0o700), ("/var/lib/clawjail-clawjail", 0o700):
        assert os.stat(path).st_mode & 0o7777 == mode, path
    os.symlink("/tmp", "/var/lib/clawjail-other")
    refused = run(CLAWJAIL, "setup", "--user", "other", "--dry-run", check=False)
    os.unlink("/var/lib/clawjail-other")
    assert refused.returncode == 78 and "it is a symlink" in refused.stdout, refused.stdout


def test_active_only_once_healthy():
    install()
    unit = "clawjail@demo.service"
    run("systemctl", "start", "--no-block", unit)
    waited = 0
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and (state := show(unit, "ActiveState")) != "active":
        assert state in ("activating", "inactive"), f"{state}\n{journal(unit)}"
        waited += 1
    assert waited and healthy(18789), f"active without an answer\n{journal(unit)}"
    assert show(unit, "StatusText") == "healthy"
    # Found by its own user, wherever that one comes from.
    for words in (["runuser", "-u", "clawjail", "--", CLAWJAIL, "ps"],):
        listing = run(*words).stdout
        assert re.search(r"^demo +demo ", listing, re.M) and "healthy" in listing, listing
    assert run("runuser", "-u", "clawjail", "--", CLAWJAIL, "exec", "demo", "--", "node", "-p", "6*7").stdout == "42\n"
    for name in WALLS:
        assert show(unit, name) in ("yes", "strict"), name
    inside = run("runuser", "-u", "clawjail", "--", CLAWJAIL, "exec", "demo", "--", "node", "-p",
                 "JSON.stringify(process.env)").stdout
    assert "NOTIFY_SOCKET" not in inside and "WATCHDOG" not in inside, inside
    stop(unit)


def test_stop_is_clean():
    unit = start("demo")
    pids = processes(unit)
    assert len(pids) >= 4, pids
    stop(unit)
    assert show(unit, "Result") == "success" and show(unit, "ActiveState") == "inactive", journal(unit)
    assert "[gateway] stopped" in journal(unit), journal(unit)
    assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}")], pids
    assert not os.path.exists(f"{RUN}/demo")


def test_hung_gateway_is_restarted_by_the_watchdog():
    unit = start("demo")
    main, count = show(unit, "MainPID"), int(show(unit, "NRestarts"))
    os.kill(gateway(unit), 19)
    eventually("the watchdog", lambda: "Watchdog timeout" in journal(unit))
    eventually("another start", lambda: restarted(unit, main))
    assert int(show(unit, "NRestarts")) == count + 1
    assert "unhealthy: 2 times in a row: GET 127.0.0.1:18789/healthz: no answer within 4s" in journal(unit)
    assert healthy(18789)
    stop(unit)


def test_killed_supervisor_leaves_nothing_and_is_restarted():
    unit = start("demo")
    main, pids = show(unit, "MainPID"), processes(unit)
    os.kill(int(main), 9)
    eventually("everything is gone", lambda: not [pid for pid in pids if os.path.exists(f"/proc/{pid}")], 30)
    eventually("another start", lambda: restarted(unit, main))
    assert healthy(18789)
    stop(unit)
    assert not os.path.exists(f"{RUN}/demo")


def test_memory_limit_is_named_and_the_service_goes_on():
    unit = start("demo")
    hog = "const all=[];for(;;)all.push(Buffer.alloc(16<<20,1))"
    done = run("runuser", "-u", "clawjail", "--", CLAWJAIL, "exec", "demo", "--", "node", "-e", hog, check=False)
    assert done.returncode != 0, done.stdout
    eventually("the limit's name", lambda: "memory limit 512M reached" in journal(unit), 60)
    eventually("the service goes on", lambda: show(unit, "ActiveState") == "active" and healthy(18789))
    assert "oom-kill" not in show(unit, "Result")
    print(f"| restarts after the memory limit: {show(unit, 'NRestarts')}")
    stop(unit)


def test_invalid_profile_is_not_restarted():
    install()
    unit = "clawjail@broken.service"
    assert run("systemctl", "start", unit, check=False).returncode != 0
    time.sleep(8)
    assert show(unit, "ExecMainStatus") == "78" and show(unit, "NRestarts") == "0", journal(unit)
    assert show(unit, "ActiveState") == "failed"
    assert "unknown key 'proces'" in journal(unit), journal(unit)
    run("systemctl", "reset-failed", unit)


def test_two_instances_at_once():
    first, second = start("demo"), start("second")
    assert healthy(18789) and healthy(18790)
    names = run("runuser", "-u", "clawjail", "--", CLAWJAIL, "ps").stdout
    assert re.search(r"^demo ", names, re.M) and re.search(r"^second ", names, re.M), names
    stop(first)
    assert healthy(18790) and not healthy(18789), journal(second)
    assert show(second, "ActiveState") == "active"
    stop(second)


def score(unit):
    text = run("systemd-analyze", "security", "--no-pager", unit).stdout
    found = re.search(r"Overall exposure level for .*: ([0-9.]+)", text)
    assert found, text
    for line in text.splitlines():
        if "✗" in line:
            print(f"| {line.strip()}")
    return float(found[1])


def test_security_score():
    install()
    figure = score("clawjail@demo.service")
    print(f"| systemd-analyze security clawjail@demo.service: {figure}")
    assert figure <= 3.6, figure


def doctor(*options):
    """What doctor says in a unit that has everything of the exported one but the jail."""
    text = run(CLAWJAIL, "export", "systemd", "--name", "check", *options, "--", "node").stdout
    text = re.sub(r"(?m)^ExecStart=.*", f"ExecStart={CLAWJAIL} doctor --json\nStandardOutput=file:/run/doctor.json", text)
    text = re.sub(r"(?m)^(Type|NotifyAccess|WatchdogSec|Restart)=.*\n", "", text)
    write("/run/systemd/system/check.service", text.replace("[Service]\n", "[Service]\nType=oneshot\n"))
    run("systemctl", "daemon-reload")
    if os.path.exists("/run/doctor.json"):
        os.unlink("/run/doctor.json")
    run("systemctl", "start", "check.service")
    with open("/run/doctor.json", encoding="utf-8") as file:
        return json.load(file)


def test_doctor_of_the_service_user():
    install()
    run("sysctl", "-q", "-w", "kernel.yama.ptrace_scope=1")
    checks = doctor()
    # Of the machine, and not of the user: OpenClaw is not installed, and the older kernel lacks vm.memfd_noexec.
    excused = {"openclaw"} | (set() if os.path.exists("/proc/sys/vm/memfd_noexec") else {"memfd"})
    bad = [check for check in checks if check["status"] != "ok" and check["name"] not in excused]
    for check in bad:
        print(f"| {check}")
    assert not bad and len(checks) > 10, checks


def test_started_by_root_for_the_user():
    install()
    text = run(CLAWJAIL, "export", "systemd", "--root", "--name", "rooted", "--profile", "demo", "--", "node", GATEWAY,
               "gateway").stdout
    write("/run/systemd/system/rooted.service", text)
    run("systemctl", "daemon-reload")
    run("systemctl", "start", "rooted.service")
    assert healthy(18789), journal("rooted.service")
    assert re.search(r"^rooted ", run(CLAWJAIL, "ps").stdout, re.M)
    owner = os.stat(f"/proc/{gateway('rooted.service')}").st_uid
    assert owner == int(run("id", "-u", "clawjail").stdout), owner
    print(f"| systemd-analyze security rooted.service: {score('rooted.service')}")
    stop("rooted.service")


def test_a_locked_down_service_is_not_brought_back():
    unit = start("demo")
    eventually("healthy", lambda: healthy(18789))
    done = run("setpriv", "--reuid=clawjail", "--regid=clawjail", "--init-groups", CLAWJAIL, "lockdown", "demo", "--reason",
               "a drill", "--json")
    outcome = json.loads(done.stdout.splitlines()[-1])
    assert outcome["frozen"] and outcome["stopped"] and not outcome["failure"], done.stdout
    assert os.stat(outcome["archive"]).st_mode & 0o777 == 0o400, outcome
    eventually("the unit has failed", lambda: show(unit, "ActiveState") == "failed")
    assert show(unit, "ExecMainStatus") == "78", show(unit, "ExecMainStatus")
    # Longer than RestartSec.
    time.sleep(8)
    assert show(unit, "ActiveState") == "failed" and not processes(unit), journal(unit)
    run("systemctl", "reset-failed", unit)
    run("systemctl", "start", unit, check=False)
    eventually("it is refused", lambda: show(unit, "ExecMainStatus") == "78" and show(unit, "ActiveState") == "failed")
    assert "is locked down" in journal(unit), journal(unit)
    run("setpriv", "--reuid=clawjail", "--regid=clawjail", "--init-groups", CLAWJAIL, "unlock", "demo", "--reason", "over")
    start("demo")
    eventually("healthy again", lambda: healthy(18789))
    stop(unit)


def snapshots(name):
    listing = run("runuser", "-u", "clawjail", "--", CLAWJAIL, "data", "list", name, "--json").stdout
    return [json.loads(line) for line in listing.splitlines()]


def test_promises_hold_under_systemd():
    """On cgroup v2: a profile by a trial, and a service that runs from outside."""
    unit = start("second")
    print("| " + run("runuser", "-u", "clawjail", "--", CLAWJAIL, "verify", "second").stdout.strip().splitlines()[-1])
    stop(unit)
    for profile in ("offline", "research"):
        said = run(CLAWJAIL, "verify", "--profile", profile, "--user", "clawjail", check=False)
        assert said.returncode == 0, said.stdout
        print("| " + said.stdout.strip().splitlines()[-1])


def test_nightly_snapshots():
    install()
    units = {"service": "clawjail-snapshot@.service", "timer": "clawjail-snapshot@.timer"}
    for part, name in units.items():
        write(f"/run/systemd/system/{name}",
              run(CLAWJAIL, "export", "systemd", "--template", "--snapshots", part, "--keep", "2", "--days", "0").stdout)
    run("systemctl", "daemon-reload")
    # What it may have to say of other units is not ours; pages of the manual are not installed here.
    said = run("systemd-analyze", "verify", "--man=no", *(f"/run/systemd/system/{name}" for name in units.values())).stdout
    assert "snapshot" not in said, said
    write("/etc/clawjail/agents/keeper.env", "CLAWJAIL_COMMAND=node -e setInterval(()=>{},1e3)\n", 0o600)
    unit = start("keeper")
    run("runuser", "-u", "clawjail", "--", CLAWJAIL, "exec", "keeper", "--", "node", "-e",
        "require('fs').writeFileSync('/data/kept','yes')")
    service = "clawjail-snapshot@keeper.service"
    run("systemctl", "start", service)
    first = snapshots("keeper")
    assert len(first) == 1, f"{first}\n{journal(service)}"
    assert "consistent" in journal(service) and "not consistent" not in journal(service), journal(service)
    # The jail goes on, and is where it was.
    assert show(unit, "ActiveState") == "active"
    run("runuser", "-u", "clawjail", "--", CLAWJAIL, "ps")
    stop(unit)
    # Also of one that does not run; and only so many stay.
    for _ in range(2):
        run("systemctl", "start", service)
    assert len(snapshots("keeper")) == 2, journal(service)
    run("systemctl", "enable", "--now", "--runtime", "clawjail-snapshot@keeper.timer")
    assert "clawjail-snapshot@keeper.timer" in run("systemctl", "list-timers", "--all", "--no-pager").stdout
    run("systemctl", "disable", "--now", "--runtime", "clawjail-snapshot@keeper.timer")
    print(f"| systemd-analyze security {service}: {score(service)}")
