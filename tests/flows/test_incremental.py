"""What a run after one more file costs a study of many rows (`make bench`; ROWS=1000000 for fewer)."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from flows.report import pooling_report
from flows.steps.binding import RunLog, logged
from tasks.opening.studies import read_study
from tasks.rows.store import CLOCK_SECONDS

ROWS, NEW_ROWS, GROUPS, CHUNK = int(os.environ.get("ROWS", 10_000_000)), 1_000, 1_000, 500_000
STUDY = """
title = "A study of many rows"
outcome = "y"
group = "group"
predictors = ["x"]
{rules}
[sampler]
warmup = 500
draws = 500
"""
RULES = {"rows may repeat": "", "rows are unique": '[rules]\nunique = ["visit"]'}
STEPS = ("find files", "read files", "collect", "sample", "check", "write", "total")


def write_rows(path: Path, n_rows: int, start: int) -> None:
    rng = np.random.default_rng(start)
    effects = np.random.default_rng(1).normal(size=(GROUPS, 2)) * [3.0, 0.5]
    with path.open("w") as file:
        file.write("visit,group,x,y\n")
        for low in range(start, start + n_rows, CHUNK):
            n = min(CHUNK, start + n_rows - low)
            group, x = rng.integers(0, GROUPS, n), rng.normal(40, 2, n)
            y = 10 + effects[group, 0] + (2 + effects[group, 1]) * (x - 40) + 5 * rng.normal(size=n)
            values = zip(range(low, low + n), group.tolist(), x.tolist(), y.tolist(), strict=True)
            file.writelines(f"{visit},g{g},{a:.3f},{b:.3f}\n" for visit, g, a, b in values)


def run(study: Path, reports: Path) -> dict[str, float]:
    with logged(RunLog()):
        outcome = pooling_report(read_study(study), reports)
    return json.loads((outcome.folder / "summary.json").read_text(encoding="utf-8"))["timings"]


@pytest.mark.bench
@pytest.mark.parametrize("rules", RULES)
def test_one_more_file(prefect_server: None, tmp_path: Path, rules: str, capsys: pytest.CaptureFixture[str]) -> None:
    study = tmp_path / "study"
    (study / "incoming").mkdir(parents=True)
    (study / "study.toml").write_text(STUDY.format(rules=RULES[rules]))
    write_rows(study / "old.csv", ROWS, 0)
    time.sleep(1.1 * CLOCK_SECONDS)  # as an older file is, so that it need not be hashed again either
    first = run(study, tmp_path / "reports")
    write_rows(study / "incoming" / "new.csv", NEW_ROWS, ROWS)
    second = run(study, tmp_path / "reports")
    with capsys.disabled():
        print(f"\n{ROWS:,} rows, then {NEW_ROWS:,} more; {rules}; seconds")
        print(f"{'':16}{'first run':>12}{'one file more':>16}")
        for step in STEPS:
            print(f"{step:16}{first[step]:12.2f}{second[step]:16.2f}")
