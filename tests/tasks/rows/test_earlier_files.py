"""Which of today's rows an earlier run had is told from the files' bytes, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.opening.studies import OpenedStudy
from tasks.rows.collect import Collected, collect
from tasks.rows.earlier_files import earlier_digests, is_continued
from tasks.rows.read_files import read_files
from tasks.rows.study_files import hash_file, hash_files
from tasks.stats.past.increments import EarlierRows
from tasks.study.model import Study
from tasks.study.run import SourceFile

RUN = "20261101T080000Z-000000"
WHOLE = [f"{(i * 7919 % 101) / 7:.4f},{'abc'[i * i % 3]},{i}" for i in range(40)]


def opened(folder: Path, **rules: Any) -> OpenedStudy:
    least = {"name": "s", "title": "t", "outcome": "y", "group": "g", "predictors": ["x"], "source": "*.csv"}
    return OpenedStudy(Study.model_validate({**least, "rules": {"max_rejected_share": 1.0, **rules}}), folder, "")


def put(folder: Path, name: str, lines: Sequence[str], end: str = "\n") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join(["y,g,x", *lines]) + end)


def run(study: OpenedStudy, then: Sequence[SourceFile] = ()) -> Collected:
    reports = study.folder.parent / "reports"
    read = read_files(study, hash_files(study), reports)
    return collect(read, study.study, earlier_digests(study, read, reports, {RUN: then}))


def before(study: OpenedStudy, then: Sequence[SourceFile]) -> EarlierRows:
    found = run(study, then).earlier
    assert found is not None
    return found


def test_files_that_came_are_new_whatever_the_others_are_called_now(tmp_path: Path) -> None:
    study = opened(tmp_path / "s")
    put(study.folder, "b.csv", WHOLE[:20])
    then = run(study)
    (study.folder / "b.csv").rename(study.folder / "z.csv")
    put(study.folder, "a.csv", WHOLE[20:])
    found = before(study, then.files)
    assert found.lost == {}
    assert found.now.n_rows == 40
    assert found.sums[RUN].n_rows == 20
    assert found.sums[RUN].gram == pytest.approx(_about(then, found), abs=1e-9)


def _about(then: Collected, found: EarlierRows) -> np.ndarray:
    """The sums of that run, about today's offset, for today's labels, which are the same."""
    basis = np.eye(3)
    basis[0, 1:] = then.products.offset - found.now.offset
    assert then.products.labels == found.now.labels
    return basis.T @ then.products.gram @ basis


@pytest.mark.parametrize("is_kept", [True, False])
@pytest.mark.parametrize("end", ["\n", ""])
def test_rows_appended_to_a_file_are_new(tmp_path: Path, is_kept: bool, end: str) -> None:
    study = opened(tmp_path / "s")
    put(study.folder, "a.csv", WHOLE[:20], end)
    then = run(study)
    put(study.folder, "a.csv", WHOLE)
    if not is_kept:
        shutil.rmtree(tmp_path / "reports")
    found = before(study, then.files)
    assert found.lost == {}
    assert found.sums[RUN].n_rows == 20
    assert found.sums[RUN].gram == pytest.approx(_about(then, found), abs=1e-9)


def test_the_order_in_which_files_are_named_changes_no_digit(tmp_path: Path) -> None:
    grams = []
    for names in (("a", "b", "c"), ("c", "a", "b")):
        study = opened(tmp_path / "".join(names))
        for k, name in enumerate(names):
            put(study.folder, f"{name}.csv", WHOLE[10 * k : 10 * k + 10])
        then = run(study)
        put(study.folder, "d.csv", WHOLE[30:])
        grams.append(before(study, then.files).sums[RUN].gram.tobytes())
    assert grams[0] == grams[1]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda folder: put(folder, "a.csv", ["0,a,0", *WHOLE[1:]]), "edited"),
        (lambda folder: put(folder, "a.csv", WHOLE[:10]), "cut"),
        (lambda folder: put(folder, "a.csv", [*WHOLE[:19], f"{WHOLE[19]}5", *WHOLE[20:]]), "last row changed"),
        (lambda folder: (folder / "a.csv").unlink(), "removed"),
    ],
)
def test_a_file_that_was_changed_or_removed_is_lost(tmp_path: Path, change: Any, why: str) -> None:
    study = opened(tmp_path / "s")
    put(study.folder, "a.csv", WHOLE[:20], end="")
    put(study.folder, "b.csv", WHOLE[20:])
    then = run(study)
    change(study.folder)
    found = before(study, then.files)
    assert found.sums == {}, why
    assert found.lost == {RUN: ("a.csv",)}


def test_a_file_of_which_rows_were_dropped_as_copies_is_not_taken_for_what_was_used(tmp_path: Path) -> None:
    study = opened(tmp_path / "s", copies="drop")
    put(study.folder, "a.csv", WHOLE[:20])
    put(study.folder, "b.csv", WHOLE[15:30])
    then = run(study)
    assert then.n_copies == 5
    put(study.folder, "b.csv", WHOLE[15:])
    assert before(study, then.files).lost == {RUN: ("b.csv",)}


def test_files_set_aside_then_had_no_rows_to_lose(tmp_path: Path) -> None:
    study = opened(tmp_path / "s")
    put(study.folder, "a.csv", WHOLE)
    aside = SourceFile("bad.csv", "f" * 64, 0, 0, "it is empty")
    then = (*run(study).files, aside)
    assert before(study, then).sums[RUN].n_rows == 40
    assert before(study, (aside,)).sums == {}


def test_of_a_file_whose_size_is_not_known_and_of_parquet_no_beginning_is_told(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", WHOLE)
    (tmp_path / "a.parquet").write_bytes((tmp_path / "a.csv").read_bytes())
    size = (tmp_path / "a.csv").stat().st_size
    then = SourceFile("a.csv", hash_file(tmp_path / "a.csv"), 40, 0, n_bytes=size)
    assert is_continued(tmp_path / "a.csv", then)
    assert not is_continued(tmp_path / "a.csv", replace(then, n_bytes=0))
    assert not is_continued(tmp_path / "a.csv", replace(then, n_bytes=size - 1))
    assert not is_continued(tmp_path / "a.parquet", then)
    assert not is_continued(tmp_path / "gone.csv", then)
