"""The source that a study names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tasks.opening.studies import OpenedStudy
from tasks.rows.sources.folder import Folder
from tasks.rows.sources.objects import Objects
from tasks.rows.sources.query import Queried
from tasks.rows.sources.source import Source
from tasks.rows.sources.with_incoming import WithIncoming
from tasks.rows.study_files import is_elsewhere
from tasks.study.settings import Query


def source_of(opened: OpenedStudy, hash_of: Callable[[Path, str], str] | None = None) -> Source:
    """`hash_of` may know hashes of files already."""
    study, folder = opened.study, Folder(opened, hash_of)
    if not is_elsewhere(study.source):
        return folder
    elsewhere: Source = Queried(opened, study.source) if isinstance(study.source, Query) else Objects(study)
    return WithIncoming(elsewhere, folder, f"{study.trigger.watch}/")
