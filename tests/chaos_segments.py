"""A portfolio on two Dask workers started separately, one of which is killed: every segment has a whole report.

`python -m tests.chaos_segments [SEGMENTS]`, 1,000 by default, which takes about 25 minutes on two cores. Prints how
many reports there are, how many are half, and how long it took.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.parts.dask_cluster import DaskCluster, dask_started
from tests.scale.portfolio import small_studies

KILLED_AT = 0.2  # of the reports; a third worker then takes the place of the first


def main(n_segments: int = 1000) -> int:
    with tempfile.TemporaryDirectory(prefix="poolwise-segments-") as scratch, dask_started() as cluster:
        reports = Path(scratch) / "reports"
        study = small_studies(Path(scratch) / "study", n_segments)
        done = threading.Event()
        killer = threading.Thread(target=_kill_one, args=(cluster, reports, KILLED_AT * n_segments, done))
        killer.start()
        started = time.monotonic()
        command = [sys.executable, "-m", "flows.cli", "portfolio", str(study), "--by", "segment"]
        ended = subprocess.run([*command, "--out", str(reports), "--dask", cluster.address], check=False)
        seconds = time.monotonic() - started
        done.set()
        killer.join()
        whole, half = _reports(reports)
    print(f"{n_segments} segments on two Dask workers, one killed: exit code {ended.returncode}")
    print(
        f"{whole} whole reports of as many segments, {half} half, {seconds:.0f} s, {60 * whole / seconds:.0f} a minute"
    )
    return 0 if (ended.returncode, whole, half) == (0, n_segments, 0) else 1


def _kill_one(cluster: DaskCluster, reports: Path, at: float, done: threading.Event) -> None:
    while len(list(reports.glob("study-*/2*/summary.json"))) < at:
        if done.wait(1.0):
            return
    cluster.processes[0].kill()
    print("killed one worker, at", len(list(reports.glob("study-*/2*/summary.json"))), "reports", flush=True)
    time.sleep(5)
    cluster.start_worker()


def _reports(reports: Path) -> tuple[int, int]:
    """Segments with a whole report, and run folders that are not whole."""
    whole, half = set(), 0
    for run in reports.glob("study-*/2*"):
        try:
            json.loads((run / "summary.json").read_text("utf-8"))
            assert (run / "report.html").stat().st_size > 0
            whole.add(run.parent.name)
        except (OSError, ValueError, AssertionError):
            half += 1
    return len(whole), half


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
