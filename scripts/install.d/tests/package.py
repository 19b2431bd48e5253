"""The Debian package, without installing it: that is done in a virtual machine."""
import functools
import hashlib
import os
import re
import subprocess
import tempfile

from support import PROGRAM, run

@functools.cache
def built():
    """The package's path."""
    run("scripts/deb", env={"SOURCE_DATE_EPOCH": "1700000000"})
    return path()


def path():
    version = run(PROGRAM, "--version").strip()
    architecture = run("dpkg", "--print-architecture").strip()
    found = f".build/deb/clawjail_{version}-1_{architecture}.deb"
    assert os.path.exists(found), os.listdir(".build/deb")
    return found


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def field(name):
    return run("dpkg-deb", "--field", built(), name).strip()


def test_two_builds_are_the_same_to_the_byte():
    # Later than any file of it: what is earlier than the files, dpkg-deb would set right by itself.
    first = {"SOURCE_DATE_EPOCH": "4000000000"}
    run("scripts/deb", env=first)
    digests = [digest(path())]
    run("scripts/deb", env={**first, "TZ": "Asia/Tokyo", "LC_ALL": "C"}, umask=0o077)
    assert [digest(path())] == digests


def test_its_fields_say_what_it_is():
    assert field("Version") == run(PROGRAM, "--version").strip() + "-1"
    assert field("Recommends") == "apparmor, uidmap, zstd"
    for name in ("Built-Using", "Static-Built-Using"):
        for source in ("glibc", "libseccomp", "libidn2", "libunistring", "libpsl", "zlib", "brotli", "gcc-"):
            assert re.search(rf"\b{source}[0-9]* \(= [^)]+\)", field(name)), (name, source, field(name))
    assert int(field("Installed-Size")) > 10000


def test_it_holds_what_install_puts_there_and_its_documents():
    listed = run("scripts/install", "list", env={"PREFIX": "/usr"}).splitlines()
    wanted = {line.split("\t")[1] for line in listed}
    wanted |= {f"/usr/share/doc/clawjail/{name}" for name in ("copyright", "changelog.gz", "changelog.Debian.gz")}
    wanted.add("/usr/share/lintian/overrides/clawjail")
    found = {}
    for line in run("dpkg-deb", "--contents", built()).splitlines():
        mode, owner, _, _, _, path = line.split(maxsplit=5)
        assert owner == "root/root", line
        assert mode in ("drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x", "lrwxrwxrwx"), line
        found[path.split(" -> ")[0].removeprefix(".")] = mode
    files = {path for path, mode in found.items() if mode[0] != "d"}
    assert files == wanted, files ^ wanted
    # Data, logs and settings are not its own: dpkg would delete them.
    assert not [path for path in found if path.startswith(("/etc", "/var", "/run"))]


def test_its_sums_are_those_of_its_files():
    with tempfile.TemporaryDirectory() as place:
        run("dpkg-deb", "--raw-extract", built(), place)
        sums = f"{place}/DEBIAN/md5sums"
        run("md5sum", "--check", "--quiet", "--strict", sums, cwd=place)
        with open(sums) as file:
            named = {line.split(maxsplit=1)[1].strip() for line in file}
        files = set(run("find", place, "-path", f"{place}/DEBIAN", "-prune", "-o", "-type", "f", "-printf", "%P\n").split())
        assert named == files, named ^ files


def test_lintian_finds_no_fault():
    done = subprocess.run(["lintian", "--allow-root", "--tag-display-limit", "0", built()],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout, end="")
    assert not re.search(r"^[EW]: ", done.stdout, flags=re.MULTILINE) and done.returncode == 0, done.stdout


def test_its_scripts_are_shell_and_say_what_stays():
    with tempfile.TemporaryDirectory() as place:
        run("dpkg-deb", "--control", built(), place)
        for name in ("postinst", "prerm", "postrm"):
            run("sh", "-n", f"{place}/{name}")
            assert os.stat(f"{place}/{name}").st_mode & 0o777 == 0o755
        for action in ("remove", "purge"):
            said = run("sh", f"{place}/postrm", action)
            for word in ("/var/lib/clawjail", "/etc/clawjail", "'clawjail'"):
                assert word in said, (action, said)


def test_its_changelog_is_the_changelog():
    version = run(PROGRAM, "--version").strip()
    with tempfile.TemporaryDirectory() as place:
        run("dpkg-deb", "--extract", built(), place)
        text = run("gzip", "-dc", f"{place}/usr/share/doc/clawjail/changelog.Debian.gz")
        assert run("dpkg-parsechangelog", "-l", "-", "-S", "Version", input=text).strip() == f"{version}-1"
