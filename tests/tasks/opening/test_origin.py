"""Studies whose names come down to the same keep histories of their own, wherever names come from."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from tasks.disk.layout import origin_note
from tasks.opening.origin import require_distinct_names, under_its_name
from tasks.opening.studies import OpenedStudy, read_study, study_from_flags
from tasks.study.errors import StudyError


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return tmp_path / "reports"


def study_in(folder: Path, name: str = "") -> OpenedStudy:
    folder.mkdir(parents=True, exist_ok=True)
    given = f'name = "{name}"\n' if name else ""
    (folder / "study.toml").write_text(f'{given}title = "t"\noutcome = "y"\ngroup = "g"\n')
    return read_study(folder)


def file_in(folder: Path, name: str = "data.csv") -> OpenedStudy:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("y,g\n")
    return study_from_flags(folder / name, "y", "g")


def called(opened: OpenedStudy, reports: Path) -> str:
    return under_its_name(opened, reports).study.name


def test_folders_of_one_name_are_told_apart_and_found_again(tmp_path: Path, reports: Path) -> None:
    one, two = study_in(tmp_path / "a" / "visits"), study_in(tmp_path / "b" / "visits")
    names = [called(one, reports), called(two, reports)]
    assert names[0] == "visits"
    assert names[1].startswith("visits-")
    assert [called(one, reports), called(two, reports)] == names
    assert called(under_its_name(two, reports), reports) == names[1], "a name once decided stays"
    assert called(two, tmp_path / "elsewhere") == "visits"


def test_names_that_come_down_to_the_same_are_told_apart(tmp_path: Path, reports: Path) -> None:
    folders = [tmp_path / name for name in ("Visits 2024", "visits-2024", "visits 2024")]
    assert len({called(study_in(folder), reports) for folder in folders}) == 3


def test_data_files_of_one_name_are_told_apart(tmp_path: Path, reports: Path) -> None:
    one, two = file_in(tmp_path / "a"), file_in(tmp_path / "b")
    assert called(one, reports) == "data"
    renamed = under_its_name(two, reports)
    assert renamed.study.name.startswith("data-")
    assert tomllib.loads(renamed.text)["name"] == renamed.study.name
    assert called(file_in(tmp_path / "a", "data.tsv"), reports) not in ("data", renamed.study.name)


def test_long_names_stay_names(tmp_path: Path, reports: Path) -> None:
    one, two = study_in(tmp_path / "a" / ("v" * 80)), study_in(tmp_path / "b" / ("v" * 80))
    assert {len(called(one, reports)), len(called(two, reports))} == {64}


def test_a_data_file_and_the_study_drafted_beside_it_are_one(tmp_path: Path, reports: Path) -> None:
    folder = tmp_path / "visits"
    assert called(file_in(folder, "visits.csv"), reports) == called(study_in(folder), reports) == "visits"


def test_a_folder_within_one_of_the_same_name_is_another_study(tmp_path: Path, reports: Path) -> None:
    outer, inner = study_in(tmp_path / "visits"), study_in(tmp_path / "visits" / "visits")
    assert called(outer, reports) != called(inner, reports)


def test_a_study_that_was_moved_keeps_its_history(tmp_path: Path, reports: Path) -> None:
    assert called(study_in(tmp_path / "a" / "visits"), reports) == "visits"
    shutil.move(tmp_path / "a", tmp_path / "moved")
    assert called(read_study(tmp_path / "moved" / "visits"), reports) == "visits"


def test_a_study_with_a_history_of_its_own_does_not_take_over_anothers(tmp_path: Path, reports: Path) -> None:
    study_in(tmp_path / "a" / "visits")
    called(read_study(tmp_path / "a" / "visits"), reports)
    two = study_in(tmp_path / "b" / "visits")
    own = called(two, reports)
    shutil.rmtree(tmp_path / "a")
    assert called(two, reports) == own


@pytest.mark.parametrize("content", [None, "", "[]", '{"path": 3}', "\x00"])
def test_a_history_that_is_nobodys_is_the_first_comers(tmp_path: Path, reports: Path, content: str | None) -> None:
    (reports / "visits").mkdir(parents=True)
    if content is not None:
        origin_note(reports / "visits").write_text(content)
    assert called(study_in(tmp_path / "a" / "visits"), reports) == "visits"
    assert called(study_in(tmp_path / "b" / "visits"), reports) != "visits"


def test_a_given_name_is_the_study_wherever_it_lies(tmp_path: Path, reports: Path) -> None:
    assert called(study_in(tmp_path / "a", "visits"), reports) == "visits"
    assert called(study_in(tmp_path / "b", "visits"), reports) == "visits"
    assert called(study_in(tmp_path / "c" / "visits"), reports) != "visits"


def test_a_study_may_give_itself_the_name_it_had(tmp_path: Path, reports: Path) -> None:
    assert called(study_in(tmp_path / "a" / "visits"), reports) == "visits"
    assert called(study_in(tmp_path / "a" / "visits", "visits"), reports) == "visits"
    assert called(study_in(tmp_path / "b" / "visits"), reports) != "visits"


def test_a_given_name_that_another_study_has_is_refused(tmp_path: Path, reports: Path) -> None:
    called(study_in(tmp_path / "a" / "visits"), reports)
    with pytest.raises(StudyError, match=r'name = "visits" is taken .* Give it another name'):
        under_its_name(study_in(tmp_path / "b", "visits"), reports)


def test_studies_served_together_need_names_of_their_own(tmp_path: Path, reports: Path) -> None:
    folders = [tmp_path / "a" / "visits", tmp_path / "b" / "visits"]
    for folder in folders:
        study_in(folder)
    require_distinct_names(folders, reports)
    for folder in folders:
        study_in(folder, "same")
    with pytest.raises(StudyError, match="both called same"):
        require_distinct_names(folders, reports)
