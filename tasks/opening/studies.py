"""Opens studies: from a `study.toml`, or from the flags of `poolwise run FILE`.

Whatever is wrong with a study is raised as one `StudyError`, a paragraph that names the file, the key,
the value received, the rule and what to do.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tasks.disk.user_text import MOST_OF_A_PATH, is_file, require_utf8, text_of
from tasks.study.errors import StudyError
from tasks.study.model import Study, StudyOfFlags, study_name
from tasks.study.plain_text import brief
from tasks.study.problems import describe_problems
from tasks.study.receivers import masked_addresses, masked_study
from tasks.study.schedules import schedule_problem
from tasks.study.toml_text import toml_text

STUDY_FILE = "study.toml"
MOST_KEY_PARTS = 200


@dataclass(frozen=True)
class OpenedStudy:
    """A study, the folder its `source` is relative to, and the text it was read from, secrets masked."""

    study: Study
    folder: Path
    text: str
    is_named: bool = False  # whether the study file gives the name, rather than the folder's or data file's own

    @property
    def origin(self) -> Path:
        """What was opened: the study's folder, or the data file that flags were given for."""
        return self.folder / str(self.study.source) if self.is_of_flags else self.folder

    @property
    def is_of_flags(self) -> bool:
        """Whether it was written on the command line, for one data file."""
        return isinstance(self.study, StudyOfFlags)

    @property
    def look_folder(self) -> Path | None:
        """Where the look of its report is, when it names one."""
        return None if self.study.report.look is None else self.folder / self.study.report.look


def read_study(path: Path | str) -> OpenedStudy:
    """Open a study by its folder or by its `study.toml`; its name is the folder's unless it gives one."""
    file = _study_file(Path(path))
    text = text_of(file)
    folder = require_utf8(file.resolve().parent)
    given = _parse(text, file)
    study = _validated({"name": study_name(folder.name), **given}, str(file))
    return OpenedStudy(study, folder, masked_study(text), is_named="name" in given)


def study_of_text(text: str, folder: Path) -> OpenedStudy:
    """The study of this study file's text, as if it lay in `folder`. Raises StudyError."""
    given = _parse(text, folder / STUDY_FILE)
    study = _validated({"name": study_name(folder.name), **given}, str(folder / STUDY_FILE))
    return OpenedStudy(study, folder, masked_study(text), is_named="name" in given)


def study_from_flags(
    file: Path | str, outcome: str, group: str, predictors: Sequence[str] = (), **optional: Any
) -> OpenedStudy:
    """A study of one data file, from --outcome, --group and --predictor.

    `optional` are further keys of a study file; None counts as not given. Its text is a study file that asks the same.
    """
    file = require_utf8(Path(file))
    if not is_file(file):
        raise StudyError(f"{_nothing(file, 'data file')} Check the path, or give a study's folder instead.")
    values = {
        "name": study_name(file.stem),
        "title": _default_title(outcome, group, predictors),
        "source": file.name,
        "outcome": outcome,
        "group": group,
        "predictors": list(predictors),
        **{key: value for key, value in optional.items() if value is not None},
    }
    study = _validated(values, "The command line", StudyOfFlags)
    return OpenedStudy(study, require_utf8(file.resolve().parent), masked_study(toml_text(values)), "name" in optional)


def study_folder(path: Path | str) -> Path:
    """The study's folder, given that folder or its file; neither needs to be readable."""
    path = Path(path).resolve()
    return path.parent if path.suffix.lower() == ".toml" else path


def _study_file(path: Path) -> Path:
    """The path of the study file. Raises StudyError if there is none."""
    file = path / STUDY_FILE if _is_folder(path) else path
    if not is_file(file):
        raise StudyError(_missing(path, file))
    if file.suffix.lower() != ".toml":
        raise StudyError(
            f"{file} is not a study file. Give a folder with a {STUDY_FILE}; for a data file, say which columns "
            f"are meant with --outcome, --group and --predictor, or draft a study with: poolwise new {file}"
        )
    return file


def _is_folder(path: Path) -> bool:
    return not is_file(path) and path.is_dir()


def _missing(path: Path, file: Path) -> str:
    if path.is_dir() and not os.path.lexists(file):
        return (
            f"The folder {path} has no {STUDY_FILE}. Draft one from a data file with: poolwise new FILE.csv; "
            f"then save it as {file}."
        )
    return f"{_nothing(file, 'study')} Give a folder with a {STUDY_FILE}, or the path of that file itself."


def _nothing(file: Path, wanted: str) -> str:
    """A sentence: nothing is there, or it is a folder, a pipe, a device or a broken link."""
    shown = brief(str(file), MOST_OF_A_PATH)
    if not os.path.lexists(file):
        return f"There is no {wanted} at {shown}."
    if not file.exists():
        return f"{shown} is a link that leads nowhere."
    return f"{shown} is {'a folder' if file.is_dir() else 'a pipe or a device'}, not a file."


def _parse(text: str, file: Path) -> dict[str, Any]:
    """The values in the text. Raises StudyError if it is not TOML, or nested too deeply."""
    try:
        _require_shallow(text)
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(
            f"{file} is not valid TOML: {brief(_lower_first(str(error)), 200)}.{_quoted_line(text, str(error))} Text "
            'needs quotes, a list brackets, and each key stands once, as in: predictors = ["age"]'
        ) from None
    except RecursionError:
        raise StudyError(f"{file} nests lists or tables too deeply. A study needs three levels at most.") from None
    except ValueError:  # Python limits the digits of the numbers it reads
        raise StudyError(f"{file} has a number of thousands of digits. Write it shorter, as in: 1e300") from None


def _require_shallow(text: str) -> None:
    """Raise RecursionError for dotted keys of so many parts that parsing them would take minutes."""
    if any(line.partition("=")[0].count(".") > MOST_KEY_PARTS for line in text.splitlines() if line[:1] != "#"):
        raise RecursionError


def _quoted_line(text: str, message: str) -> str:
    """A sentence that quotes the line a message speaks of, secrets masked; empty if it speaks of none."""
    found = re.search(r"line (\d+)", message)
    lines = text.splitlines()
    number = int(found[1]) if found else 0
    return (
        f" The line reads `{brief(masked_addresses(lines[number - 1].strip()), 120)}`."
        if 0 < number <= len(lines)
        else ""
    )


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _validated(values: dict[str, Any], place: str, kind: type[Study] = Study) -> Study:
    """The study with these values. Raises StudyError."""
    try:
        study = kind.model_validate(values)
    except ValidationError as error:
        raise StudyError(f"{place}: {describe_problems(error, values, kind)}") from None
    if study.schedule and (problem := schedule_problem(study.schedule)):
        raise StudyError(f"{place}: {problem}")
    return study


def _default_title(outcome: str, group: str, predictors: Sequence[str]) -> str:
    by = f" and {', '.join(predictors)}" if predictors else ""
    return f"{outcome} by {group}{by}"
