"""The Debian package on a real host: installed, used, upgraded, removed, purged. As root; in this order."""

import functools
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import urllib.request

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
PACKAGE = os.environ.get("CLAWJAIL_VM_DEB", "")
# Not those of the tree, which are in PATH.
PATH = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
DIRECTORIES = {"/run/clawjail": 0o700, "/var/lib/clawjail": 0o700, "/etc/clawjail": 0o755, "/etc/clawjail/profiles": 0o755,
               "/etc/clawjail/agents": 0o700}
KEPT = ("/var/lib/clawjail/data/demo/kept", "/var/lib/clawjail/logs/demo.log", "/etc/clawjail/profiles/mine.json5")


def run(*words, check=True):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **PATH})
    assert not check or done.returncode == 0, f"{words} exited with {done.returncode}:\n{done.stdout}"
    return done.stdout


def version_of(package):
    return run("dpkg-deb", "--field", package, "Version").strip()


def loaded():
    """Names of the AppArmor profiles that the kernel has."""
    with open("/sys/kernel/security/apparmor/profiles") as file:
        return {line.split(" (")[0] for line in file}


def takes_userns():
    """Whether this host's AppArmor knows rules for user namespaces."""
    return os.path.exists("/etc/apparmor.d/abi/4.0") and os.path.exists("/usr/share/clawjail/apparmor/clawjail")


