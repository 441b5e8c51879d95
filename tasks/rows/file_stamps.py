"""Whether a file has changed, and whether it is complete: told from its size and times."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple


class FileStamp(NamedTuple):
    """Differs once a file has been written to: its change time cannot be set by hand. Times are in ns since 1970."""

    size: int
    modified: int
    changed: int
    inode: int


def stamp_of(path: Path) -> FileStamp | None:
    """The file's stamp now, or None if the file is missing or cannot be seen."""
    try:
        found = path.stat()
    except OSError:
        return None
    return FileStamp(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def is_settled(stamp: FileStamp, stable_seconds: float, watched_seconds: float | None = None) -> bool:
    """Whether the file is complete: not modified for `stable_seconds`.

    `watched_seconds` is how long somebody has seen this stamp. It helps where the modification time lies in the
    future; such a file counts as settled if nobody watched.
    """
    age = time.time() - stamp.modified / 1e9
    if watched_seconds is None:
        return not 0.0 <= age < stable_seconds
    return max(age, watched_seconds) >= stable_seconds
