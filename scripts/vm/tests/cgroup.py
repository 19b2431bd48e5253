"""Control groups of version 2, on a host with systemd: who may have them, what they hold back, and what is left."""

import contextlib
import errno
import glob
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
UID = 1000
ALICE = f"/sys/fs/cgroup/user.slice/user-{UID}.slice/user@{UID}.service"
RUNTIME = f"/run/user/{UID}"
INSIDE = "cat /proc/self/cgroup"
# A unit of alice's own manager: what systemd gives to a service there, without asking for delegation.
UNIT = ["systemd-run", "--user", "--wait", "--pipe", "--quiet", "--collect"]
# Nothing of these tests takes longer on a busy emulator.
PATIENCE = 180


# Running


def environment(user):
    values = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "dumb"}
    if user == "alice":
        values.update(HOME="/home/alice", XDG_RUNTIME_DIR=RUNTIME)
    return values


def verbatim(words):
    """For systemd-run, which takes `$NAME` for variables of the unit's."""
    return [word.replace("$", "$$") for word in words]


def command(words, user, unit=None):
    """As somebody: root in the unit of the tests, or alice as after a login, or (with a unit) below her manager."""
    if user == "alice":
        path = f"--setenv=PATH={os.environ['PATH']}"
        inner = [*unit, path, "--", *verbatim(words)] if unit else words
        return ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--init-groups", "--inh-caps=-all", "--", *inner]
    return [*unit, "--", *verbatim(words)] if unit else words


def run(words, user="root", unit=None, status=0, seconds=PATIENCE, **more):
    done = subprocess.run(command(words, user, unit), env=environment(user), stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds, cwd="/", **more)
    done.said = f"{words}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert status is None or done.returncode == status, done.said
    return done


