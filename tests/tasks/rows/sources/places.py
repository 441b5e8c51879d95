"""A study of the same rows, wherever they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tasks.opening.studies import OpenedStudy, read_study
from tasks.rows.collect import Collected, collect
from tasks.rows.read_files import ReadFiles, read_files
from tasks.rows.store import identify

HEAD = 'title = "T"\noutcome = "y"\ngroup = "g"\npredictors = ["x"]\n'


def frame(n_rows: int = 240, seed: int = 5) -> pd.DataFrame:
    """Rows of four weeks and eight groups."""
    rng = np.random.default_rng(seed)
    g, x = rng.integers(0, 8, n_rows), rng.normal(size=n_rows).round(4)
    y = (rng.normal(size=8)[g] + x + rng.normal(size=n_rows)).round(4)
    week = [f"2026-W{1 + 4 * at // n_rows:02d}" for at in range(n_rows)]
    return pd.DataFrame({"g": [f"group {a}" for a in g], "x": x, "y": y, "week": week})


def study_in(folder: Path, source: str = "", more: str = "") -> OpenedStudy:
    """`source` stands at the top of the study file, `more` at its end."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(f"{source}\n{HEAD}{more}\n", encoding="utf-8")
    return read_study(folder)


def queried(folder: Path, database: str, sql: str = "select * from visits", partition: str = "week") -> OpenedStudy:
    asked = f"partition = {partition!r}\n" if partition else ""
    return study_in(folder, more=f"[source]\nsql = {sql!r}\ndatabase = {database!r}\n{asked}")


def read(opened: OpenedStudy, reports: Path) -> ReadFiles:
    return read_files(opened, identify(opened, reports), reports)


def collected(opened: OpenedStudy, reports: Path) -> Collected:
    return collect(read(opened, reports), opened.study)


def rejected(found: Collected) -> Sequence[tuple[str, int, str, str]]:
    return [(each.file, each.row, each.column, each.value) for each in found.rejections]


def set_environment(monkeypatch: Any, environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