@functools.cache
def repacked():
    """(an older version with a file that the newer has not, the same version): not compressed, which takes long here."""
    place = tempfile.mkdtemp()
    tree = f"{place}/tree"
    run("dpkg-deb", "--raw-extract", PACKAGE, tree)
    build = ("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree)
    run(*build, f"{place}/same.deb")
    with open(f"{tree}/DEBIAN/control") as file:
        text = file.read()
    with open(f"{tree}/DEBIAN/control", "w") as file:
        file.write(text.replace(f"Version: {version_of(PACKAGE)}\n", "Version: 0.0.1-1\n"))
    with open(f"{tree}/usr/share/clawjail/profiles/older.json5", "w") as file:
        file.write("{}\n")
    run(*build, f"{place}/older.deb")
    return f"{place}/older.deb", f"{place}/same.deb"


def keep():
    for path in KEPT:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").close()


def kept(said):
    for path in KEPT:
        assert os.path.exists(path), (path, said)
    pwd.getpwnam("clawjail")
    for word in ("left alone", "/var/lib/clawjail", "/etc/clawjail", "'clawjail'"):
        assert word in said, said


def test_the_package_installs_and_starts_nothing():
    assert os.path.isfile(PACKAGE), "CLAWJAIL_VM_DEB names no package: make deb"
    run("dpkg", "--install", PACKAGE)
    assert "ok installed" in run("dpkg-query", "-W", "-f=${Status}", "clawjail")
    assert run("dpkg", "--verify", "clawjail") == ""
    assert run("/usr/bin/clawjail", "--version").strip() + "-1" == version_of(PACKAGE)
    assert "clawjail" not in run("systemctl", "list-units", "--all", "--no-legend", "--plain", "clawjail*")
    assert "/usr/share/clawjail/profiles/research.json5" in run("/usr/bin/clawjail", "profile", "list")


def test_the_user_has_no_login_no_password_and_no_home():
    user = pwd.getpwnam("clawjail")
    assert user.pw_shell == "/usr/sbin/nologin" and not os.path.exists(user.pw_dir), user
    assert 0 < user.pw_uid < 1000, user
    assert run("getent", "shadow", "clawjail").split(":")[1][:1] in ("!", "*")
    assert run("id", "-Gn", "clawjail").split() == ["clawjail"]


def test_the_directories_are_as_the_program_wants_them():
    for path, mode in DIRECTORIES.items():
        status = os.lstat(path)
        assert stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == mode, (path, oct(status.st_mode))
        assert (status.st_uid, status.st_gid) == (0, 0), path


def test_the_manual_and_the_completions_are_found():
    assert run("man", "--where", "clawjail-run").startswith("/usr/share/man/man1/clawjail-run.1")
    assert run("man", "--where", "5", "clawjail-profile").startswith("/usr/share/man/man5/")
    assert "--profile" in run("man", "--pager=cat", "clawjail-run")
    script = """
        . /usr/share/bash-completion/bash_completion
        _completion_loader clawjail
        complete -p clawjail
        COMP_WORDS=(clawjail run --profile res); COMP_CWORD=3; COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}
        _clawjail clawjail res --profile; echo "${COMPREPLY[@]}"
    """
    said = run("bash", "-c", script)
    assert "_clawjail" in said and said.splitlines()[-1].strip() == "research", said


def test_apparmor_has_the_profile_where_it_knows_it():
    assert os.path.exists("/etc/apparmor.d/clawjail") == takes_userns()
    assert ("clawjail" in loaded()) == takes_userns()
    # A profile that the parser does not read would keep the service from starting.
    run("systemctl", "restart", "apparmor")
    assert ("clawjail" in loaded()) == takes_userns()


def test_a_jail_runs_for_an_ordinary_user():
    script = "id -u; cat /etc/shadow 2>&1; echo inside"
    said = run(
        "systemd-run", "--machine=alice@.host", "--user", "--quiet", "--pipe", "--wait", "--collect", "-p", "Delegate=yes",
        "/usr/bin/clawjail", "run", "--profile", "session", "--", "sh", "-c", script)
    lines = said.splitlines()
    assert lines[0] == "1000" and lines[-1] == "inside" and "No such file" in said, said


def test_a_jail_runs_for_the_user_of_the_package():
    said = run(
        "systemd-run", "--quiet", "--pipe", "--wait", "--collect", "-p", "Delegate=yes",
        "/usr/bin/clawjail", "run", "--user", "clawjail", "--profile", "session", "--", "sh", "-c", "echo inside")
    assert said.strip() == "inside", said


def test_the_unit_of_the_package_is_up_when_the_gateway_answers():
    gateway = "/srv/sample-gateway"
    shutil.copytree(os.path.join(TREE, "scripts/sample-gateway"), gateway)
    files = {"/etc/clawjail/profiles/packaged.json5": "{ extends: 'research' }\n",
             "/etc/clawjail/agents/packaged.env":
                 f"CLAWJAIL_COMMAND=node {gateway}/gateway.js gateway\nOPENCLAW_GATEWAY_TOKEN=token\n"}
    for path, text in files.items():
        with open(path, "w") as file:
            file.write(text)
    run("systemctl", "daemon-reload")
    run("systemctl", "start", "clawjail@packaged")
    with urllib.request.urlopen("http://127.0.0.1:18789/healthz", timeout=10) as answer:
        assert answer.status == 200
    assert "/usr/bin/clawjail" in run("systemctl", "show", "-P", "ExecStart", "clawjail@packaged")
    assert "packaged" in run("runuser", "-u", "clawjail", "--", "/usr/bin/clawjail", "ps")
    run("systemctl", "stop", "clawjail@packaged")
    assert run("systemctl", "show", "-P", "Result", "clawjail@packaged").strip() == "success"
    shutil.rmtree(gateway)
    for path in files:
        os.unlink(path)


def test_an_upgrade_takes_the_place_of_the_older_version():
    keep()
    run("dpkg", "--force-downgrade", "--install", repacked()[0])
    assert os.path.exists("/usr/share/clawjail/profiles/older.json5")
    said = run("dpkg", "--install", repacked()[1])
    assert not os.path.exists("/usr/share/clawjail/profiles/older.json5")
    assert run("dpkg-query", "-W", "-f=${Version}", "clawjail") == version_of(PACKAGE)
    assert all(os.path.exists(path) for path in KEPT), said
    assert ("clawjail" in loaded()) == takes_userns()


def test_a_profile_that_the_administrator_changed_stays_through_an_upgrade():
    if not takes_userns():
        return
    with open("/etc/apparmor.d/clawjail", "a") as file:
        file.write("# mine\n")
    said = run("dpkg", "--install", repacked()[1])
    with open("/etc/apparmor.d/clawjail") as file:
        text = file.read()
    assert text.endswith("# mine\n") and "was changed here" in said, said
    with open("/etc/apparmor.d/clawjail", "w") as file:
        file.write(text.removesuffix("# mine\n"))


def test_removing_takes_the_programs_and_leaves_the_data():
    said = run("dpkg", "--remove", "clawjail")
    kept(said)
    for path in ("/usr/bin/clawjail", "/usr/share/clawjail", "/usr/libexec/clawjail", "/etc/apparmor.d/clawjail"):
        assert not os.path.exists(path), path
    assert "clawjail" not in loaded()


def test_purging_leaves_the_data_and_says_so():
    run("dpkg", "--install", repacked()[1])
    said = run("dpkg", "--purge", "clawjail")
    kept(said)
    assert "rm -r /var/lib/clawjail" in said, said
    assert run("dpkg-query", "-W", "-f=${Status}", "clawjail", check=False).startswith(("dpkg-query: no packages", "unknown"))


def test_a_user_that_is_there_already_is_left_as_it_is():
    run("userdel", "clawjail")
    run("useradd", "--system", "--home-dir", "/srv/claw", "--shell", "/bin/sh", "clawjail")
    before = pwd.getpwnam("clawjail")
    run("dpkg", "--install", repacked()[1])
    assert pwd.getpwnam("clawjail") == before
    # As it was before the first test, for the tests of others.
    run("dpkg", "--purge", "clawjail")
    # The heads of logs only grow, for root as well, until somebody says otherwise.
    run("sh", "-c", "test ! -e /var/lib/clawjail/audit/heads || chattr -a /var/lib/clawjail/audit/heads")
    run("rm", "-rf", "/var/lib/clawjail", "/var/lib/clawjail-clawjail", "/etc/clawjail", "/run/clawjail", "/run/clawjail-clawjail")
    run("userdel", "clawjail")
