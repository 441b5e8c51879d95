"""Studies opened from files and flags, and what a user reads when one is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.opening.studies import OpenedStudy, read_study, study_from_flags
from tasks.study.errors import StudyError
from tasks.study.toml_text import toml_text

DATA = Path(__file__).parents[3] / "data"
LEAST = 'title = "t"\noutcome = "y"\ngroup = "g"\npredictors = ["x"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "My Study"
    folder.mkdir()
    return folder


def opened(folder: Path, text: str | bytes) -> OpenedStudy:
    content = text if isinstance(text, bytes) else text.encode()
    (folder / "study.toml").write_bytes(content)
    return read_study(folder)


def complaint(folder: Path, text: str | bytes) -> str:
    with pytest.raises(StudyError) as caught:
        opened(folder, text)
    message = str(caught.value)
    assert str(folder / "study.toml") in message
    assert "\n" not in message
    assert "pydantic" not in message
    return message


def test_a_study_is_named_after_its_folder_unless_it_says_otherwise(folder: Path) -> None:
    assert opened(folder, LEAST).study.name == "my-study"
    assert opened(folder, LEAST + 'name = "visits"\n').study.name == "visits"


def test_folder_and_file_open_the_same_study(folder: Path) -> None:
    by_folder = opened(folder, LEAST)
    assert read_study(folder / "study.toml") == by_folder
    assert read_study(str(folder)) == by_folder
    assert by_folder.folder == folder
    assert by_folder.text == LEAST


def test_a_relative_path_still_gives_the_folder_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "study.toml").write_text(LEAST)
    monkeypatch.chdir(folder)
    assert read_study(Path()).study.name == "my-study"
    assert read_study("study.toml").folder == folder


def test_byte_order_mark_and_windows_line_ends_do_no_harm(folder: Path) -> None:
    assert opened(folder, ("\ufeff" + LEAST.replace("\n", "\r\n")).encode()).study == opened(folder, LEAST).study


@pytest.mark.parametrize("name", ["bounce_rates", "sleepstudy"])
def test_bundled_studies_open(name: str) -> None:
    bundled = read_study(DATA / name)
    assert bundled.study.name == name
    assert (DATA / name / "PROVENANCE.md").is_file()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["title is missing", "outcome is missing", "group is missing"]),
        (LEAST + 'outcome_unt = "s"', ["outcome_unt is not a key", "Did you mean outcome_unit?"]),
        (LEAST + "min_rows = 3", ["min_rows is not a key", "min_rows, in the table [rules]"]),
        (LEAST + '[rules]\nvarying = ["x"]', ["rules.varying is not a key", "varying, which stands at the top"]),
        (LEAST + "[rules.ranges.y]\nmn = 3", ["rules.ranges.y.mn is not a key", "rules.ranges.y.min?"]),
        (LEAST + "[rules]\nqqq = 3", ["rules.qqq is not a key", "[rules] takes ranges, groups, unique"]),
        (LEAST + "[rules.ranges]\ny = {min = 3, max = 1}", ["rules.ranges.y: min 3 is above max 1"]),
        (LEAST + "[sampler]\nchains = 1", ["sampler.chains is 1, but it should be greater than or equal to 2"]),
        (LEAST + '[sampler]\ndraws = "many"', ['sampler.draws is "many", but it should be a whole number']),
        (LEAST + 'name = "My Study"', ['name is "My Study"', "lowercase letters, digits"]),
        (LEAST + 'delimiter = ":"', ['delimiter is ":"', "should be ','"]),
        (LEAST + 'varying = ["z"]', ["varying names 'z', which is none of x"]),
        (LEAST + "rules = 3", ["rules is 3", "a table of keys and values"]),
        (LEAST + "[priors.intercept]\nmean = 1", ["priors.intercept.sd is missing"]),
        (LEAST.replace('["x"]', '"x"'), ['predictors is "x"', 'a list, as in: ["age"]']),
        (LEAST.replace('"y"', "y"), ["not valid TOML", "line 2", "`outcome = y`"]),
        (LEAST + 'outcome = "z"', ["not valid TOML", "each key stands once"]),
        (b'title = "\xe9"', ["not UTF-8 text", "byte 10"]),
    ],
)
def test_what_is_wrong_is_said_with_key_value_and_rule(folder: Path, text: str | bytes, parts: list[str]) -> None:
    message = complaint(folder, text)
    assert [part for part in parts if part not in message] == []


def test_a_wrong_list_of_predictors_is_not_blamed_on_varying(folder: Path) -> None:
    assert "varying" not in complaint(folder, LEAST.replace('["x"]', '"x"'))


def test_many_problems_stay_one_short_paragraph(folder: Path) -> None:
    message = complaint(folder, LEAST + "".join(f"zz{i} = 1\n" for i in range(9)))
    assert "There are 4 more problems." in message


def test_missing_files_say_what_to_do(folder: Path) -> None:
    (folder / "rows.csv").touch()
    for path, advice in [
        (folder, "poolwise new FILE.csv"),
        (folder / "nowhere", "Give a folder with a study.toml"),
        (folder / "rows.csv", "--outcome"),
    ]:
        with pytest.raises(StudyError, match=advice):
            read_study(path)


def test_flags_make_a_study_whose_text_asks_the_same(folder: Path) -> None:
    file = folder / "Rows [1].csv"
    file.touch()
    rules = {"unique": ["g", "day"], "ranges": {"x y": {"min": 0, "max": 1.5}}, "max_rejected_share": 0.5}
    asked = study_from_flags(file, "y", "g", ["x y"], outcome_unit="ms", rules=rules, decimal=None)
    assert asked.study.name == "rows-1"
    assert asked.study.outcome_unit == "ms"
    assert asked.folder == folder
    assert type(asked.study).model_validate(tomllib.loads(asked.text)) == asked.study


def test_flags_need_a_file_and_columns_that_fit_together(folder: Path) -> None:
    (folder / "rows.csv").touch()
    with pytest.raises(StudyError, match="no data file at"):
        study_from_flags(folder / "other.csv", "y", "g")
    with pytest.raises(StudyError, match="The command line: column 'y' is named twice"):
        study_from_flags(folder / "rows.csv", "y", "y")


text = st.text(st.characters(exclude_categories=["Cs"]))
plain = text | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.lists(text)
tables = st.recursive(st.dictionaries(text, plain), lambda inner: st.dictionaries(text, plain | inner), max_leaves=8)


@given(tables)
def test_written_toml_reads_back(values: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(values)) == values
