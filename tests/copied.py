"""Made-up files of rows for tests of copies: many kinds of outcomes and predictors, and their sketches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from tasks.rows.row_keys import hash_rows, hash_texts
from tasks.stats.records import GroupedData
from tasks.stats.rows.copies import Copies, find_copies
from tasks.stats.rows.row_sketch import FileSketch, extended, finished, no_sketch

OUTCOMES = (
    "continuous",
    "cents",
    "minutes",
    "heaped",
    "rating",
    "yes or no",
    "rare",
    "count",
    "many zeros",
    "by group",
)
PREDICTORS = ("continuous", "age", "yes or no", "day", "none")


def rows(rng: np.random.Generator, n: int, n_groups: int, outcome: str, predictor: str) -> pd.DataFrame:
    """Independent rows in a random order: columns g, y and, but for `none`, x."""
    g, effect = rng.integers(0, n_groups, n), rng.normal(size=n_groups)
    x = {
        "continuous": rng.normal(10, 4, n).round(4),
        "age": rng.integers(18, 80, n).astype(float),
        "yes or no": rng.integers(0, 2, n).astype(float),
        "day": rng.integers(0, 10, n).astype(float),
        "none": np.zeros(n),
    }[predictor]
    level = 3 * effect[g] + 0.5 * (x - x.mean())
    unit = np.where(rng.random(n) < 0.7, 5.0, 1.0)
    y = {
        "continuous": (50 + level + rng.normal(0, 3, n)).round(4),
        "cents": (50 + level + rng.normal(0, 3, n)).round(2),
        "minutes": np.maximum(0, 30 + 2 * level + rng.normal(0, 8, n)).round(),
        "heaped": unit * np.round(np.maximum(0, 60 + 2 * level + rng.normal(0, 20, n)) / unit),
        "rating": np.clip(np.round(3 + 0.3 * level + rng.normal(0, 1, n)), 1, 5),
        "yes or no": (rng.random(n) < 1 / (1 + np.exp(-effect[g]))).astype(float),
        "rare": (rng.random(n) < 0.02 * np.exp(0.5 * effect[g])).astype(float),
        "count": rng.poisson(np.exp(1 + effect[g])).astype(float),
        "many zeros": np.where(rng.random(n) < 0.8, 0, rng.gamma(2, 10, n).round(2)),
        "by group": 10.0 * g + rng.integers(0, 2, n),
    }[outcome]
    found = pd.DataFrame({"g": pd.Series([f"g{i}" for i in g], dtype="str"), "y": y})
    return found if predictor == "none" else found.assign(x=x)


def sketch_of(file: pd.DataFrame, others: int = 0, cuts: Sequence[int] = ()) -> FileSketch:
    """Of a file with these rows; a column `id` is none of the study's."""
    asked = hash_rows(file.drop(columns="id", errors="ignore"))
    rest = hash_texts(file["id"].tolist()) if "id" in file else np.zeros(len(file), dtype=np.uint64)
    found = no_sketch(others)
    for part in np.split(np.arange(len(file)), sorted(cuts)):
        found = extended(found, asked[part], rest[part])
    return finished(found)


def copies_in(files: Sequence[pd.DataFrame], others: Sequence[int] | None = None) -> Copies:
    """Of files that are called 0, 1, 2 …"""
    every = pd.concat(files, ignore_index=True)
    code, labels = pd.factorize(every["g"])
    x = every.drop(columns=["g", "y", "id"], errors="ignore").to_numpy(float)
    terms = tuple(f"x{i}" for i in range(x.shape[1]))
    sample = GroupedData(every["y"].to_numpy(float), x, code.astype(np.int64), tuple(labels), ("intercept", *terms))
    sketches = {str(i): sketch_of(file, others[i] if others else 0) for i, file in enumerate(files)}
    return find_copies(sketches, {str(i): dict(Counter(file["g"])) for i, file in enumerate(files)}, sample)
