"""`make install` and `make uninstall`."""
import glob
import os
import stat
import tempfile

from support import commands, everything, install, installed, refused, run

PREFIXES = ("/usr", "/usr/local", "/opt/claw")


def expected(prefix):
    """By hand, and not from the list that install reads."""
    names = ["bin/clawjail", "bin/clawjail-egress", "bin/clawjail-stub", "bin/clawjail-web", "bin/clawjail-ssh", "libexec/clawjail/jailprobe",
             "libexec/clawjail/configure-host", "share/clawjail/installed",
             "share/bash-completion/completions/clawjail", "share/fish/vendor_completions.d/clawjail.fish",
             "lib/sysusers.d/clawjail.conf", "lib/tmpfiles.d/clawjail.conf", "share/doc/clawjail/NOTICE.gz",
             "share/zsh/" + ("vendor-completions" if prefix == "/usr" else "site-functions") + "/_clawjail"]
    names += ["share/clawjail/" + path for path in glob.glob("profiles/*")]
    plugin = glob.glob("scripts/openclaw-plugin/*.js*") + glob.glob("scripts/openclaw-plugin/lib/*.js")
    names += ["share/clawjail/" + path.removeprefix("scripts/") for path in plugin]
    names += ["share/clawjail/apparmor/" + os.path.basename(path) for path in glob.glob("scripts/install.d/apparmor/*")]
    names += ["lib/systemd/system/" + os.path.basename(path) for path in glob.glob(".build/install/units/*")]
    names += ["share/clawjail/prices.json5"]
    names += ["share/man/man1/" + "-".join(words) + ".1.gz" for words, _ in commands()]
    names += [f"share/man/man1/{name}.1.gz"
              for name in ("clawjail-egress", "clawjail-ssh", "clawjail-stub", "clawjail-web")]
    names += ["share/man/man5/clawjail-profile.5.gz"]
    return {f"{prefix}/{name}" for name in names}


def test_exactly_what_is_promised_is_there_and_for_everybody_to_read():
    programs = ("/bin/clawjail", "/bin/clawjail-egress", "/bin/clawjail-stub", "/bin/clawjail-web",
                "/libexec/clawjail/jailprobe", "/libexec/clawjail/configure-host")
    for prefix in PREFIXES:
        with installed(prefix, umask=0o077) as place:
            found = everything(place)
            files = {path for path, status in found.items() if not stat.S_ISDIR(status.st_mode)}
            assert files == expected(prefix), files ^ expected(prefix)
            for path, status in found.items():
                assert status.st_uid == os.getuid(), path
                if not stat.S_ISLNK(status.st_mode):
                    wanted = 0o755 if stat.S_ISDIR(status.st_mode) or path.endswith(programs) else 0o644
                    assert stat.S_IMODE(status.st_mode) == wanted, (path, oct(status.st_mode))


def test_it_runs_from_where_it_is_and_finds_its_own_profiles():
    for prefix in PREFIXES:
        with installed(prefix) as place:
            program = f"{place}{prefix}/bin/clawjail"
            assert run(program, "--version") == run(".build/release/clawjail", "--version")
            lines = run(program, "profile", "list", cwd="/").splitlines()
            shipped = [line for line in lines if f" {place}{prefix}/share/clawjail/profiles/" in line]
            assert len(shipped) == len(glob.glob("profiles/*.json5")), lines
            # Called by that name, it is the stand-in for ssh.
            assert "clawjail-ssh does not take" in refused(f"{place}{prefix}/bin/clawjail-ssh", "host")


def test_uninstall_leaves_nothing_and_says_what_it_left_alone():
    for prefix in PREFIXES:
        with installed(prefix) as place:
            said = install(place, prefix, "remove")
            assert everything(place) == {}
            for word in ("/var/lib/clawjail", "/etc/clawjail", ".local/state/clawjail", ".config/clawjail", "user"):
                assert word in said, said


def test_uninstall_leaves_what_others_put_there():
    def prepare(place):
        os.makedirs(f"{place}/usr/local/share/man")
        os.chmod(f"{place}/usr/local", 0o2775)
    with installed("/usr/local", prepare) as place:
        mine = f"{place}/usr/local/share/clawjail/profiles/mine.json5"
        open(mine, "w").close()
        for path in ("/var/lib/clawjail", "/etc/clawjail"):
            os.makedirs(place + path)
        install(place, "/usr/local", "remove")
        assert stat.S_IMODE(os.lstat(f"{place}/usr/local").st_mode) == 0o2775
        assert set(everything(place)) == {
            "/usr", "/usr/local", "/usr/local/share", "/usr/local/share/man", "/usr/local/share/clawjail",
            "/usr/local/share/clawjail/profiles", "/usr/local/share/clawjail/profiles/mine.json5",
            "/var", "/var/lib", "/var/lib/clawjail", "/etc", "/etc/clawjail"}


def test_a_newer_version_takes_away_what_only_the_older_had():
    with installed("/usr/local") as place:
        old = f"{place}/usr/local/share/clawjail/profiles/old.json5"
        open(old, "w").close()
        with open(f"{place}/usr/local/share/clawjail/installed", "a") as receipt:
            receipt.write("file\t/usr/local/share/clawjail/profiles/old.json5\n")
        install(place, "/usr/local", "put")
        assert not os.path.exists(old)
        # And the directories are remembered by the second as well.
        install(place, "/usr/local", "remove")
        assert everything(place) == {}


def test_uninstall_follows_no_record_that_it_cannot_have_written():
    lines = ("file\t/etc/passwd", "file\t/usr/local/../../etc/passwd", "file\tusr/local/x", "directory\t/", "file\t")
    for line in lines:
        with installed("/usr/local") as place:
            os.makedirs(f"{place}/etc")
            open(f"{place}/etc/passwd", "w").close()
            with open(f"{place}/usr/local/share/clawjail/installed", "a") as receipt:
                receipt.write(line + "\n")
            before = set(everything(place))
            for action in ("remove", "put"):
                said = refused("scripts/install", action, env={"DESTDIR": place, "PREFIX": "/usr/local"})
                assert "was not written by this program" in said, (line, said)
                assert before <= set(everything(place)), line


def test_uninstall_of_nothing_and_wrong_prefixes_are_refused():
    with tempfile.TemporaryDirectory() as place:
        assert "nothing was installed" in refused("scripts/install", "remove", env={"DESTDIR": place})
        for prefix in ("usr", "/usr/../etc", "/usr /x"):
            assert "PREFIX" in refused("scripts/install", "put", env={"DESTDIR": place, "PREFIX": prefix})
        assert "DESTDIR" in refused("scripts/install", "put", env={"DESTDIR": "relative"})
        assert everything(place) == {}
