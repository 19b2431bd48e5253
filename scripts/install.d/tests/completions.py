"""The completions, asked for in the shells themselves."""
import os
import pty
import re
import select
import shlex
import signal
import time

from support import BUILT, made, run


def in_bash(*words):
    """What bash offers for the last of the words."""
    line = " ".join(words)
    script = f"""
        source /usr/share/bash-completion/bash_completion
        source {made()}/completions/bash
        complete -p clawjail >/dev/null || exit 1
        COMP_WORDS=({' '.join(shlex.quote(word) for word in words)}); COMP_CWORD={len(words) - 1}
        COMP_LINE={shlex.quote(line)}; COMP_POINT=${{#COMP_LINE}}
        _clawjail clawjail {shlex.quote(words[-1])} {shlex.quote(words[-2])}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return set(run("bash", "-c", script, env=path()).split())


def in_fish(line):
    """What fish offers at the end of the line."""
    lines = run("fish", "--no-config", "-c", f"source {made()}/completions/fish; complete --do-complete {shlex.quote(line)}", env=path())
    return {offer.split("\t")[0] for offer in lines.splitlines()}


def path():
    return {"PATH": f"{BUILT}:{os.environ['PATH']}"}


def test_each_script_is_one_that_its_shell_reads():
    for shell in ("bash", "zsh", "fish"):
        assert run(shell, "-n", f"{made()}/completions/{shell}") == ""


def test_bash_completes_commands_options_and_names():
    assert {"run", "plan", "session", "doctor"} <= in_bash("clawjail", "")
    assert in_bash("clawjail", "run", "--pro") == {"--profile", "--processes"}
    assert in_bash("clawjail", "run", "--prof") == {"--profile"}
    assert in_bash("clawjail", "run", "--profile", "res") == {"research"}
    assert {"research", "session"} <= in_bash("clawjail", "profile", "show", "")
    assert in_bash("clawjail", "session", "kill", "--signal", "QU") == {"QUIT"}


def test_bash_offers_nothing_where_there_is_nothing():
    env = {"XDG_RUNTIME_DIR": "/nonexistent"} if os.getuid() else {}
    os.environ.update(env)
    offered = in_bash("clawjail", "stop", "")
    assert not any(word in offered for word in ("research", "clawjail")), offered


def test_fish_completes_commands_and_options():
    assert {"run", "plan", "session", "doctor"} <= in_fish("clawjail ")
    assert in_fish("clawjail run --prof") == {"--profile"}


def test_zsh_completes_names_as_they_are_typed():
    directory = os.path.join(made(), "zsh")
    os.makedirs(directory, exist_ok=True)
    link = os.path.join(directory, "_clawjail")
    if not os.path.lexists(link):
        os.symlink(f"{made()}/completions/zsh", link)
    setup = f"fpath=({directory} $fpath); autoload -U compinit; compinit -D -u"
    assert typed(["zsh", "-f", "-i"], setup, "clawjail run --profile res\t", "--profile research ")


def test_fish_completes_names_as_they_are_typed():
    setup = f"source {made()}/completions/fish"
    assert typed(["fish", "--no-config", "-i"], setup, "clawjail run --profile res\t", "--profile research ")


def typed(shell, setup, keys, wanted, seconds=30):
    """Whether `wanted` shows up when `keys` are typed into a shell at a terminal, after it has done `setup`."""
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(path(), TERM="dumb", COLUMNS="200")
        os.execvp(shell[0], shell)
    deadline = time.monotonic() + seconds

    def shows(pattern):
        said = b""
        while not re.search(pattern, said):
            if time.monotonic() > deadline:
                return False
            if select.select([terminal], [], [], 0.2)[0]:
                said += os.read(terminal, 65536)
        return True

    try:
        # What is typed is echoed: the word is put together only when it is printed.
        os.write(terminal, f"{setup}; echo re''ady\n".encode())
        if not shows(rb"[\r\n]ready"):
            return False
        os.write(terminal, keys.encode())
        return shows(re.escape(wanted.encode()))
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(terminal)
