"""Finds the studies that `serve` and `deploy` go on with; broken ones stay, as they may be mended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tasks.opening.origin import require_distinct_names
from tasks.opening.studies import STUDY_FILE, read_study, study_folder
from tasks.study.errors import StudyError


def folders_of(studies: Sequence[str] | None, reports: Path) -> list[Path]:
    """The folders of the studies named, or of all under data/.

    Raises StudyError when all are broken, or when two have the same name.
    """
    found = studies or sorted(str(file.parent) for file in Path("data").glob(f"*/{STUDY_FILE}"))
    if not found:
        raise StudyError("There is no study under data/. Name the studies' folders, or make one with `poolwise new`.")
    problems = {study: problem for study in found if (problem := _problem_with(study))}
    if len(problems) == len(set(found)):
        raise problems[found[0]]
    folders = {study_folder(study): study in problems for study in found}
    require_distinct_names([folder for folder, is_broken in folders.items() if not is_broken], reports)
    return list(folders)


def _problem_with(study: str) -> StudyError | None:
    """What is wrong with the study, or None."""
    try:
        read_study(study)
    except StudyError as problem:
        return problem
    except OSError as error:
        return StudyError(f"{study} cannot be read: {error.strerror or error}. Check its permissions.")
    return None
