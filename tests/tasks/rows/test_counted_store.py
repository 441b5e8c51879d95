"""Digests of counted outcomes: they survive the store, are made anew for another family, and alike of every source."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tasks.opening.studies import OpenedStudy
from tasks.reports.run_record import open_run
from tasks.rows import csv_files
from tasks.rows.collect import Collected, collect
from tasks.rows.read_ahead import keep_digest
from tasks.rows.read_files import read_files
from tasks.rows.reduce import reduce_rows
from tasks.rows.sources.of_study import source_of
from tasks.rows.sources.source import FileRows
from tasks.rows.store import Store, identify, store_key
from tasks.rows.study_files import hash_file
from tasks.stats.fits.cells import Cells
from tasks.stats.rows.digest import FileDigest
from tasks.study.model import Study

TRIALS = {"family": "binomial", "trials": "n"}
CELLS = ("x", "group_index", "events", "size", "n_rows")


def study(**changes: Any) -> Study:
    least = {"name": "s", "title": "t", "outcome": "y", "group": "g", "predictors": ["age", "ward"], "source": "*.csv"}
    return Study.model_validate({**least, **changes})


def frame(n: int = 60, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    trials = rng.integers(1, 40, n)
    return pd.DataFrame(
        {
            "y": rng.binomial(trials, 0.3),
            "n": trials,
            "g": rng.choice(list("abcd"), n),
            "age": rng.integers(18, 25, n) + 0.5 * rng.integers(0, 2, n),
            "ward": rng.choice(["east", "west", "north"], n),
        }
    )


def digest(folder: Path, asked: Study, rows: pd.DataFrame) -> FileDigest:
    rows.to_csv(path := folder / "a.csv", index=False)
    return reduce_rows(FileRows(path, "a.csv", asked), hash_file(path), asked)


def read(folder: Path, asked: Study) -> tuple[Collected, list[str]]:
    opened = OpenedStudy(asked, folder, "")
    found = read_files(opened, identify(opened, folder / "reports"), folder / "reports")
    return collect(found, asked), sorted(found.names_read)


def require_same(one: Cells | None, other: Cells | None) -> None:
    assert one is not None
    assert other is not None
    for name in CELLS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), strict=True)
    assert (one.family, one.labels, one.terms, one.constant) == (
        other.family,
        other.labels,
        other.terms,
        other.constant,
    )


@pytest.mark.parametrize("scale", [1, 10**6, 10**12])
@pytest.mark.parametrize("asked", [TRIALS, {"family": "poisson", "exposure": "n"}, {"family": "poisson"}])
def test_cells_and_sizes_survive_the_store(tmp_path: Path, asked: dict[str, Any], scale: int) -> None:
    rows = frame().assign(y=lambda t: t["y"] * scale, n=lambda t: t["n"] * scale + 0.25 * (asked != TRIALS))
    made = digest(tmp_path, study(**asked), rows)
    store = Store(tmp_path / "reports", study(**asked))
    store.put(made)
    kept = store.get(made.sha256)
    assert kept is not None
    require_same(kept.cells, made.cells)
    assert made.sample.size is not None
    np.testing.assert_array_equal(kept.sample.size, made.sample.size, strict=True)
    np.testing.assert_array_equal(kept.extremes.low, made.extremes.low, strict=True)


def test_a_file_without_good_rows_survives_too(tmp_path: Path) -> None:
    made = digest(tmp_path, study(**TRIALS), frame(3).assign(n=0))
    assert made.cells is not None
    assert made.cells.events.size == 0
    store = Store(tmp_path / "reports", study(**TRIALS))
    store.put(made)
    kept = store.get(made.sha256)
    assert kept is not None
    require_same(kept.cells, made.cells)


def test_a_measured_outcome_keeps_no_cells(tmp_path: Path) -> None:
    made = digest(tmp_path, study(), frame())
    store = Store(tmp_path / "reports", study())
    store.put(made)
    kept = store.get(made.sha256)
    assert kept is not None
    assert (kept.cells, kept.sample.size) == (None, None)


def test_cells_of_categories_take_little_room(tmp_path: Path) -> None:
    rows = frame(20_000)
    plain, counted = study(predictors=["ward"]), study(predictors=["ward"], **TRIALS)
    sizes = []
    for asked in (plain, counted):
        store = Store(tmp_path / "reports", asked)
        store.put(made := digest(tmp_path, asked, rows))
        sizes.append((store.folder / f"{made.sha256}.npz").stat().st_size)
    of_sampled_sizes = 8 * 20_000
    assert sizes[1] - sizes[0] - of_sampled_sizes < 6_000


def test_another_family_reads_the_files_anew(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "a.csv", index=False)
    first, names = read(tmp_path, study(**TRIALS))
    assert names == ["a.csv"]
    again, names = read(tmp_path, study(**TRIALS))
    assert names == []
    require_same(again.cells, first.cells)
    other, names = read(tmp_path, study(family="poisson", exposure="n"))
    assert names == ["a.csv"]
    assert other.cells is not None
    assert other.cells.family == "poisson"
    measured, names = read(tmp_path, study())
    assert names == ["a.csv"]
    assert measured.cells is None


def test_a_run_of_another_family_is_another_run() -> None:
    kinds = [{}, {"family": "poisson"}, {"family": "binomial"}, TRIALS, {"family": "poisson", "exposure": "n"}]
    kinds += [{"family": "poisson", "exposure": "m"}, {**TRIALS, "targets": {"all": 0.1}}]
    prints = {open_run(study(**kind), {"a.csv": "1"}).fingerprint for kind in kinds}
    assert len(prints) == len(kinds)
    assert open_run(study(**TRIALS), {"a.csv": "1"}).fingerprint in prints


def test_a_level_that_only_a_later_file_or_chunk_has_is_in_all_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = frame(90)
    rows.to_csv(tmp_path / "a.csv", index=False)
    rows.head(7).assign(ward="attic", g="e").to_csv(tmp_path / "b.csv", index=False)
    whole, _ = read(tmp_path, study(**TRIALS))
    monkeypatch.setattr(csv_files, "CHUNK_ROWS", 4)
    chunked, names = read(tmp_path, study(**TRIALS))
    assert names == ["a.csv", "b.csv"]
    assert whole.cells is not None
    assert "ward: attic" in whole.cells.terms
    assert whole.cells.labels == ("a", "b", "c", "d", "e")
    assert chunked.cells is not None
    for name in CELLS:
        np.testing.assert_array_equal(getattr(whole.cells, name), getattr(chunked.cells, name))


def test_parquet_databases_and_reading_ahead_give_the_same_cells(tmp_path: Path) -> None:
    rows = frame()
    rows.to_csv(tmp_path / "a.csv", index=False)
    from_csv, _ = read(tmp_path, study(**TRIALS))
    rows.to_parquet(tmp_path / "a.parquet")
    from_parquet, _ = read(tmp_path, study(**TRIALS, source="*.parquet"))
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        rows.to_sql("visits", connection, index=False)
    query = {"sql": "select * from visits", "database": "sqlite:///a.sqlite"}
    from_query, _ = read(tmp_path, study(**TRIALS, source=query))
    for found in (from_parquet, from_query):
        require_same(found.cells, from_csv.cells)
    opened = OpenedStudy(study(**TRIALS), tmp_path, "")
    for name, content in source_of(opened).parts().items():
        assert keep_digest(opened, name, content, tmp_path / "ahead")
    found = read_files(opened, identify(opened, tmp_path / "ahead"), tmp_path / "ahead")
    assert not found.names_read
    require_same(collect(found, opened.study).cells, from_csv.cells)


def test_whole_numbers_that_parquet_stores_as_floats_are_counts(tmp_path: Path) -> None:
    frame().astype({"y": float, "n": float}).to_parquet(tmp_path / "a.parquet")
    found, _ = read(tmp_path, study(**TRIALS, source="*.parquet"))
    assert found.n_rejected == 0
    zero_one = frame().assign(y=lambda t: t["y"] > 5)
    zero_one.to_parquet(tmp_path / "a.parquet")
    os.utime(tmp_path / "a.parquet", (1, 1))
    found, _ = read(tmp_path, study(family="binomial", source="*.parquet"))
    assert found.sample.y.sum() == zero_one["y"].sum()
    assert store_key(study(family="binomial")) != store_key(study())
