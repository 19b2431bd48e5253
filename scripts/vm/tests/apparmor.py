"""AppArmor: profiles that clawjail writes, commands that are put into them, and the one that lets clawjail itself work."""

import contextlib
import os
import re
import shutil
import subprocess
import time

CLAWJAIL = os.environ.get("CLAWJAIL_TEST_BINARY", "clawjail")
TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
PLACE = "/srv/apparmor"
LOADED = "/sys/kernel/security/apparmor/profiles"
ORDER = {"root": ["--user", "alice"], "alice": []}
# A person's jails have no cgroup of their own outside of a user manager's scope.
OPTIONAL = 'optional: ["cgroup"]'


def run(*command, check=True, by="root", **options):
    if by != "root":
        command = ("runuser", "-u", by, "--", "env", f"HOME=/home/{by}", "XDG_RUNTIME_DIR=/run/user/1000", *command)
    options.setdefault("stdin", subprocess.DEVNULL)
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120, **options)
    if check:
        assert result.returncode == 0, f"{command}: {result.returncode}\n{result.stdout}{result.stderr}"
    return result


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def profile(name, text):
    """A profile of clawjail's that both users may read."""
    path = f"/etc/clawjail/profiles/{name}.json5"
    return write(path, text)


def export(name, *arguments, by="root"):
    return run(CLAWJAIL, "export", "apparmor", "--profile", name, *ORDER[by], *arguments, by=by).stdout


def parse(text, *options, check=True):
    path = write(f"{PLACE}/profile", text)
    return run("apparmor_parser", "-K", *options, path, check=check)


@contextlib.contextmanager
def loaded(text):
    parse(text, "-r")
    try:
        yield
    finally:
        parse(text, "-R", check=False)


def modes():
    """What the kernel has loaded, and in which mode."""
    with open(LOADED, encoding="utf-8") as file:
        return dict(re.fullmatch(r"(.*) \((.*)\)", line.rstrip("\n")).groups() for line in file)


def log(verdict, name):
    """Lines of the kernel's about a profile. They pass through auditd, where it runs."""
    time.sleep(1)
    text = run("dmesg").stdout
    with contextlib.suppress(FileNotFoundError):
        with open("/var/log/audit/audit.log", encoding="utf-8", errors="replace") as file:
            text += file.read()
    return [line for line in text.splitlines()
            if f'apparmor="{verdict}"' in line and re.search(rf'profile="[^"]*{re.escape(name)}[^"]*"', line)]


def jail(name, *command, by="root", arguments=(), **options):
    return run(CLAWJAIL, "run", "--profile", name, *ORDER[by], *arguments, "--", *command, by=by, **options)


LABEL = "cat /proc/self/attr/apparmor/current"


def shell_profile(name, more="", apparmor=None):
    return profile(name, f"""{{ process: {{ programs: ["/usr/bin/"], shell: true{f', apparmor: "{apparmor}"' if apparmor else ''} }},
        filesystem: {{ tmp: "4M"{more} }}, {OPTIONAL} }}""")


def test_profiles_that_are_written_load():
    # The machine has less memory than 'shell' gives.
    profile("aa-shell", '{ extends: "shell", limits: { memory: "256M" } }')
    for name in ("offline", "research", "stateful", "webhooks", "messaging", "aa-shell", "session"):
        command = [] if name == "session" else ["--", "node", f"{TREE}/scripts/sample-gateway/gateway.js"]
        text = export(name, *command)
        with loaded(text):
            assert modes().get(f"clawjail-{name}") == "enforce", modes()
        with loaded(export(name, "--complain", "--name", "other", *command)):
            assert modes().get("other") == "complain", modes()
        for abi in ("3.0", "4.0"):
            if os.path.exists(f"/etc/apparmor.d/abi/{abi}"):
                with loaded(export(name, "--abi", abi, *command)):
                    assert modes().get(f"clawjail-{name}") == "enforce", modes()


