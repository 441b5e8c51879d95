"""Which studies `serve` and `deploy` go on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.opening.studies_to_serve import folders_of
from tasks.study.errors import StudyError


def study_in(folder: Path, text: str = 'title = "t"\noutcome = "y"\ngroup = "g"\n') -> Path:
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(text)
    return folder


def test_broken_studies_are_among_them(tmp_path: Path) -> None:
    good, bad = study_in(tmp_path / "good"), study_in(tmp_path / "bad", "title = ")
    missing = tmp_path / "missing"
    assert folders_of([str(good / "study.toml"), str(bad), str(missing)], tmp_path) == [good, bad, missing]


def test_nothing_but_broken_studies_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = study_in(tmp_path / "data" / "bad", "title = ")
    with pytest.raises(StudyError, match="not valid TOML"):
        folders_of([str(bad), str(tmp_path / "missing")], tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match="not valid TOML"):
        folders_of(None, tmp_path)
    study_in(tmp_path / "data" / "good")
    assert folders_of(None, tmp_path) == [tmp_path / "data" / "bad", tmp_path / "data" / "good"]


def test_no_study_at_all_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match="no study under data/"):
        folders_of(None, tmp_path)
