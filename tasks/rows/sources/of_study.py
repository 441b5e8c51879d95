"""The source that a study names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tasks.opening.studies import OpenedStudy
from tasks.rows.sources.folder import Folder
from tasks.rows.sources.source import Source


def source_of(opened: OpenedStudy, hash_of: Callable[[Path, str], str] | None = None) -> Source:
    """`hash_of` may know hashes of files already."""
    return Folder(opened, hash_of)
