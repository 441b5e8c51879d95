"""Drafted study files: valid, runnable, and open about their guesses."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.drafting.draft import draft_study
from tasks.opening.studies import read_study
from tasks.rows.collect import collect_afresh
from tasks.study.errors import DataRejected, PoolwiseError, StudyError
from tasks.study.model import Study
from tasks.study.settings import clean_label

DATA = Path(__file__).parents[3] / "data"


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
    assert (
        'group = "Subject" # guess: 18 different values, about 10 rows each; its name; 39% of the outcome\'s variance '
        "lies between its values"
    ) in text
    assert "# Reaction = { min = 194.3322, max = 466.3535 } # as seen" in text


def test_a_draft_saved_beside_its_file_runs(tmp_path: Path) -> None:
    rows = "".join(f"{i};2026-11-{1 + i % 9:02d};Köln {i % 3};{i * i % 7},5;{i % 5},25\n" for i in range(30))
    file = tmp_path / "Messung.csv"
    file.write_text("Nr;Tag;Ort;Dauer;Alter\n" + rows, encoding="cp1252")
    (tmp_path / "study.toml").write_text(draft_study(file), encoding="utf-8")
    opened = read_study(tmp_path)
    assert (opened.study.encoding, opened.study.decimal) == ("cp1252", None)
    assert (opened.study.group, opened.study.outcome, opened.study.predictors) == ("Ort", "Dauer", ("Alter",))
    rows = collect_afresh(opened)
    assert rows.sample.labels == ("Köln 0", "Köln 1", "Köln 2")


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


ROWS = [(f"Ort {i % 5}", 4 + i * 7 % 23 / 4, 900 + 10 * (i % 5) + i * i % 97) for i in range(60)]


def reread(folder: Path, content: str | bytes) -> tuple[Study, list[float], list[list[float]]]:
    """What the drafted study reads: itself, outcomes, predictors."""
    (folder / "data.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "study.toml").write_text(draft_study(folder / "data.csv"), encoding="utf-8")
    opened = read_study(folder)
    found = collect_afresh(opened)
    assert found.n_rejected == 0
    return opened.study, found.sample.y.tolist(), found.sample.x.tolist()


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("{g},{x},{y}", {}),
        ('{g},{x},"{y:,}"', {"thousands": ","}),
        ("{g},{x}%,${y}", {"affixes": ("$", "%")}),
        ('{g},{x},"$ {y:,.2f}"', {"thousands": ",", "affixes": ("$",)}),
        ("{g},{x},{y} kg", {"affixes": ("kg",)}),
    ],
)
def test_a_draft_says_how_numbers_are_to_be_read_where_the_file_does_not(
    tmp_path: Path, line: str, keys: dict[str, Any]
) -> None:
    lines = [line.format(g=g, x=x, y=y) for g, x, y in ROWS]
    study, y, x = reread(tmp_path, "\n".join(["ort,x,result", *lines]) + "\n")
    assert (y, x) == ([float(each) for _, _, each in ROWS], [[each] for _, each, _ in ROWS])
    said = {"thousands": study.thousands, "affixes": study.affixes}
    assert {key: value for key, value in said.items() if value} == keys


def test_what_the_file_itself_shows_is_not_written_down(tmp_path: Path) -> None:
    lines = [f"{g};{x};{y}".replace(".", ",") for g, x, y in ROWS]
    for content in ("sep=;\n# of 2026\n" + "\n".join(["ort;x;result", *lines]), "\n".join(["ort;x;result", *lines])):
        for encoded in (content.encode(), content.encode("utf-16"), b"\xef\xbb\xbf" + content.encode()):
            study, y, x = reread(tmp_path, encoded)
            assert (y, x) == ([float(each) for _, _, each in ROWS], [[each] for _, each, _ in ROWS])
            assert (study.encoding, study.decimal, study.thousands, study.affixes) == (None, None, None, ())


def test_whole_thousands_are_never_drafted_as_fractions(tmp_path: Path) -> None:
    lines = [f'{g},{x},"{y + 1000:,}"' for g, x, y in ROWS]
    study, y, _ = reread(tmp_path, "\n".join(["ort,x,result", *lines]) + "\n")
    assert y == [1000.0 + each for _, _, each in ROWS]
    assert 'instead, decimal = ","' in draft_study(tmp_path / "data.csv")
    assert study.decimal is None


def test_a_number_that_may_stand_for_missing_is_a_remark_of_the_draft(tmp_path: Path) -> None:
    lines = [f"{g},{x},{-999 if i in (3, 9, 33) else y}" for i, (g, x, y) in enumerate(ROWS)]
    (tmp_path / "data.csv").write_text("\n".join(["ort,x,result", *lines]) + "\n")
    assert '# missing = ["-999"] # result is -999 in 3 rows' in draft_study(tmp_path / "data.csv")


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
    assert {guessed.outcome, guessed.group, *guessed.predictors} <= {clean_label(name) for name in header}
