"""Records of the log written with chain, redaction and checkpoints, against the same bytes appended, and verified."""

import json
import os
import statistics
import subprocess
import tempfile

AIM = "≥ 0.5"
ROUNDS = 5
TITLES = {
    ("never", 1): "left to the kernel, one record at a time",
    ("never", 16): "left to the kernel, 16 at a time",
    ("checkpoint", 1): "waited for with each checkpoint, one record at a time",
    ("checkpoint", 16): "waited for with each checkpoint, 16 at a time",
    ("record", 1): "waited for with each record",
}


def measure(program, directory, records=50_000):
    """Medians of interleaved rounds, by policy and batch."""
    found = {}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=directory) as scratch:
            done = subprocess.run([program, scratch, str(records)], capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            result = json.loads(line)
            found.setdefault((result["sync"], result["batch"]), []).append(result)
    return found


def show(found, row):
    def median(results, key):
        return statistics.median(result[key] for result in results)

    size = statistics.median(r["bytes"] / r["records"] for results in found.values() for r in results)
    row(f"THE LOG, records of {size:.0f} bytes a second, medians of {ROUNDS} rounds", heading=True)
    for key, results in found.items():
        row("  " + TITLES[key], f"{median(results, 'chained'):,.0f}", "", "", "",
            f"verified {median(results, 'verified'):,.0f}")
        for other, title in (("plain", "the same bytes, appended"), ("formatted", "the same records as plain JSON")):
            ratio = statistics.median(r["chained"] / r[other] for r in results)
            row("    " + title, f"{median(results, other):,.0f}", "", f"{ratio:.2f} ×", AIM)


def program_beside(clawjail):
    path = os.path.join(os.path.dirname(clawjail), "audit-bench")
    return path if os.access(path, os.X_OK) else None
