"""Runs the suites inside a machine: what `scripts/test-vm` asks for. One line for each test; see Report in test-vm."""

import importlib
import os
import re
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.realpath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE))


# Tests that may fail once because an emulated machine is busy: they are run again, and told as unsteady.
MOST_REPEATED = 3


def service(wanted):
    """Every function `test_…` of the modules in tests/, in their order there."""
    passed = failed = repeated = 0
    modules = sorted(name[:-3] for name in os.listdir(os.path.join(HERE, "tests"))
                     if name.endswith(".py") and not name.startswith("_"))
    for name in modules:
        module = importlib.import_module(f"tests.{name}")
        for title, function in list(vars(module).items()):
            if not title.startswith("test_") or wanted not in f"{name}.{title}":
                continue
            started = time.monotonic()
            problem = attempt(function)
            if problem and repeated < MOST_REPEATED:
                repeated += 1
                print("\n".join(f"| {line}" for line in problem.splitlines()), flush=True)
                problem = attempt(function)
                if not problem:
                    print(f"@@note unsteady: {name}.{title}", flush=True)
            if problem:
                failed += 1
                print(f"FAILED {name}.{title} ({time.monotonic() - started:.1f} s)", flush=True)
                print("\n".join(f"| {line}" for line in problem.splitlines()), flush=True)
            else:
                passed += 1
                print(f"passed {name}.{title} ({time.monotonic() - started:.1f} s)", flush=True)
    return passed, failed


def attempt(function):
    """What went wrong; nothing: it passed."""
    try:
        function()
    except Exception:  # noqa: BLE001 - a test failed, however it did
        return traceback.format_exc()
    return ""


# What is the same on every kernel that starts a jail at all: reading of profiles and command lines, the protocols of the way
# out and of sessions. Emulated it would take longer than everything else. Health has times of its own, of a faster machine;
# tests/service.py asks for it here.
ELSEWHERE = ("SharedWayOutTests", "WayOutTests", "GatewaySessionTests", "HostileSessionTests", "ProfileRefusalTests",
             "UsageRefusalTests", "PublishTests", "TerminalTests", "HealthTests",
             "SampleGatewayTests", "AlertTests", "AuditTests", "LockdownTests", "SpendTests", "WatchingTests",
             "SnapshotTests", "DiskFullTests", "ExplainTests", "HostAuditTests", "LadderTests", "LearnTests",
             "InnerCommandTests", "ProfileReviewTests", "RestartTests", "ReviewTests", "SuggestTests", "VerifyTests",
             "CommandTests", "CommandPlaceTests", "SecretTests", "SecretUseTests", "SessionSecretTests",
             "GatewayTokenTests", "CanaryTests", "DeciderTests")


def swift(_):
    """The end-to-end suite, as it runs outside. CLAWJAIL_TEST_CALLER: who starts the jails, the other one elsewhere.

    A few that fail are run by themselves, as `scripts/test` does it: what passes then is told as unsteady, and whatever fails
    again has failed."""
    total, failed, status = bundle("--filter", "EndToEndTests", "--skip", f"EndToEndTests[.]({'|'.join(ELSEWHERE)})/")
    failures = len(failed)
    if status and not failures:
        return total, 1
    if failures <= MOST_REPEATED:
        for name in failed:
            # None that is found is no test that passes.
            again, _, status = bundle("--filter", "EndToEndTests.*" + re.sub(r"[^a-zA-Z0-9 ]", ".", name))
            if again and status == 0:
                failures -= 1
                print(f"@@note unsteady: {name}", flush=True)
    return total - failures, failures


def bundle(*words):
    """How many tests ran, the names of those that failed, and the status."""
    environment = dict(os.environ, LD_LIBRARY_PATH=os.path.join(TREE, "lib"), CLAWJAIL_TEST_PATIENCE="6")
    process = subprocess.Popen(
        [os.path.join(TREE, "clawjailPackageTests.xctest"), "--testing-library", "swift-testing", *words],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    total, failed = 0, []
    for line in process.stdout:
        line = re.sub(r"\x1b\[[0-9;]*m", "", line)
        print(("| " if "✘" in line or "recorded an issue" in line else "") + line.rstrip(), flush=True)
        summary = re.search(r"Test run with (\d+) tests?", line)
        total = int(summary[1]) if summary else total
        failure = re.match(r'✘ Test "(.*)" .*failed after', line)
        if failure and failure[1] not in failed:
            failed.append(failure[1])
    return total, failed, process.wait()


def main():
    failed = 0
    for name in sys.argv[1].split(","):
        passed, bad = {"service": service, "swift": swift}[name](sys.argv[2])
        print(f"@@passed {passed}\n@@failed {bad}", flush=True)
        failed += bad
    return 1 if failed else 0


sys.exit(main())
