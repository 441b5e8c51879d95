"""Opens studies: from a `study.toml`, or from the flags of `poolwise run FILE`.

Whatever is wrong with a study is raised as one `StudyError`, a paragraph that names the file, the key,
the value received, the rule and what to do.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tasks.receivers import masked_addresses, masked_study
from tasks.schedules import schedule_problem
from tasks.stats.errors import StudyError
from tasks.stats.study import Study, study_name
from tasks.study_problems import describe_problems
from tasks.toml_text import toml_text
from tasks.user_text import text_of

STUDY_FILE = "study.toml"


@dataclass(frozen=True)
class OpenedStudy:
    """A study, the folder its `source` is relative to, and the text it was read from, secrets masked."""

    study: Study
    folder: Path
    text: str
    has_incoming: bool = True  # whether data dropped into its incoming folder are its too

    @property
    def look_folder(self) -> Path | None:
        """Where the look of its report is, when it names one."""
        return None if self.study.report.look is None else self.folder / self.study.report.look


def read_study(path: Path | str) -> OpenedStudy:
    """Open a study by its folder or by its `study.toml`; its name is the folder's unless it gives one."""
    file = _study_file(Path(path))
    text = text_of(file)
    folder = file.resolve().parent
    values = {"name": study_name(folder.name), **_parse(text, file)}
    return OpenedStudy(_validated(values, str(file)), folder, masked_study(text))


def study_from_flags(
    file: Path | str, outcome: str, group: str, predictors: Sequence[str] = (), **optional: Any
) -> OpenedStudy:
    """A study of one data file, as from `--outcome`, `--group`, `--predictor`.

    `optional` are further keys of a study file; those that are None count as not given. The text is the
    study file that, saved beside the data, asks the same.
    """
    file = Path(file)
    if not file.is_file():
        raise StudyError(f"There is no data file at {file}. Check the path, or give a study's folder instead.")
    values = {
        "name": study_name(file.stem),
        "title": _default_title(outcome, group, predictors),
        "source": file.name,
        "outcome": outcome,
        "group": group,
        "predictors": list(predictors),
        **{key: value for key, value in optional.items() if value is not None},
    }
    study = _validated(values, "The command line")
    return OpenedStudy(study, file.resolve().parent, masked_study(toml_text(values)), has_incoming=False)


def study_folder(path: Path | str) -> Path:
    """The folder of a study that is given by it or by its file, whether or not it can be read."""
    path = Path(path).resolve()
    return path.parent if path.suffix.lower() == ".toml" else path


def folders_of(studies: Sequence[str] | None) -> list[Path]:
    """The folders of the studies named, or of all under data/, broken ones too.

    Raises StudyError when every one of them is broken: then there is nothing to go on with.
    """
    found = studies or sorted(str(file.parent) for file in Path("data").glob(f"*/{STUDY_FILE}"))
    if not found:
        raise StudyError("There is no study under data/. Name the studies' folders, or make one with `poolwise new`.")
    problems = [problem for study in found if (problem := _problem_with(study))]
    if len(problems) == len(found):
        raise problems[0]
    return [study_folder(study) for study in found]


def _problem_with(study: str) -> StudyError | None:
    try:
        read_study(study)
    except StudyError as problem:
        return problem
    except OSError as error:
        return StudyError(f"{study} cannot be read: {error.strerror or error}. Check its permissions.")
    return None


def _study_file(path: Path) -> Path:
    file = path / STUDY_FILE if path.is_dir() else path
    if not file.is_file():
        raise StudyError(_missing(path, file))
    if file.suffix.lower() != ".toml":
        raise StudyError(
            f"{file} is not a study file. Give a folder with a {STUDY_FILE}; for a data file, say which columns "
            f"are meant with --outcome, --group and --predictor, or draft a study with: poolwise new {file}"
        )
    return file


def _missing(path: Path, file: Path) -> str:
    if path.is_dir():
        return (
            f"The folder {path} has no {STUDY_FILE}. Draft one from a data file with: poolwise new FILE.csv; "
            f"then save it as {file}."
        )
    return f"There is no study at {path}. Give a folder with a {STUDY_FILE}, or the path of that file itself."


def _parse(text: str, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(
            f"{file} is not valid TOML: {_lower_first(str(error))}.{_quoted_line(text, str(error))} Text needs "
            'quotes, a list brackets, and each key stands once, as in: predictors = ["age"]'
        ) from None


def _quoted_line(text: str, message: str) -> str:
    found = re.search(r"line (\d+)", message)
    lines = text.splitlines()
    number = int(found[1]) if found else 0
    return f" The line reads `{masked_addresses(lines[number - 1].strip())}`." if 0 < number <= len(lines) else ""


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _validated(values: dict[str, Any], place: str) -> Study:
    try:
        study = Study.model_validate(values)
    except ValidationError as error:
        raise StudyError(f"{place}: {describe_problems(error, values)}") from None
    if study.schedule and (problem := schedule_problem(study.schedule)):
        raise StudyError(f"{place}: {problem}")
    return study


def _default_title(outcome: str, group: str, predictors: Sequence[str]) -> str:
    by = f" and {', '.join(predictors)}" if predictors else ""
    return f"{outcome} by {group}{by}"