def start(words, user="root", unit=None, **more):
    return subprocess.Popen(command(words, user, unit), env=environment(user), stdin=subprocess.DEVNULL, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", **more)


def jail(name, script, user="root", options=()):
    """The words of a jail with the host's programs and a shell."""
    who = ["--user", "alice"] if user == "root" else []
    return ["clawjail", "run", "--profile", "session", "--name", name, *who, *options, "--", "/bin/sh", "-c", script]


def eventually(what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    return what()


# Looking


def groups(name):
    return glob.glob(f"/sys/fs/cgroup/**/clawjail-{name}", recursive=True)


def scopes(name):
    return glob.glob(f"/sys/fs/cgroup/**/clawjail-{name}-*.scope", recursive=True)


def read(*parts):
    with open(os.path.join(*parts)) as file:
        return file.read().strip()


def runs(name):
    """The one group of a jail, once it has processes."""
    found = eventually(lambda: [group for group in groups(name) if read(group, "cgroup.procs")])
    assert found and len(found) == 1, f"groups of {name}: {found}"
    return found[0]


def ready(name, user="root"):
    """Until then it is still being made: nothing can be executed, and nothing is passed on."""
    def is_ready():
        return run(["clawjail", "exec", name, "--", "/bin/true"], user, status=None).returncode == 0
    assert eventually(is_ready), f"{name} does not get ready"


def members(group):
    try:
        return [int(number) for number in read(group, "cgroup.procs").split()]
    except OSError as error:
        # It is gone, or has gone while it was looked at.
        if error.errno in (errno.ENOENT, errno.ENODEV):
            return []
        raise


def supervisor(name, user="root"):
    place = f"{RUNTIME}/clawjail" if user == "alice" else "/run/clawjail"
    return json.loads(read(place, name, "state.json"))["supervisor"]


def nothing_left(name, user="root"):
    place = f"{RUNTIME}/clawjail" if user == "alice" else "/run/clawjail"
    assert eventually(lambda: not groups(name) and not scopes(name)), f"left: {groups(name)} {scopes(name)}"
    assert not os.path.exists(f"{place}/{name}"), "the run directory is left"


@contextlib.contextmanager
def running(name, script="sleep 600", user="root", unit=None, options=()):
    """A jail that is there as long as the block lasts; its process, and its group."""
    process = start(jail(name, script, user, options), user, unit)
    try:
        group = runs(name)
        ready(name, user)
        yield process, group
    finally:
        run(["clawjail", "stop", "--kill", name], user, status=None)
        process.wait(PATIENCE)


def expect(condition, text):
    assert condition, text


LIMITS = ["--memory", "64M", "--processes", "20", "--cpus", "0.5"]


def expect_limits(group):
    figures = {"memory.max": "67108864", "memory.swap.max": "0", "pids.max": "21", "cpu.max": "50000 100000",
               "memory.oom.group": "0"}
    found = {name: read(group, name) for name in figures}
    assert found == figures, found


# Who gets a group


def test_the_users_manager_is_there():
    # The tests may begin before the boot has come to that.
    assert eventually(lambda: os.path.exists(f"{RUNTIME}/systemd/private"), PATIENCE)


def test_user_in_a_service_of_their_own_gets_a_scope():
    with running("u1", user="alice", unit=UNIT, options=LIMITS) as (_, group):
        parent = os.path.dirname(group)
        assert parent.startswith(f"{ALICE}/app.slice/clawjail-u1-") and parent.endswith(".scope"), group
        expect_limits(group)
        pid = supervisor("u1", "alice")
        assert parent.endswith(f"-{pid}.scope"), (parent, pid)
        assert members(f"{parent}/clawjail-supervisors") == [pid]
        # Nothing in what hands controllers on.
        assert members(parent) == []
        assert read(parent, "cgroup.subtree_control") == "cpu memory pids"
    nothing_left("u1", "alice")


def test_user_after_a_login_gets_a_scope():
    done = run(jail("u2", INSIDE, "alice"), "alice")
    assert done.stdout == "0::/\n", done.said
    assert done.stderr == "", done.said
    nothing_left("u2", "alice")


def test_a_user_runs_the_gateway_in_research_within_its_limits():
    """What the README says, by somebody who is not root and has prepared nothing."""
    place = "/srv/gateway-of-alice"
    shutil.copytree(os.path.join(TREE, "scripts/sample-gateway"), place)
    name = "of-alice"
    process = start(["clawjail", "run", "--profile", "research", "--name", name, "--", "node", f"{place}/gateway.js",
                     "gateway"], "alice")

    def answers():
        try:
            with urllib.request.urlopen("http://127.0.0.1:18789/healthz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False
    try:
        assert eventually(answers, PATIENCE), process.poll()
        group = runs(name)
        figures = {"memory.max": str(512 << 20), "memory.swap.max": "0", "pids.max": "257", "cpu.max": "200000 100000"}
        found = {name: read(group, name) for name in figures}
        assert found == figures and group.startswith(ALICE), (group, found)
    finally:
        run(["clawjail", "stop", name], "alice", status=None)
        process.wait(PATIENCE)
        shutil.rmtree(place)
    nothing_left(name, "alice")


def test_root_gets_a_scope_of_the_systems():
    with running("r1", options=LIMITS) as (_, group):
        expect_limits(group)
        assert group.startswith("/sys/fs/cgroup/system.slice/clawjail-r1-"), group
    nothing_left("r1")


def test_a_plan_starts_no_scope():
    said = run(["clawjail", "plan", "--profile", "session", "--name", "p1", "--", "/bin/true"], "alice", UNIT).stdout
    assert "clawjail-p1-PID.scope/clawjail-p1, a scope asked of the user service manager" in said, said
    assert not scopes("p1")


def test_a_delegated_scope_is_used_as_it_is():
    words = ["systemd-run", "--user", "--scope", "--quiet", "--unit=own", "-p", "Delegate=yes",
             *jail("d1", INSIDE + "; sleep 600", "alice", LIMITS)]
    process = start(words, "alice")
    try:
        group = runs("d1")
        assert group == f"{ALICE}/app.slice/own.scope/clawjail-d1", group
        assert process.stdout.readline() == "0::/\n"
        expect_limits(group)
        assert not scopes("d1")
    finally:
        run(["clawjail", "stop", "d1"], "alice")
        process.wait(PATIENCE)
    nothing_left("d1", "alice")


def service(name, words, *properties, options=()):
    """A unit of the system's for a user without a manager."""
    if not subprocess.run(["id", "nomanager"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
        run(["useradd", "--system", "--no-create-home", "nomanager"])
    os.makedirs("/var/lib/nomanager", exist_ok=True)
    os.chown("/var/lib/nomanager", *[int(run(["id", which, "nomanager"]).stdout) for which in ("-u", "-g")])
    settings = [f"--property={value}" for value in ("User=nomanager", *properties)]
    variables = [f"--setenv={value}" for value in
                 (f"PATH={os.environ['PATH']}", "HOME=/var/lib/nomanager", "XDG_STATE_HOME=/var/lib/nomanager",
                  f"XDG_RUNTIME_DIR=/run/{name}")]
    return ["systemd-run", "--quiet", "--collect", *options, f"--unit={name}", f"--property=RuntimeDirectory={name}", *settings,
            *variables, "--", *verbatim(words)]


def stop(unit):
    run(["systemctl", "stop", unit], status=None)


def test_a_service_with_delegation_is_enough():
    run(service("unit1", jail("s1", "sleep 600", "service", LIMITS), "Delegate=yes"))
    try:
        group = runs("s1")
        assert group == "/sys/fs/cgroup/system.slice/unit1.service/clawjail-s1", group
        expect_limits(group)
        supervisors = "/sys/fs/cgroup/system.slice/unit1.service/clawjail-supervisors"
        assert len(members(supervisors)) == 1
    finally:
        stop("unit1")
    assert eventually(lambda: not groups("s1"))


def test_several_supervisors_share_a_service():
    script = " & ".join(" ".join(jail(f"m{number}", "'sleep 600'", "service")) for number in range(4))
    # The shell takes itself out of the way, as any other process of the unit must.
    leave = "mkdir $C/shell && echo $$ > $C/shell/cgroup.procs"
    run(service("unit2", ["/bin/sh", "-c", f"C=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup); {leave}; {script} & wait"],
                "Delegate=yes"))
    try:
        found = [runs(f"m{number}") for number in range(4)]
        assert {os.path.dirname(group) for group in found} == {"/sys/fs/cgroup/system.slice/unit2.service"}, found
        # The shell and the supervisors; nothing had to move out of the unit's own group.
        assert len(members("/sys/fs/cgroup/system.slice/unit2.service/shell")) == 5
    finally:
        stop("unit2")
    assert eventually(lambda: not any(groups(f"m{number}") for number in range(4)))


def test_without_delegation_or_manager_it_is_refused():
    for unit, properties, reason in (("unit3", [], "may not make cgroups"),
                                     ("unit4", ["Delegate=yes"], "other processes share")):
        words = ["/bin/sh", "-c", " ".join(jail("n1", "true", "service")) + "; exit $?"]
        done = run(service(unit, words, *properties, options=["--wait", "--pipe"]), status=78)
        assert reason in done.stderr and "Delegate=yes" in done.stderr, done.said
        assert done.stderr.count("\n") == 1, done.said
    nothing_left("n1")


def test_a_missing_controller_is_named():
    place = f"/run/systemd/system/user@{UID}.service.d"
    os.makedirs(place, exist_ok=True)
    with open(f"{place}/less.conf", "w") as file:
        file.write("[Service]\nDelegate=\nDelegate=memory pids\n")
    restart = ["systemctl", "restart", f"user@{UID}.service"]
    try:
        run(["systemctl", "daemon-reload"])
        run(restart)
        done = run(jail("c1", "true", "alice"), "alice", status=78)
        assert "the controller 'cpu' is not delegated to the user service manager" in done.stderr, done.said
        done = run(["clawjail", "doctor"], "alice", status=None)
        assert "; not cpu" in done.stdout and "user@.service.d/delegate.conf" in done.stdout, done.said
    finally:
        os.unlink(f"{place}/less.conf")
        run(["systemctl", "daemon-reload"])
        run(restart)
    run(jail("c1", "true", "alice"), "alice")


def test_a_manager_that_does_not_answer_holds_nobody():
    pid = int(run(["systemctl", "show", "-P", "MainPID", f"user@{UID}.service"]).stdout)
    os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    try:
        done = run(jail("h1", "true", "alice"), "alice", status=125)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert "did not answer within" in done.stderr and "systemd-run --user --scope" in done.stderr, done.said
    assert time.monotonic() - started < 30
    nothing_left("h1", "alice")


def test_the_doctor_says_where_groups_come_from():
    said = run(["clawjail", "doctor"], "alice", UNIT, status=None).stdout
    assert "the user service manager gives each jail a scope, with cpu" in said, said
    assert "lingering" in said and "as long as the host does" in said, said
    said = run(["clawjail", "doctor"], status=None).stdout
    assert "version 2" in said, said


# What it holds back

CALLERS = [("root", None), ("alice", UNIT)]


def test_memory_is_limited_and_named():
    for user, unit in CALLERS:
        done = run(jail("l1", "python3 -c 'bytearray(200 << 20)'; echo child $?; sleep 3; exit 3", user, LIMITS), user, unit, 3)
        # The kernel killed one process, neither it nor systemd the jail.
        assert done.stdout == "child 137\n", done.said
        assert "memory limit 64M reached" in done.stderr and "limits.memory" in done.stderr, done.said
        nothing_left("l1", user)


def test_swap_is_not_a_way_out():
    with tempfile.NamedTemporaryFile(dir="/var/tmp") as file:
        os.truncate(file.name, 0)
        run(["dd", "if=/dev/zero", f"of={file.name}", "bs=1M", "count=128", "status=none"])
        os.chmod(file.name, 0o600)
        run(["mkswap", file.name])
        run(["swapon", file.name])
        try:
            done = run(jail("w1", "python3 -c 'bytearray(100 << 20)'", options=LIMITS), status=137)
            assert "memory limit 64M reached" in done.stderr, done.said
        finally:
            run(["swapoff", file.name])


def test_processes_are_limited_and_named():
    for user, unit in CALLERS:
        script = "for i in $(seq 40); do sleep 2 & done 2>/dev/null; wait; exit 0"
        done = run(jail("l2", script, user, LIMITS), user, unit, status=None)
        assert "process limit 20 reached" in done.stderr and "limits.processes" in done.stderr, done.said
        nothing_left("l2", user)


def test_processors_are_limited_and_named():
    for user, unit in CALLERS:
        script = "$start = time; 1 while time < $start + 8; @t = times; print(($t[0] + $t[1]) / (time - $start))"
        done = run(["clawjail", "run", "--profile", "session", "--name", "l3", "--cpus", "0.15",
                    *(["--user", "alice"] if user == "root" else []), "--", "/usr/bin/perl", "-e", script], user, unit)
        # Of one processor; the first period comes on top.
        assert float(done.stdout) < 0.3, done.said
        assert "cpu limit 0.15 reached" in done.stderr and "limits.cpus" in done.stderr, done.said


# Commands executed later


def test_execs_have_groups_of_their_own():
    for user, unit in CALLERS:
        with running("e1", user=user, unit=unit) as (_, group):
            done = run(["clawjail", "exec", "e1", "--", "/bin/sh", "-c", INSIDE], user)
            assert done.stdout.startswith("0::/exec-"), done.said
            process = start(["clawjail", "exec", "e1", "--exec-id", "x", "--", "/bin/sh", "-c",
                             "setsid -f sleep 601; sleep 600"], user)
            leaf = eventually(lambda: [found for found in glob.glob(f"{group}/exec-*") if len(members(found)) >= 3])
            assert leaf, glob.glob(f"{group}/exec-*")
            done = run(["clawjail", "session", "kill", "--exec-id", "x", "e1"], user, status=None)
            assert process.wait(30) == 137, done.said
            # What had left its session went with it, and the jail did not.
            assert eventually(lambda: not os.path.exists(leaf[0])), members(leaf[0])
            assert members(group)
        nothing_left("e1", user)


def test_a_process_inside_cannot_leave():
    script = "ls /sys/fs/cgroup 2>&1; mount -t cgroup2 none /tmp 2>&1; exit 0"
    done = run(jail("x1", script, "alice"), "alice")
    assert "cgroup.procs" not in done.stdout, done.said


# What is left


def test_a_killed_supervisor_leaves_nothing():
    for user, unit in CALLERS:
        with running("k1", user=user, unit=unit) as (process, group):
            inside = members(group)
            os.kill(supervisor("k1", user), signal.SIGKILL)
            assert eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in inside)), inside
        # The next start of any jail clears up.
        run(jail("k2", "true", user), user, unit)
        nothing_left("k1", user)


def test_a_killed_supervisors_groups_are_pruned_in_a_service_too():
    one, other = (" ".join([*jail(name, "true", "service")[:-1], "'sleep 600'"]) for name in ("k3", "k4"))
    leave = "mkdir $C/shell && echo $$ > $C/shell/cgroup.procs"
    run(service("unit5", ["/bin/sh", "-c",
                          f"C=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup); {leave}; {one}; {other}"],
                "Delegate=yes"))
    try:
        group = runs("k3")
        with open("/run/unit5/clawjail/k3/state.json") as file:
            os.kill(json.load(file)["supervisor"], signal.SIGKILL)
        runs("k4")
        assert not os.path.exists(group), "the dead jail's group is still there"
    finally:
        stop("unit5")


# In the background


def test_a_detached_jail_has_a_scope_of_its_own_and_outlives_the_callers():
    words = jail("b1", "sleep 600", "alice")
    words[2:2] = ["--detach"]
    run(["/bin/sh", "-c", '"$@"; sleep 1', "sh", *words], "alice", ["systemd-run", "--user", "--wait", "--pipe", "--quiet",
                                                               "--collect", "-p", "Delegate=yes"])
    try:
        group = runs("b1")
        assert f"{ALICE}/app.slice/clawjail-b1-" in group, group
    finally:
        run(["clawjail", "stop", "b1"], "alice")
    nothing_left("b1", "alice")


def test_a_session_outlives_the_service_that_made_it():
    os.makedirs("/home/alice/w", exist_ok=True)
    os.chown("/home/alice/w", UID, UID)
    run(["clawjail", "session", "create", "--id", "b2", "--workspace", "/home/alice/w:/workspace"], "alice", UNIT)
    try:
        assert f"{ALICE}/app.slice/clawjail-b2-" in runs("b2")
        done = run(["clawjail", "session", "exec", "b2", "--", "/bin/sh", "-c", "echo hello"], "alice")
        assert done.stdout == "hello\n", done.said
    finally:
        run(["clawjail", "session", "remove", "b2"], "alice")
    nothing_left("b2", "alice")


# Standing still, and figures


def test_a_paused_jail_stands_still_and_goes_on():
    for user, unit in CALLERS:
        with running("f1", "while :; do :; done", user, unit) as (_, group):
            run(["clawjail", "pause", "f1"], user)
            assert "frozen 1" in read(group, "cgroup.events")
            used = read(group, "cpu.stat").split()[1]
            time.sleep(1)
            assert read(group, "cpu.stat").split()[1] == used
            line = [line for line in run(["clawjail", "ps"], user).stdout.splitlines() if line.startswith("f1")]
            assert "paused" in line[0], line
            state = [json.loads(line) for line in run(["clawjail", "ps", "--json"], user).stdout.splitlines()]
            assert [jail["paused"] for jail in state if jail["name"] == "f1"] == [True], state
            done = run(["clawjail", "exec", "f1", "--", "/bin/true"], user, status=121)
            assert "paused" in done.stderr and "clawjail resume f1" in done.stderr, done.said
            run(["clawjail", "pause", "f1"], user)
            run(["clawjail", "resume", "f1"], user)
            assert "frozen 0" in read(group, "cgroup.events")
            assert run(["clawjail", "exec", "f1", "--", "/bin/echo", "on"], user).stdout == "on\n"
        nothing_left("f1", user)


def test_a_paused_jail_can_be_stopped_and_killed():
    script = "trap 'exit 7' TERM; while :; do sleep 0.1; done"
    for end, status in ((["stop"], 7), (["stop", "--kill"], 137)):
        reader, writer = os.pipe()
        process = start(jail("f2", script, options=["--status-fd", str(writer)]), pass_fds=[writer])
        os.close(writer)
        runs("f2")
        ready("f2")
        run(["clawjail", "pause", "f2"])
        run(["clawjail", *end, "f2"], seconds=20)
        assert process.wait(20) == status, process.communicate()
        with os.fdopen(reader) as file:
            events = [json.loads(line)["event"] for line in file]
        assert [event for event in events if not event.startswith("exec")][:2] == ["started", "paused"], events
        nothing_left("f2")


def test_a_client_that_leaves_a_paused_jail_takes_its_command_along_later():
    with running("f3") as (_, group):
        client = start(["clawjail", "exec", "f3", "--", "/bin/sleep", "602"])
        leaf = eventually(lambda: [found for found in glob.glob(f"{group}/exec-*") if members(found)])
        run(["clawjail", "pause", "f3"])
        client.kill()
        client.wait(10)
        time.sleep(12)
        run(["clawjail", "resume", "f3"])
        assert eventually(lambda: not members(leaf[0])), "the command goes on"


def test_figures_are_the_kernels():
    for user, unit in CALLERS:
        with running("g1", "x=$(head -c 9000000 /dev/zero | tr '\\0' x); sleep 600", user, unit, LIMITS) as (_, group):
            eventually(lambda: int(read(group, "memory.current")) > 9_000_000)
            time.sleep(2)
            run(["clawjail", "pause", "g1"], user)
            said = run(["clawjail", "stats", "g1", "--json"], user).stdout
            figures = json.loads(said)
            number = {name: int(read(group, name)) for name in
                      ("memory.current", "memory.max", "memory.swap.current", "pids.current", "pids.max")}
            assert figures["paused"] is True, said
            assert figures["memory"]["current"] == number["memory.current"], (said, number)
            assert figures["memory"]["limit"] == number["memory.max"] == 64 << 20, said
            assert figures["memory"]["swap"] == number["memory.swap.current"] == 0, said
            assert figures["processes"] == {"current": number["pids.current"], "limit": 21}, said
            stat = dict(line.split() for line in read(group, "cpu.stat").splitlines())
            assert figures["cpu"]["usageMicroseconds"] == int(stat["usage_usec"]), said
            assert figures["cpu"]["throttledMicroseconds"] == int(stat["throttled_usec"]), said
            assert figures["cpu"]["limitMilliCPUs"] == 500, said
            if os.path.exists(f"{group}/memory.peak"):
                assert figures["memory"]["peak"] == int(read(group, "memory.peak")), said
            for which in ("cpu", "memory", "io"):
                try:
                    expected = read(group, f"{which}.pressure")
                except OSError:
                    expected = None
                found = figures["pressure"][which]
                assert (found is None) == (expected is None), (which, said, expected)
                if found:
                    assert f"some avg10={found['some']}" in expected or float(found["some"]) >= 0, (said, expected)
            table = run(["clawjail", "stats"], user).stdout
            assert "g1" in table and "64M" in table, table
            run(["clawjail", "resume", "g1"], user)
        assert run(["clawjail", "stats", "g1"], user, status=120)
