"""The source that a study names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tasks.opening.studies import OpenedStudy
from tasks.rows.sources.folder import Folder
from tasks.rows.sources.objects import Objects
from tasks.rows.sources.source import Source
from tasks.rows.sources.with_incoming import WithIncoming
from tasks.rows.study_files import is_elsewhere
from tasks.study.settings import Query


def source_of(opened: OpenedStudy, hash_of: Callable[[Path, str], str] | None = None) -> Source:
    """`hash_of` may know hashes of files already."""
    folder, elsewhere = Folder(opened, hash_of), source_elsewhere(opened)
    return folder if elsewhere is None else WithIncoming(elsewhere, folder, f"{opened.study.trigger.watch}/")


def source_elsewhere(opened: OpenedStudy) -> Source | None:
    """Where the rows are that the study asks for, if that is no folder of this machine."""
    asked = opened.study.source
    if isinstance(asked, Query):
        from tasks.rows.sources.query import Queried  # imported here because it loads SQLAlchemy

        return Queried(opened, asked)
    return Objects(opened.study) if is_elsewhere(asked) else None
