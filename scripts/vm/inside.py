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


def service(wanted):
    """Every function `test_…` of the modules in tests/, in their order there."""
    passed = failed = 0
    modules = sorted(name[:-3] for name in os.listdir(os.path.join(HERE, "tests"))
                     if name.endswith(".py") and not name.startswith("_"))
    for name in modules:
        module = importlib.import_module(f"tests.{name}")
        for title, function in list(vars(module).items()):
            if not title.startswith("test_") or wanted not in f"{name}.{title}":
                continue
            started = time.monotonic()
            try:
                function()
            except Exception:  # noqa: BLE001 - a test failed, however it did
                failed += 1
                print(f"FAILED {name}.{title} ({time.monotonic() - started:.1f} s)", flush=True)
                for line in traceback.format_exc().splitlines():
                    print(f"| {line}", flush=True)
            else:
                passed += 1
                print(f"passed {name}.{title} ({time.monotonic() - started:.1f} s)", flush=True)
    return passed, failed


# What is the same on every kernel that starts a jail at all: reading of profiles and command lines, the protocols of the way
# out and of sessions. Emulated it would take longer than everything else. Health has times of its own, of a faster machine;
# tests/service.py asks for it here.
ELSEWHERE = ("SharedWayOutTests", "WayOutTests", "GatewaySessionTests", "HostileSessionTests", "ProfileRefusalTests",
             "UsageRefusalTests", "PublishTests", "TerminalTests", "HealthTests",
             "SampleGatewayTests", "AlertTests", "AuditTests", "LockdownTests", "SpendTests", "WatchingTests",
             "SnapshotTests", "DiskFullTests", "ExplainTests", "HostAuditTests", "LadderTests", "LearnTests",
             "InnerCommandTests", "ProfileReviewTests", "RestartTests", "ReviewTests", "SuggestTests", "VerifyTests",
             "CommandTests", "CommandPlaceTests", "SecretTests", "SecretUseTests", "SessionSecretTests", "GatewayTokenTests", "CanaryTests")


def swift(_):
    """The end-to-end suite, as it runs outside. CLAWJAIL_TEST_CALLER: who starts the jails, the other one elsewhere."""
    environment = dict(os.environ, LD_LIBRARY_PATH=os.path.join(TREE, "lib"), CLAWJAIL_TEST_PATIENCE="6")
    process = subprocess.Popen(
        [os.path.join(TREE, "clawjailPackageTests.xctest"), "--testing-library", "swift-testing",
         "--filter", "EndToEndTests", "--skip", f"EndToEndTests[.]({'|'.join(ELSEWHERE)})/"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    total = failures = 0
    for line in process.stdout:
        print(("| " if "✘" in line or "recorded an issue" in line else "") + line.rstrip(), flush=True)
        summary = re.search(r"Test run with (\d+) tests?", line)
        total = int(summary[1]) if summary else total
        failures += bool(re.match(r"✘ Test .* failed after", line)) and "Test run" not in line
    status = process.wait()
    if status and not failures:
        failures = 1
    return total - failures, failures


def main():
    failed = 0
    for name in sys.argv[1].split(","):
        passed, bad = {"service": service, "swift": swift}[name](sys.argv[2])
        print(f"@@passed {passed}\n@@failed {bad}", flush=True)
        failed += bad
    return 1 if failed else 0


sys.exit(main())