def narrow(name, complain=False):
    """A jail that may write to two directories, and an AppArmor profile of it that has lost one of them."""
    for part in ("one", "two"):
        shutil.rmtree(f"{PLACE}/{part}", ignore_errors=True)
        os.makedirs(f"{PLACE}/{part}")
        shutil.chown(f"{PLACE}/{part}", "alice", "alice")
    shell_profile(name, f', write: ["{PLACE}/one", "{PLACE}/two"]', apparmor=name)
    text = export(name, *(["--complain"] if complain else []))
    kept = [line for line in text.splitlines(keepends=True) if not line.strip().startswith(f'"{PLACE}/two/')]
    assert len(text.splitlines()) - len(kept) == 2, text
    return "".join(kept), f"cat /proc/self/attr/apparmor/current; echo 1 > {PLACE}/one/x; echo 2 > {PLACE}/two/x"


def test_a_write_that_is_not_listed_is_blocked_though_the_mount_allows_it():
    text, script = narrow("aa-narrow")
    for by in ORDER:
        with loaded(text):
            result = jail("aa-narrow", "sh", "-c", script, by=by, check=False)
            assert "aa-narrow (enforce)" in result.stdout, result
            assert result.returncode != 0 and "Permission denied" in result.stderr, result
            assert os.listdir(f"{PLACE}/one") == ["x"] and os.listdir(f"{PLACE}/two") == []
            denied = log("DENIED", "aa-narrow")
            assert any(f'name="{PLACE}/two/x"' in line for line in denied), denied
        os.unlink(f"{PLACE}/one/x")
    # The mount does: the same jail without the wall.
    shell_profile("aa-narrow", f', write: ["{PLACE}/one", "{PLACE}/two"]')
    jail("aa-narrow", "sh", "-c", script)
    assert os.listdir(f"{PLACE}/two") == ["x"]


def test_complain_mode_logs_and_allows():
    text, script = narrow("aa-complain", complain=True)
    with loaded(text):
        result = jail("aa-complain", "sh", "-c", script)
        assert "aa-complain (complain)" in result.stdout, result
    assert os.listdir(f"{PLACE}/two") == ["x"]
    allowed = log("ALLOWED", "aa-complain")
    assert any(f'name="{PLACE}/two/x"' in line for line in allowed), allowed


def test_a_profile_that_is_not_loaded_ends_the_launch():
    shell_profile("aa-absent", apparmor="aa-nowhere")
    for by in ORDER:
        result = jail("aa-absent", "true", by=by, check=False)
        assert result.returncode == 78 and result.stdout == "", result
        assert "the AppArmor profile 'aa-nowhere' is not loaded; load it with 'sudo apparmor_parser -r FILE'" in (
            result.stderr), result
    profile("aa-absent", """{ process: { programs: ["/usr/bin/"], shell: true, apparmor: "aa-nowhere" },
        optional: ["apparmor", "cgroup"] }""")
    assert jail("aa-absent", "sh", "-c", LABEL).stdout.strip() == "unconfined"


def test_commands_and_what_is_executed_later_are_in_the_profile():
    shell_profile("aa-label", apparmor="aa-label")
    with loaded(export("aa-label")):
        for by in ORDER:
            options = ["--profile", "aa-label", *ORDER[by]]
            assert jail("aa-label", "sh", "-c", LABEL, by=by).stdout.strip() == "aa-label (enforce)"
            # In a terminal of its own, below a shell.
            result = run("script", "-qec", f"{CLAWJAIL} run --tty {' '.join(options)} -- sh -c '{LABEL}; tty'", "/dev/null",
                         by=by)
            assert "aa-label (enforce)" in result.stdout and "/dev/pts/0" in result.stdout, result
            run(CLAWJAIL, "session", "create", "--id", "aa", *options, by=by)
            try:
                for _ in range(2):
                    result = run(CLAWJAIL, "session", "exec", "aa", "--", "sh", "-c", LABEL, by=by)
                    assert result.stdout.strip() == "aa-label (enforce)", result
                pids = [pid for pid in os.listdir("/proc") if pid.isdigit()]
                labels = {}
                for pid in pids:
                    with contextlib.suppress(OSError):
                        with open(f"/proc/{pid}/comm") as comm, open(f"/proc/{pid}/attr/apparmor/current") as label:
                            labels.setdefault(comm.read().strip(), set()).add(label.read().strip())
                assert labels["jail-init"] == {"unconfined"}, labels
            finally:
                run(CLAWJAIL, "session", "remove", "aa", by=by)
        assert log("DENIED", "aa-label") == []


