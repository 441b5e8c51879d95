"""Many small studies: how many a minute, what Prefect costs, and two Dask workers against one.

`python -m tests.scale.portfolio [STUDIES]`; also part of `make scale`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flows.cli.with_prefect import prefect_answering
from flows.server.quiet import set_defaults
from tests.parts.dask_cluster import dask_started
from tests.scale.table import line

AT_ONCE = 2
STUDY = 'title = "A small study"\noutcome = "y"\ngroup = "g"\npredictors = ["x"]\n'


def main(n_studies: int = 100) -> None:
    set_defaults()
    with tempfile.TemporaryDirectory(prefix="poolwise-scale-") as scratch, prefect_answering():
        study = small_studies(Path(scratch) / "study", n_studies)
        on_processes(study, Path(scratch) / "here", n_studies)
        few = small_studies(Path(scratch) / "few", max(n_studies // 3, 10))
        on_dask(few, Path(scratch))


def small_studies(folder: Path, n: int) -> Path:
    """`n` segments of 8 groups and 120 rows."""
    rng = np.random.default_rng(7)
    folder.mkdir()
    (folder / "study.toml").write_text(STUDY)
    parts = []
    for segment in range(n):
        group, x = np.repeat(np.arange(8), 15), rng.normal(size=120)
        y = 10 + rng.normal(size=8)[group] + 0.5 * x + 2 * rng.normal(size=120)
        parts.append(pd.DataFrame({"segment": f"s{segment:04d}", "g": [f"g{each}" for each in group], "x": x, "y": y}))
    pd.concat(parts).round(4).to_csv(folder / "rows.csv", index=False)
    return folder


class Clock:
    """When each study was heard to have ended, and how long its process was at it."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, float]] = []

    def splitting(self, share: float) -> None:
        pass

    def began(self, n_members: int, n_unassigned: int) -> None:
        pass

    def ended(self, one: Any) -> None:
        self.heard.append((time.perf_counter(), one.seconds))


def on_processes(study: Path, reports: Path, n: int) -> None:
    """Prefect's share: of the time from the end of each process's first study on, what no process spent on a study."""
    from flows.portfolio.portfolio import watched

    clock = Clock()
    with watched(clock):
        seconds, _ = timed(study, reports)
    (began, _), *later = clock.heard[AT_ONCE - 1 :]
    busy, passed = sum(at for _, at in later), later[-1][0] - began
    line(
        f"{n} small studies with Bayes, {AT_ONCE} processes", f"{60.0 * n / seconds:.0f} a minute", None, "60 a minute"
    )
    line("  the same, once the processes are warm", f"{60.0 * len(later) / passed:.0f} a minute")
    line("  Prefect's share, then", f"{max(1.0 - busy / (AT_ONCE * passed), 0.0):.0%}", None, "under 25 %")


def on_dask(study: Path, scratch: Path) -> None:
    """The same studies on one worker, then on two: both warm."""
    with dask_started() as cluster:
        spare = cluster.processes.pop()
        spare.kill()
        spare.wait()
        timed(study, scratch / "warm", cluster.address)
        one, _ = timed(study, scratch / "one", cluster.address)
        cluster.start_worker()
        timed(study, scratch / "warm-two", cluster.address)
        two, _ = timed(study, scratch / "two", cluster.address)
    line("the same on one and on two Dask workers", f"{one:.0f} s, {two:.0f} s", one / two, "1.8")


def timed(study: Path, reports: Path, dask: str | None = None) -> tuple[float, Any]:
    from flows.portfolio.portfolio import with_runner

    flow: Any = with_runner(AT_ONCE, dask)
    began = time.perf_counter()
    portfolio = flow(study, "segment", reports, "auto", False, AT_ONCE, dask is not None)
    seconds = time.perf_counter() - began
    assert portfolio.exit_code == 0, [each.reason for each in portfolio.ended if each.exit_code]
    return seconds, portfolio


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
