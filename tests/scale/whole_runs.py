"""`poolwise run` in a process of its own: seconds by step, and the most memory it ever held."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.scale.rows import write_study
from tests.scale.table import line

STEPS = ("start", "read files", "partial pooling", "sample", "screen", "check", "write", "publish")


@dataclass(frozen=True)
class Run:
    seconds: float
    processor_seconds: float  # of the run and its children: what others do on the machine does not count
    mebibytes: float  # peak resident memory of the run and each of its children, the largest
    timings: dict[str, float]


def run(study: Path, reports: Path) -> Run:
    """Run a study and wait. Raises subprocess.CalledProcessError."""
    command = [sys.executable, "-m", "flows.cli", "run", str(study), "--out", str(reports), "--force"]
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), command)
    newest = max(reports.glob("*/*/summary.json"), key=lambda path: path.stat().st_mtime)
    timings = json.loads(newest.read_text(encoding="utf-8"))["timings"]
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, timings)


def measure_large(n_rows: int, n_groups: int) -> None:
    with tempfile.TemporaryDirectory(prefix="poolwise-") as folder:
        study = write_study(Path(folder) / "large", n_rows, n_groups, 1)
        made = run(study, Path(folder) / "reports")
    size = f"{n_rows:,} rows, {n_groups:,} groups"
    line(f"a whole run, {size}: seconds", f"{made.seconds:.1f}", made.seconds / 30, "30 s: ratio <= 1")
    for step in STEPS:
        if step in made.timings:
            line(f"  {step}", f"{made.timings[step]:.2f}")
    line("  peak memory, MiB", f"{made.mebibytes:.0f}")


def measure_small(study: Path) -> None:
    """The second of two runs: the first may have compiled or cached something."""
    with tempfile.TemporaryDirectory(prefix="poolwise-") as folder:
        made = [run(study, Path(folder) / "reports") for _ in range(2)][-1]
    line(f"a small run ({study.name}), warm: seconds", f"{made.seconds:.2f}")
    line("  start of it", f"{made.timings['start']:.2f}", made.timings["start"] / 2.5, "2.5 s: ratio <= 1")
    line("  peak memory, MiB", f"{made.mebibytes:.0f}")