def test_streams_can_be_looked_at_whatever_they_are():
    shell_profile("aa-streams", apparmor="aa-streams")
    look = "import os, sys; [os.fstat(n) for n in range(3)]; print(sys.stdin.read() + 'out'); print('err', file=sys.stderr)"
    with loaded(export("aa-streams")):
        source = write(f"{PLACE}/source", "in ")
        for by in ORDER:
            with open(source) as stdin, open(f"{PLACE}/out", "w+") as out, open(f"{PLACE}/err", "w+") as err:
                command = [CLAWJAIL, "run", "--profile", "aa-streams", *ORDER[by], "--", "python3", "-c", look]
                if by != "root":
                    command = ["runuser", "-u", by, "--", "env", f"HOME=/home/{by}", "XDG_RUNTIME_DIR=/run/user/1000", *command]
                subprocess.run(command, stdin=stdin, stdout=out, stderr=err, check=True, timeout=60)
                out.seek(0)
                err.seek(0)
                assert (out.read(), err.read()) == ("in out\n", "err\n")
            jail("aa-streams", "python3", "-c", look, by=by)
            run(CLAWJAIL, "session", "create", "--id", "aa-s", "--profile", "aa-streams", *ORDER[by], by=by)
            try:
                result = run(CLAWJAIL, "session", "exec", "aa-s", "--", "python3", "-c", look, by=by)
                assert result.stdout == "out\n", result
            finally:
                run(CLAWJAIL, "session", "remove", "aa-s", by=by)
        assert log("DENIED", "aa-streams") == []


def test_confined_itself_clawjail_stacks():
    everything = """profile aa-outer flags=(attach_disconnected) {
      capability, network, mount, remount, umount, pivot_root, ptrace, signal, unix, dbus, file, CHANGE USERNS
      deny /srv/apparmor/one/secret rw,
    }"""
    userns = "userns," if os.path.exists("/etc/apparmor.d/abi/4.0") else ""
    os.makedirs(f"{PLACE}/one", exist_ok=True)
    os.makedirs(f"{PLACE}/two", exist_ok=True)
    for part in ("one", "two"):
        shutil.chown(f"{PLACE}/{part}", "alice", "alice")
    text, _ = narrow("aa-inner")
    script = f"{LABEL}; echo 1 > {PLACE}/one/x; echo 2 > {PLACE}/one/secret; echo 3 > {PLACE}/two/x; sleep 60 & kill -9 $!; wait"
    for by in ORDER:
        command = ("aa-exec", "-p", "aa-outer", "--", CLAWJAIL, "run", "--profile", "aa-inner", *ORDER[by], "--",
                   "sh", "-c", script)
        with loaded(text):
            allowed = everything.replace("CHANGE", "change_profile -> &aa-inner,").replace("USERNS", userns)
            with loaded(allowed):
                result = run(*command, by=by, check=False)
                assert re.match(r"aa-inner//&aa-outer \((enforce|mixed)\)|aa-outer//&aa-inner", result.stdout), result
                assert result.stderr.count("Permission denied") == 2 and "kill" not in result.stderr, result
                assert sorted(os.listdir(f"{PLACE}/one")) == ["x"] and os.listdir(f"{PLACE}/two") == []
            with loaded(everything.replace("CHANGE", "").replace("USERNS", userns)):
                result = run(*command, by=by, check=False)
                assert result.returncode == 78, result
                assert "add 'change_profile -> &aa-inner,' to 'aa-outer'" in result.stderr, result


