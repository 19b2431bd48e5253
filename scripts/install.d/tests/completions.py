"""The completions, asked for in the shells themselves."""
import os
import shlex

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


def test_fish_completes_commands_options_and_names():
    assert {"run", "plan", "session", "doctor"} <= in_fish("clawjail ")
    assert in_fish("clawjail run --prof") == {"--profile"}
    assert in_fish("clawjail run --profile res") == {"research"}


def test_zsh_completes_options_and_names():
    # zsh asks its own completion system, in a terminal of its own.
    script = f"""
        zmodload zsh/zpty
        zpty asked 'PS1= zsh -f -i'
        zpty -w asked 'stty -echo; fpath=({made()}/zsh $fpath); autoload -U compinit; compinit -D -u; LISTMAX=0; PS1=; print ready'
        zpty -r -m asked answer '*ready*'
        zpty -n -w asked $'clawjail run --profile res\\t--prof\\t'
        zpty -r -m asked answer '*research*--profile*'
        print -r -- $answer
    """
    os.makedirs(f"{made()}/zsh", exist_ok=True)
    link = f"{made()}/zsh/_clawjail"
    if not os.path.lexists(link):
        os.symlink(f"{made()}/completions/zsh", link)
    assert "research" in run("timeout", "20", "zsh", "-f", "-c", script, env=path())
