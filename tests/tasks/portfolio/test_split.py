"""Rows are split once, each value's in files of its own, and only what changed is written again."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.opening.reports_folder import folder_of_reports
from tasks.opening.studies import OpenedStudy, read_study
from tasks.portfolio.member import members_in, names_of
from tasks.portfolio.split import Split, split_by
from tasks.rows.sources.of_study import source_of
from tasks.study.errors import DataRejected, StudyError
from tests.parts.object_store import BUCKET, ObjectStore
from tests.tasks.rows.sources.places import set_environment

STUDY = 'title = "T"\noutcome = "y"\ngroup = "g"\npredictors = ["x"]\n'


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "visits"
    folder.mkdir()
    (folder / "study.toml").write_text(STUDY + '[notify]\nto = ["json://localhost/secret-token"]\n')
    return folder


def rows(*values: str, start: int = 0) -> str:
    lines = [f"{value},g{at % 3},{start + at},{at / 2},note {at}" for at, value in enumerate(values)]
    return "\n".join(["region,g,y,x,other", *lines, ""])


def split(study: Path, column: str = "region") -> Split:
    return split_by(read_study(study), column, study.parent / "reports")


def read(opened: OpenedStudy) -> list[list[str]]:
    """The rows of a member's files, with every column, in order."""
    return [row for name in source_of(opened).parts() for row in csv.reader((opened.folder / name).open()) if row]


def test_each_value_is_a_study_of_its_own_rows(study: Path) -> None:
    (study / "a.csv").write_text(rows("north", "south", "north", "", "East 1"))
    found = split(study)
    assert [member.label for member in found.members] == ["East 1", "north", "south"]
    assert found.n_unassigned == 1
    north = next(member for member in found.members if member.label == "north").open()
    assert north.study.name == "visits-north"
    assert north.study.title == "T – region: north"
    assert read(north) == [
        ["region", "g", "y", "x", "other"],
        ["north", "g0", "0", "0.0", "note 0"],
        ["north", "g2", "2", "1.0", "note 2"],
    ]
    assert not north.study.notify.to
    assert not any("secret-token" in path.read_text() for path in study.parent.glob("reports/.segments/**/*.*"))


def test_what_has_not_changed_is_neither_read_nor_written(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (study / "a.csv").write_text(rows("north", "south"))
    (study / "b.csv").write_text(rows("north", "west", start=10))
    split(study)
    files = {path: path.stat().st_ino for path in study.parent.glob("reports/.segments/**/*.csv")}
    asked: list[str] = []
    opened_rows = type(source_of(read_study(study))).rows
    monkeypatch.setattr(
        type(source_of(read_study(study))),
        "rows",
        lambda self, name, content: (asked.append(name), opened_rows(self, name, content))[1],
    )
    (study / "b.csv").write_text(rows("north", "east", start=10))
    found = split(study)
    assert asked == ["b.csv"]
    assert [member.label for member in found.members] == ["east", "north", "south"]
    same = {path for path, inode in files.items() if path.exists() and path.stat().st_ino == inode}
    assert {path.parent.name for path in same} == {"visits-north", "visits-south"}
    assert len(same) == 3  # north's of a.csv and of b.csv, whose rows are the same, and south's
    (study / "a.csv").unlink()
    assert [member.label for member in split(study).members] == ["east", "north"]


def test_a_row_of_a_wrong_length_belongs_to_none(study: Path) -> None:
    (study / "a.csv").write_text(rows("north", "north") + "north,g1,1,2,more,than,there,are,columns\n")
    found = split(study)
    assert found.n_unassigned == 1
    assert len(read(found.members[0].open())) == 3


def test_parquet_and_csv_are_split_alike(study: Path) -> None:
    frame = pd.DataFrame({"region": ["n", "s", "n"], "g": ["a", "a", "b"], "y": [1.0, 2.5, 3.0], "x": [1, 2, 3]})
    frame.to_parquet(study / "a.parquet")
    (study / "study.toml").write_text(STUDY + 'source = "*.parquet"\n')
    members = split(study).members
    assert [member.label for member in members] == ["n", "s"]
    assert [[*row[:2], *map(float, row[2:])] for row in read(members[0].open())[1:]] == [
        ["n", "a", 1, 1],
        ["n", "b", 3, 3],
    ]


def test_where_reports_go_to_a_store_the_rows_do_too(
    study: Path, object_store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, object_store.environment)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (study / "a.csv").write_text(rows("north", "south"))
    reports = folder_of_reports(f"s3://{BUCKET}/split-reports")
    members = split_by(read_study(study), "region", reports).members
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another-machine"))
    opened = members[0].open()
    assert str(opened.study.source).startswith(f"s3://{BUCKET}/split-reports/.segments/visits/")
    assert [Path(name).suffix for name in source_of(opened).parts()] == [".csv"]


def test_the_trials_cannot_split(study: Path) -> None:
    (study / "a.csv").write_text("region,g,y,x,n\nn,a,1,2,4\nn,b,2,3,5\n")
    file = study / "study.toml"
    file.write_text('family = "binomial"\ntrials = "n"\n' + file.read_text())
    with pytest.raises(StudyError, match="own outcome, group, order or size"):
        split(study, "n")


@pytest.mark.parametrize(
    ("column", "kind", "why"),
    [
        ("y", StudyError, "own outcome"),
        ("g", StudyError, "own outcome, group"),
        ("x", StudyError, "predictor"),
        ("nowhere", DataRejected, "no one column"),
        ("blank", DataRejected, "no value"),
    ],
)
def test_a_column_that_cannot_split_is_refused(study: Path, column: str, kind: type[Exception], why: str) -> None:
    (study / "a.csv").write_text("region,g,y,x,blank\nn,a,1,2,\nn,b,2,3,\n")
    with pytest.raises(kind, match=why):
        split(study, column)


def test_a_folder_of_folders(tmp_path: Path) -> None:
    for name in ("One", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "study.toml").write_text(STUDY)
    assert [(member.name, member.label) for member in members_in(tmp_path)] == [("one", "One"), ("two", "two")]
    with pytest.raises(StudyError, match="--by COLUMN"):
        members_in(tmp_path / "One")


@given(st.sets(st.text(min_size=1, max_size=80), min_size=2, max_size=20))
def test_names_are_distinct_and_do_not_depend_on_the_others(values: set[str]) -> None:
    names = names_of("visits", values)
    assert len({*names.values()}) == len(values)
    for value in values:
        assert names_of("visits", [value])[value] == names[value]
        assert len(names[value]) <= 64
