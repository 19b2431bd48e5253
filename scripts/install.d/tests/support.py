"""Shared by the tests of installing."""
import contextlib
import functools
import json
import os
import subprocess
import tempfile

BUILT = os.path.abspath(".build/release")
PROGRAM = os.path.join(BUILT, "clawjail")


def run(*words, check=True, **options):
    """What it printed. `check`: it must succeed."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", **options.pop("env", {})}
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, **options)
    assert not check or done.returncode == 0, f"{words} exited with {done.returncode}:\n{done.stdout}"
    return done.stdout


def refused(*words, **options):
    """What it printed; it must fail."""
    environment = {**os.environ, **options.pop("env", {})}
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, **options)
    assert done.returncode != 0, f"{words} succeeded:\n{done.stdout}"
    return done.stdout


@functools.cache
def made():
    """Man pages, completions and the like, in .build/install; once for all tests."""
    run("scripts/install", "make")
    return os.path.abspath(".build/install")


@functools.cache
def commands():
    """(words, definition) of every command, as ('clawjail', 'session', 'list')."""
    found = []

    def walk(command, above):
        words = above + (command["commandName"],)
        if command.get("shouldDisplay", True) and command["commandName"] != "help":
            found.append((words, command))
            for child in command.get("subcommands", []):
                walk(child, words)

    walk(json.loads(run(PROGRAM, "--experimental-dump-help"))["command"], ())
    return found


@contextlib.contextmanager
def installed(prefix="/usr/local", prepare=None, umask=0o077):
    """A directory with clawjail below it, as `make install DESTDIR=…` leaves it for somebody with that umask."""
    made()
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        if prepare:
            prepare(place)
        install(place, prefix, "put", umask)
        yield place


def install(place, prefix, action, umask=0o022):
    return run("scripts/install", action, env={"DESTDIR": place, "PREFIX": prefix}, umask=umask)


def everything(place):
    """Each path below, relative, with its status."""
    found = {}
    for directory, directories, files in os.walk(place):
        for name in directories + files:
            path = os.path.join(directory, name)
            found["/" + os.path.relpath(path, place)] = os.lstat(path)
    return found
