"""What is put on the host besides files: the AppArmor profile, which only parsers that know it may get.

In a mount namespace with an empty /etc and a parser that says what the test wants. Users and directories are made in the
virtual machine's tests.
"""
import os
import shutil
import tempfile

from support import run

PARSER = """#!/bin/sh
echo "$*" >> {calls}
case "$*" in *--skip-kernel-load*) exit {takes} ;; esac
"""


def act(*steps, takes=(True,), edit=None):
    """Runs `steps` one after the other; `edit`: a shell command before the last. What /etc/apparmor.d/clawjail is then, or
    None, what was printed, and how the parser was called."""
    with tempfile.TemporaryDirectory() as place:
        prefix = f"{place}/usr"
        os.makedirs(f"{prefix}/libexec/clawjail")
        os.makedirs(f"{prefix}/share/clawjail/apparmor")
        shutil.copy("scripts/install.d/configure-host", f"{prefix}/libexec/clawjail/")
        with open(f"{prefix}/share/clawjail/apparmor/clawjail", "w") as file:
            file.write("profile clawjail /usr/bin/clawjail { userns, }\n")
        script = ["set -e", "mount -t tmpfs none /etc", "mkdir /etc/apparmor.d"]
        for index, step in enumerate(steps):
            takes_it = takes[min(index, len(takes) - 1)]
            os.makedirs(f"{place}/parsers/{index}")
            with open(f"{place}/parsers/{index}/apparmor_parser", "w") as file:
                file.write(PARSER.format(calls=f"{place}/calls", takes=0 if takes_it else 1))
            os.chmod(f"{place}/parsers/{index}/apparmor_parser", 0o755)
            if edit and index == len(steps) - 1:
                script.append(edit)
            script.append(f"PATH={place}/parsers/{index}:$PATH {prefix}/libexec/clawjail/configure-host {step}")
        script.append(f"if [ -e /etc/apparmor.d/clawjail ]; then cp /etc/apparmor.d/clawjail {place}/result; fi")
        said = run("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", "\n".join(script))
        result = None
        if os.path.exists(f"{place}/result"):
            with open(f"{place}/result") as file:
                result = file.read()
        return result, said


def test_a_parser_that_knows_the_profile_gets_it():
    result, said = act("apparmor")
    assert result.startswith("# As installed by clawjail, sha256 ") and "userns" in result and said == "", (result, said)


def test_a_parser_that_does_not_know_it_is_left_alone():
    assert act("apparmor", takes=(False,)) == (None, "")


def test_the_profile_comes_and_goes_with_the_parser():
    assert act("apparmor", "apparmor", takes=(False, True))[0] is not None
    assert act("apparmor", "apparmor", takes=(True, False)) == (None, "")


def test_a_profile_that_was_changed_is_neither_replaced_nor_removed():
    for step in ("apparmor", "remove"):
        result, said = act("apparmor", step, edit="echo '# mine' >>/etc/apparmor.d/clawjail")
        assert result.endswith("# mine\n") and "was changed here" in said, (step, result, said)
    result, said = act("apparmor", edit="echo '# mine' >/etc/apparmor.d/clawjail")
    assert result == "# mine\n" and "was changed here" in said, (result, said)


def test_the_profile_goes_with_the_program():
    assert act("apparmor", "remove") == (None, "")
    assert act("remove") == (None, "")
