"""Drafted study files: valid, runnable, and open about their guesses."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.draft import draft_study
from tasks.load import hash_files, load_rows
from tasks.stats.errors import DataRejected, PoolwiseError, StudyError
from tasks.stats.study import Study
from tasks.studies import read_study
from tasks.validate import validate_rows

DATA = Path(__file__).parents[2] / "data"


def drafted(file: Path) -> Study:
    return Study.model_validate({"name": "drafted", **tomllib.loads(draft_study(file))})


@pytest.mark.parametrize("name", ["bounce_rates", "sleepstudy"])
def test_the_bundled_files_are_guessed_right(name: str) -> None:
    bundled = read_study(DATA / name).study
    guessed = drafted(DATA / name / f"{name}.csv")
    assert (guessed.outcome, guessed.group, guessed.predictors) == (
        bundled.outcome,
        bundled.group,
        bundled.predictors,
    )


def test_a_draft_says_what_it_guessed_and_what_it_saw() -> None:
    text = draft_study(DATA / "sleepstudy" / "sleepstudy.csv")
    assert 'group = "Subject" # guess: 18 different values, about 10 rows each' in text
    assert "# Reaction = { min = 194.3322, max = 466.3535 } # as seen" in text


def test_a_draft_saved_beside_its_file_runs(tmp_path: Path) -> None:
    rows = "".join(f"{i};2026-11-{1 + i % 9:02d};Köln {i % 3};{i * i % 7},5;{i % 5},25\n" for i in range(30))
    file = tmp_path / "Messung.csv"
    file.write_text("Nr;Tag;Ort;Dauer;Alter\n" + rows, encoding="cp1252")
    (tmp_path / "study.toml").write_text(draft_study(file), encoding="utf-8")
    opened = read_study(tmp_path)
    assert (opened.study.encoding, opened.study.decimal) == ("cp1252", ",")
    assert (opened.study.group, opened.study.outcome, opened.study.predictors) == ("Ort", "Alter", ("Dauer",))
    data = validate_rows(load_rows(opened), opened.study, hash_files(opened)).data
    assert data.labels == ("Köln 0", "Köln 1", "Köln 2")


def test_parquet_is_drafted_too(tmp_path: Path) -> None:
    frame = pd.DataFrame({"ward": ["a", "b"] * 6, "stay": [i + 0.5 for i in range(12)]})
    frame.to_parquet(tmp_path / "stays.parquet")
    guessed = drafted(tmp_path / "stays.parquet")
    assert (guessed.source, guessed.outcome, guessed.group) == ("stays.parquet", "stay", "ward")


def test_a_file_that_gives_no_guess_says_so(tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_text("a,b\nx,y\nz,w\n")
    with pytest.raises(DataRejected, match="column of numbers that could be the outcome"):
        draft_study(file)
    with pytest.raises(StudyError, match="no data file at"):
        draft_study(tmp_path / "absent.csv")


names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1, max_size=8
)  # pandas writes a bare CR unquoted


@settings(suppress_health_check=list(HealthCheck), max_examples=50, deadline=None)
@given(st.lists(names, min_size=2, max_size=5), st.integers(0, 2**32))
def test_whatever_the_columns_are_called_a_draft_is_a_valid_study(tmp_path: Path, header: list[str], n: int) -> None:
    columns = [[f"g{i % 3}" if j == 0 else i * (n + j) % 17 / 4 for i in range(12)] for j in range(len(header))]
    file = tmp_path / "drafted.csv"
    pd.DataFrame(list(zip(*columns, strict=True)), columns=header).to_csv(file, index=False)
    try:
        guessed = drafted(file)
    except PoolwiseError:
        return
    assert {guessed.outcome, guessed.group, *guessed.predictors} <= {name.strip() for name in header}
