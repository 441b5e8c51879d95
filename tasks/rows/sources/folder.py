"""Files on this machine: those that a study's `source` matches, and those in its incoming folder."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from tasks.opening.studies import OpenedStudy
from tasks.rows.sources.source import FileRows, Rows
from tasks.rows.study_files import file_path, hash_file, hash_files, is_set_aside, source_files
from tasks.study.errors import DataRejected, PoolwiseError


class Folder:
    """A part's content is the sha256 of the file's bytes. `hash_of` may know hashes already."""

    def __init__(self, opened: OpenedStudy, hash_of: Callable[[Path, str], str] | None = None) -> None:
        self._opened, self._hash_of = opened, hash_of

    def parts(self) -> dict[str, str]:
        return hash_files(self._opened, self._hash_of)

    @contextmanager
    def rows(self, name: str, content: str) -> Iterator[Rows]:
        path = self.path_of(name)
        try:
            yield FileRows(path, name, self._opened.study)
        except DataRejected:
            _require_content(path, name, content)
            raise
        _require_content(path, name, content)

    def path_of(self, name: str) -> Path:
        return file_path(name, self._opened.folder)

    def newest(self) -> datetime | None:
        """None if all have gone since they were listed."""
        modified = []
        for path in source_files(self._opened):
            with suppress(OSError):
                modified.append(path.stat().st_mtime)
        return datetime.fromtimestamp(max(modified), UTC) if modified else None

    def goes_on_without(self, name: str, problem: DataRejected) -> bool:
        return is_set_aside(self.path_of(name), self._opened, problem)


def _require_content(path: Path, name: str, sha256: str) -> None:
    """Raise PoolwiseError if the file changed while it was read."""
    if hash_file(path, name) != sha256:
        cause = OSError(errno.EAGAIN, "changed while it was read")
        raise PoolwiseError(f"{name} changed while it was read. Run again when it is complete.") from cause
