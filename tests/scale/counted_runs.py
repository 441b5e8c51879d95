"""Whole runs of counted outcomes: many groups of few rows, and many rows of 0 or 1 with categories.

By itself: `python -m tests.scale.counted_runs`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.scale.rows import labels
from tests.scale.table import head, line
from tests.scale.whole_runs import Run, run

LEVELS, CATEGORIES = 6, ("ward", "season", "age_band")
STEPS = (
    "start",
    "read files",
    "no pooling",
    "partial pooling",
    "sample",
    "screen",
    "answer",
    "check",
    "write",
    "publish",
)
TARGET = 30.0  # seconds


def measure(n_groups: int, n_rows: int) -> None:
    with tempfile.TemporaryDirectory(prefix="poolwise-") as folder:
        _of_groups(Path(folder), n_groups)
        _of_rows(Path(folder), n_rows, n_groups // 10)


def _of_groups(folder: Path, n_groups: int) -> None:
    rng = np.random.default_rng(31)
    group = np.repeat(np.arange(n_groups), rng.integers(1, 4, n_groups))
    x, trials = rng.normal(size=group.size).round(1), rng.integers(5, 200, group.size)
    eta = -1.5 + 0.3 * x + 0.5 * rng.normal(size=n_groups)[group]
    table = {"x": x, "trials": trials, "y": rng.binomial(trials, 1 / (1 + np.exp(-eta)))}
    study = _written(folder / "groups", table, group, n_groups, 'trials = "trials"\npredictors = ["x"]\nvarying = []')
    made = run(study, folder / "reports")
    name = f"a whole run, events of trials, {n_groups:,} groups of 1 to 3 rows: seconds"
    line(name, f"{made.seconds:.1f}", made.seconds / TARGET, "30 s: ratio <= 1")
    _told(made)


def _of_rows(folder: Path, n_rows: int, n_groups: int) -> None:
    rng = np.random.default_rng(32)
    group, levels = rng.integers(0, n_groups, n_rows), rng.integers(0, LEVELS, (n_rows, len(CATEGORIES)))
    effects = 0.3 * rng.normal(size=(len(CATEGORIES), LEVELS))
    eta = -1.0 + 0.5 * rng.normal(size=n_groups)[group] + sum(effects[k, levels[:, k]] for k in range(len(CATEGORIES)))
    names = np.array([f"level {k}" for k in range(LEVELS)])
    table = {name: names[levels[:, k]] for k, name in enumerate(CATEGORIES)}
    table["y"] = (rng.random(n_rows) < 1 / (1 + np.exp(-eta))).astype(np.int64)
    asked = f"predictors = {list(CATEGORIES)}\nvarying = []".replace("'", '"')
    study = _written(folder / "rows", table, group, n_groups, asked)
    for state in ("cold", "warm"):
        made = run(study, folder / "reports")
        name = f"a whole run, {n_rows:,} rows of 0 or 1, {n_groups:,} groups, {state}: seconds"
        line(name, f"{made.seconds:.1f}", made.seconds / TARGET, "30 s warm: ratio <= 1")
        _told(made)
        with (study / "study.toml").open("a", encoding="utf-8") as file:
            file.write('outcome_unit = "cases"\n')


def _told(made: Run) -> None:
    for step in STEPS:
        if step in made.timings:
            line(f"  {step}", f"{made.timings[step]:.2f}")
    line("  of processors, seconds", f"{made.processor_seconds:.1f}")
    line("  peak memory, MiB", f"{made.mebibytes:.0f}")


def _written(folder: Path, table: dict[str, np.ndarray], group: np.ndarray, n_groups: int, asked: str) -> Path:
    folder.mkdir(parents=True)
    text = f'title = "Counted"\nsource = "*.parquet"\noutcome = "y"\nfamily = "binomial"\ngroup = "g"\n{asked}\n'
    (folder / "study.toml").write_text(text, encoding="utf-8")
    pq.write_table(pa.table({"g": np.array(labels(n_groups))[group], **table}), folder / "rows.parquet")
    return folder


if __name__ == "__main__":
    head()
    measure(10_000, 1_000_000)
