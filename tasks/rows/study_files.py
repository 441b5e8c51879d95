"""A study's data files: which they are, what they are called, what they contain by hash.

They are the files that the study's `source` matches and those in its incoming folder, in this order and each sorted.
Files of the same content count once, under the first of their names.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tasks.opening.studies import STUDY_FILE, OpenedStudy
from tasks.rows.file_stamps import is_settled, stamp_of
from tasks.study.addresses import is_remote
from tasks.study.errors import DataRejected
from tasks.study.settings import Query

SUFFIXES = (".csv", ".txt", ".tsv", ".parquet")

SPELLED_BYTE = re.compile(r"\\x([89a-f][0-9a-f])")


def hash_files(opened: OpenedStudy, hash_of: Callable[[Path, str], str] | None = None) -> dict[str, str]:
    """sha256 of each of the study's files, by its name in reports.

    Of files with the same content, only the first is named. `hash_of` may know hashes already. A file in the incoming
    folder that cannot be opened gets a hash that no content has. Raises DataRejected.
    """
    hash_of = hash_of or hash_file
    names: dict[str, str] = {}
    for path in source_files(opened):
        name = file_name(path, opened.folder)
        try:
            names.setdefault(hash_of(path, name), name)
        except DataRejected as error:
            if not is_set_aside(path, opened, error):
                raise
            if path.exists():
                names[hashlib.sha256(f"cannot be opened: {name}".encode()).hexdigest()] = name
    if not names and not is_elsewhere(opened.study.source):
        raise DataRejected(_nothing_found(opened, ()))
    return {name: sha256 for sha256, name in names.items()}


def source_files(opened: OpenedStudy) -> tuple[Path, ...]:
    """The study's files: those that `source` matches, one file or a glob, then those in the incoming folder.

    A pattern is relative to the study's folder unless it is absolute. Of a study whose source is elsewhere: the latter.
    """
    source = opened.study.source
    if is_elsewhere(source):
        return _incoming_files(opened)
    found = _matches(str(source), opened.folder)
    files = tuple(path for path in found if path.suffix.lower() in SUFFIXES and not is_incoming(path, opened))
    incoming = _incoming_files(opened)
    if not files and not incoming:
        raise DataRejected(_nothing_found(opened, found))
    return files + incoming


def is_elsewhere(source: str | Query) -> bool:
    """Whether a study's source is no file on this machine."""
    return not isinstance(source, str) or is_remote(source)


def incoming_folder(opened: OpenedStudy) -> Path:
    """Where new data for the study are dropped; it may be missing."""
    return opened.folder / opened.study.trigger.watch


def is_incoming(path: Path, opened: OpenedStudy) -> bool:
    """Whether the file lies in the study's incoming folder."""
    return not opened.is_of_flags and path.parent == incoming_folder(opened)


def is_set_aside(path: Path, opened: OpenedStudy, problem: DataRejected) -> bool:
    """Whether the run goes on without a file that cannot be used: it was dropped, and will not mend by itself."""
    cause = problem.__cause__
    lasting = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
    may_pass = isinstance(cause, OSError) and not isinstance(cause, lasting)
    return is_incoming(path, opened) and not may_pass


def file_name(path: Path, folder: Path) -> str:
    r"""The name of a file in reports: relative to the study's folder, with forward slashes.

    Bytes that are not UTF-8, which pages and databases cannot hold, are escaped: `caf\xe9.csv`.
    """
    found = path.relative_to(folder) if path.is_relative_to(folder) else path
    return os.fsencode(found.as_posix()).decode("utf-8", "backslashreplace")


def file_path(name: str, folder: Path) -> Path:
    """The file that reports call `name`: the way back from `file_name`."""
    path = folder / name
    if SPELLED_BYTE.search(name) is None or os.path.lexists(path):
        return path
    return folder / os.fsdecode(SPELLED_BYTE.sub(lambda byte: chr(0xDC00 + int(byte[1], 16)), name))


def hash_file(path: Path, name: str | None = None) -> str:
    """sha256 of a file's bytes, in hexadecimal."""
    with readable(name or path.name), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Raises DataRejected, with its cause, when the system does not let this file be read."""
    try:
        yield
    except OSError as error:
        raise DataRejected(
            f"{name} cannot be read: {error.strerror or error}. Check that it is complete and that you may read it."
        ) from error


def _matches(source: str, folder: Path) -> list[Path]:
    literal = folder / source
    if literal.is_file():
        return [literal]
    if Path(source).is_absolute():
        found = [Path(match) for match in glob.glob(source, recursive=True)]
    else:
        found = [folder / match for match in glob.glob(source, root_dir=folder, recursive=True)]
    return sorted(path for path in set(found) if path.is_file() and path.name != STUDY_FILE)


def _incoming_files(opened: OpenedStudy) -> tuple[Path, ...]:
    """The complete data files in the incoming folder, sorted."""
    return tuple(path for path in _dropped_files(opened) if _is_complete(path, opened))


def wait_for_incoming(opened: OpenedStudy) -> None:
    """Return when every file in the incoming folder is complete, at the latest after 3 times stable_seconds."""
    ends = time.monotonic() + 3.0 * opened.study.trigger.stable_seconds
    while time.monotonic() < ends and not all(_is_complete(path, opened) for path in _dropped_files(opened)):
        time.sleep(0.05)


def _dropped_files(opened: OpenedStudy) -> list[Path]:
    """Sorted, complete or not; none that is hidden, or whose name ends otherwise, as in .part or .crdownload."""
    if opened.is_of_flags or not incoming_folder(opened).is_dir():
        return []
    return [
        path
        for path in sorted(incoming_folder(opened).iterdir())
        if path.suffix.lower() in SUFFIXES and path.name[0] != "." and path.is_file()
    ]


def _is_complete(path: Path, opened: OpenedStudy) -> bool:
    """False also for a file that is gone since it was listed."""
    stamp = stamp_of(path)
    return stamp is not None and is_settled(stamp, opened.study.trigger.stable_seconds)


def _nothing_found(opened: OpenedStudy, others: Sequence[Path]) -> str:
    source, kinds = str(opened.study.source), ", ".join(SUFFIXES)
    if others:
        return (
            f'source = "{source}" matches {others[0].name}, which is none of {kinds}. '
            "Export it as CSV, or point source at another file."
        )
    place = "" if Path(source).is_absolute() else f" in {opened.folder}"
    return f'No file matches source = "{source}"{place}. Put a file there ({kinds}), or correct source.'
