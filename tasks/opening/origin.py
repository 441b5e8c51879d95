"""Keeps apart the histories of studies whose names, taken from folders and files, are the same.

`reports/<name>/.origin` holds the folder or file that a study was opened from. Another study of that name is called
`<name>-<hash of its origin>`, the same at every run. A name given in the study file is the study's identity wherever it
lies, so its folder may move. A history whose origin is gone, or was never written down, is taken over by the first
study of that name.
"""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tasks.disk.atomic import explained, write_whole
from tasks.disk.layout import folder_of, origin_note
from tasks.opening.studies import OpenedStudy, read_study
from tasks.study.errors import StudyError
from tasks.study.toml_text import toml_text


@dataclass(frozen=True)
class Origin:
    path: str  # of the study's folder, or of the data file that flags were given for
    is_file: bool
    is_named: bool  # whether the study file gives the name

    def may_use(self, folder: Path) -> bool:
        """Whether the history in this folder is this study's, or nobody's."""
        owner = _owner(folder)
        if owner is None or (owner.is_named and self.is_named):
            return True
        return owner.is_beside(self) or not (owner.is_named or os.path.lexists(owner.path))

    def is_beside(self, other: Origin) -> bool:
        """Whether both are the same, or one is a data file and the other the study in its folder."""
        own_folder, others = (Path(each.path).parent if each.is_file else Path(each.path) for each in (self, other))
        return self.path == other.path or (self.is_file != other.is_file and own_folder == others)


def under_its_name(opened: OpenedStudy, reports: Path) -> OpenedStudy:
    """The study under the name that it has in this reports folder; its origin is written down there.

    Raises StudyError when the study file gives a name that another study has.
    """
    origin = Origin(str(opened.origin), opened.is_of_flags, opened.is_named)
    name = _name(opened, origin, reports)
    with explained("keep the study's history", folder := folder_of(reports, name)):
        if _owner(folder) != origin:
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(origin_note(folder), json.dumps(asdict(origin)))
    return opened if name == opened.study.name else _renamed(opened, name)


def require_distinct_names(folders: Sequence[Path], reports: Path) -> None:
    """Raises StudyError when two of these studies have the same name."""
    known: dict[str, Path] = {}
    for folder in folders:
        name = under_its_name(read_study(folder), reports).study.name
        if name in known:
            raise StudyError(f"{known[name]} and {folder} are both called {name}. Give one of them another name.")
        known[name] = folder


def _name(opened: OpenedStudy, origin: Origin, reports: Path) -> str:
    name = opened.study.name
    folder = folder_of(reports, name)
    if origin.is_named:
        if not origin.may_use(folder):
            raise StudyError(
                f'{origin.path}: name = "{name}" is taken in {reports}, by the study in {_place(folder)}. '
                "Give it another name, or choose another folder with --out."
            )
        return name
    apart = f"{name[:55]}-{hashlib.sha256(origin.path.encode()).hexdigest()[:8]}"
    has_own = _owner(folder_of(reports, apart)) == origin
    return apart if has_own or not origin.may_use(folder) else name


def _renamed(opened: OpenedStudy, name: str) -> OpenedStudy:
    """The study under this name; a study of flags says it in its text too."""
    study = opened.study.model_copy(update={"name": name})
    text = toml_text({**tomllib.loads(opened.text), "name": name}) if opened.is_of_flags else opened.text
    return replace(opened, study=study, text=text)


def _owner(folder: Path) -> Origin | None:
    """The origin noted in this folder; None if there is none that can be read."""
    with suppress(OSError, ValueError, TypeError):
        return Origin(**json.loads(origin_note(folder).read_text(encoding="utf-8")))
    return None


def _place(folder: Path) -> str:
    """The path of the folder's origin, for a message."""
    owner = _owner(folder)
    return owner.path if owner else str(folder)