def test_names_of_any_character_are_rules_for_themselves():
    names = ["a b", "st*ar", "qu?stion", "br[a]ck", "br{a,b}ce", "ca^ret", 'quo"te', "back\\slash", "end\\", "at@{x}",
             "dol$lar", "ha#sh", "umläut", "co,mma", "a'b", "(x|y)&;<>`~!%", "x..."]
    others = ["st-ar", "quXstion", "bra", "bra ce", "brabce", "caret", "quote"]
    shutil.rmtree(f"{PLACE}/names", ignore_errors=True)
    for name in names + others:
        os.makedirs(f"{PLACE}/names/{name}")
        shutil.chown(f"{PLACE}/names/{name}", "alice", "alice")
    # The mount shows all of them; the profile is of a jail that shows those with the hard names.
    listed = ", ".join('{ source: "%s", target: "%s" }' % ((f"{PLACE}/names/{name}".replace("\\", "\\\\").replace('"', '\\"'),) * 2) for name in names)
    shell_profile("aa-names", f", write: [{listed}]", apparmor="aa-names")
    text = export("aa-names")
    shell_profile("aa-names", f', write: ["{PLACE}/names"]', apparmor="aa-names")
    with loaded(text):
        script = 'for d in "$0"/*; do echo x > "$d/f" || echo "not $d"; done'
        jail("aa-names", "sh", "-c", script, f"{PLACE}/names", check=False)
    written = sorted(name for name in os.listdir(f"{PLACE}/names") if os.path.exists(f"{PLACE}/names/{name}/f"))
    assert written == sorted(names), written


def test_the_gateway_is_healthy_under_its_own_profile():
    for base in ("research", "stateful"):
        name = f"aa-{base}"
        profile(name, f'{{ extends: "{base}", process: {{ apparmor: "{name}" }}, {OPTIONAL} }}')
        command = ["node", f"{TREE}/scripts/sample-gateway/gateway.js", "gateway"]
        with loaded(export(name, "--", *command)):
            gateway = subprocess.Popen(
                ["systemd-run", "--quiet", "--scope", "-p", "Delegate=yes", CLAWJAIL, "run", "--profile", name, "--name", name, *ORDER["root"], "--", *command],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            try:
                deadline = time.monotonic() + 240
                while run("curl", "-sf", "http://127.0.0.1:18789/healthz", check=False).returncode != 0:
                    assert gateway.poll() is None and time.monotonic() < deadline, "it is not healthy"
                    time.sleep(0.5)
                # Below the gateway's own process as well.
                result = run(CLAWJAIL, "exec", name, "--", "node", "-e",
                             "console.log(require('fs').readFileSync('/proc/self/attr/apparmor/current', 'utf8'))")
                assert result.stdout.strip() == f"{name} (enforce)", result
            finally:
                run(CLAWJAIL, "stop", name, check=False)
                output, _ = gateway.communicate(timeout=60)
            assert log("DENIED", name) == [], log("DENIED", name)
            assert "listening" in output, output


def test_the_profile_for_clawjail_itself():
    path = f"{TREE}/scripts/install.d/apparmor/clawjail"
    takes = os.path.exists("/etc/apparmor.d/abi/4.0")
    assert (run("apparmor_parser", "-Q", "-K", path, check=False).returncode == 0) == takes
    if not takes:
        return
    shutil.copy(CLAWJAIL, "/usr/local/bin/clawjail")
    shutil.copytree(f"{TREE}/profiles", "/usr/local/share/clawjail/profiles", dirs_exist_ok=True)
    shell_profile("aa-own", apparmor="aa-own")
    with open(path, encoding="utf-8") as file, loaded(file.read()), loaded(export("aa-own")):
        assert modes()["clawjail"] == "unconfined", modes()
        for by in ORDER:
            result = run("/usr/local/bin/clawjail", "doctor", by=by, check=False)
            assert "clawjail runs as 'clawjail (unconfined)'" in result.stdout, result
            result = run("/usr/local/bin/clawjail", "run", "--profile", "aa-own", *ORDER[by], "--", "sh", "-c", LABEL, by=by)
            assert result.stdout.strip() == "aa-own (enforce)", result
    os.unlink("/usr/local/bin/clawjail")
