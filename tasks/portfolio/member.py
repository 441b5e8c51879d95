"""The studies of a portfolio: one per folder, or one per value of a column."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.disk.user_text import text_of
from tasks.opening.studies import STUDY_FILE, OpenedStudy, read_study, study_of_text
from tasks.opening.studies_elsewhere import found, reference_of
from tasks.study.errors import StudyError
from tasks.study.model import study_name
from tasks.study.toml_text import toml_text

LONGEST_NAME, LONGEST_TITLE = 64, 300
# What a study of one value does not take from the study of all: whom to tell, when to run, how its files are written.
OF_ALL = ("schedule", "trigger", "notify", "encoding", "delimiter", "comment")


@dataclass(frozen=True)
class Member:
    """One study, in a form that any machine can open: `text` is its study file, empty where that lies in `folder`."""

    name: str
    label: str  # what tells it from the others: its folder's name, or the column's value
    folder: str
    text: str = ""

    def open(self) -> OpenedStudy:
        """Raises StudyError."""
        if not self.text:
            return read_study(found(Path(self.folder)))
        return study_of_text(self.text, Path(self.folder))


def members_in(folder: Path) -> list[Member]:
    """A member for each sub-folder with a study file, by name. Raises StudyError if there is none."""
    files = sorted(folder.glob(f"*/{STUDY_FILE}"))
    if not files:
        raise StudyError(
            f"No folder in {folder} has a {STUDY_FILE}. A portfolio is a folder of studies' folders, or one study with "
            "--by COLUMN."
        )
    return [
        Member(study_name(file.parent.name), file.parent.name, reference_of(file.parent.resolve())) for file in files
    ]


def member_of_value(opened: OpenedStudy, column: str, value: str, name: str, source: str, folder: Path) -> Member:
    """The study of the rows that have this value; `source` says where they are."""
    study = opened.study
    asked = tomllib.loads(opened.text if opened.is_of_flags else text_of(opened.folder / STUDY_FILE))
    kept: dict[str, Any] = {key: each for key, each in asked.items() if key not in OF_ALL}
    title = f"{study.title} – {column}: {value}"
    own = {"name": name, "title": title[:LONGEST_TITLE], "source": source, "delimiter": ","}
    if "report" in kept and opened.look_folder is not None:
        kept["report"] = {**kept["report"], "look": study.report.look}
    return Member(name, value, str(folder), toml_text({**kept, **own}))


def names_of(study: str, values: Iterable[str]) -> dict[str, str]:
    """A study's name for each value, distinct, and the same whichever other values there are.

    A value that is no name by itself gets a hash of it.
    """
    return {value: _name(study, value) for value in values}


def _name(study: str, value: str) -> str:
    plain = study_name(value)
    whole = f"{study}-{plain}"
    if plain == value and len(whole) <= LONGEST_NAME:
        return whole
    return f"{whole[: LONGEST_NAME - 9]}-{hashlib.sha256(value.encode()).hexdigest()[:8]}"


def require_distinct(members: Sequence[Member]) -> None:
    """Raises StudyError when two members have the same name."""
    seen: dict[str, Member] = {}
    for member in members:
        if (other := seen.setdefault(member.name, member)) is not member:
            raise StudyError(f"{other.folder} and {member.folder} are both called {member.name}. Rename one of them.")
