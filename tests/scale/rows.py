"""Rows from the model itself, as arrays and as Parquet files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.stats.records import Floats, Integers

STUDY = """
title = "{n_rows:,} rows in {n_groups:,} groups"
source = "*.parquet"
outcome = "y"
group = "g"
predictors = ["x"]
"""


def simulated(n_rows: int, n_groups: int, seed: int = 20) -> tuple[Floats, Floats, Integers]:
    """Outcome, predictor and group of each row; the groups' own truth depends on their number alone."""
    effects = np.random.default_rng(n_groups).normal(size=(n_groups, 2)) * [3.0, 0.5]
    rng = np.random.default_rng(seed)
    group, x = rng.integers(0, n_groups, n_rows), rng.normal(size=n_rows)
    y = 10 + 2 * x + effects[group, 0] + effects[group, 1] * x + 5 * rng.normal(size=n_rows)
    return y, x, group.astype(np.int64)


def labels(n_groups: int) -> tuple[str, ...]:
    return tuple(f"g{j:07d}" for j in range(n_groups))


def write_study(folder: Path, n_rows: int, n_groups: int, n_files: int) -> Path:
    """A study whose rows lie in Parquet files of equal size."""
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(STUDY.format(n_rows=n_rows, n_groups=n_groups), encoding="utf-8")
    for k in range(n_files):
        write_file(folder, k, n_rows // n_files, n_groups)
    return folder


def write_file(folder: Path, number: int, n_rows: int, n_groups: int, seed: int | None = None) -> None:
    y, x, group = simulated(n_rows, n_groups, number if seed is None else seed)
    names = pa.DictionaryArray.from_arrays(pa.array(group, pa.int32()), pa.array(labels(n_groups)))
    pq.write_table(pa.table({"g": names.cast(pa.string()), "x": x, "y": y}), folder / f"part{number:04d}.parquet")
