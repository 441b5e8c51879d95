"""Reads a study's files: rows as the text the file holds, each with its file and row number.

Values stay text until they are validated, so that a rejected row shows what its file said.
CSV is read by `tasks.csv_files`, Parquet by `tasks.parquet_files`, both in chunks.
A study's data are the files that its `source` matches and those in its incoming folder, in this order
and each sorted. Files of the same content count once, under the first of their names.
Not supported: compressed CSV.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa

from tasks import csv_files
from tasks.csv_files import Chunk
from tasks.csv_head import Layout, find_layout, positions_of
from tasks.encodings import find_encoding
from tasks.other_columns import others_of, with_rest
from tasks.parquet_files import at_least_one, parquet_chunks, text_frame
from tasks.stats.errors import DataRejected
from tasks.stats.study import Study
from tasks.studies import STUDY_FILE, OpenedStudy

SUFFIXES = (".csv", ".txt", ".tsv", ".parquet")

SPELLED_BYTE = re.compile(r"\\x([89a-f][0-9a-f])")


def hash_files(opened: OpenedStudy, hash_of: Callable[[Path, str], str] | None = None) -> dict[str, str]:
    """sha256 of each of the study's files, by the name that rows and reports call it.

    Of several files with the same content only the first is named. `hash_of` may know hashes already.
    A file in the incoming folder that cannot be opened has a hash that no content has.
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
    if not names:
        raise DataRejected(_nothing_found(opened, ()))
    return {name: sha256 for sha256, name in names.items()}


def source_files(opened: OpenedStudy) -> tuple[Path, ...]:
    """The study's files: those that `source` matches, one file or a glob, then those in the incoming folder.

    A pattern is relative to the study's folder unless it is absolute.
    """
    found = _matches(opened.study.source, opened.folder)
    files = tuple(path for path in found if path.suffix.lower() in SUFFIXES and not is_incoming(path, opened))
    incoming = _incoming_files(opened)
    if not files and not incoming:
        raise DataRejected(_nothing_found(opened, found))
    return files + incoming


def incoming_folder(opened: OpenedStudy) -> Path:
    """Where new data for the study are dropped; it need not exist."""
    return opened.folder / opened.study.trigger.watch


def is_incoming(path: Path, opened: OpenedStudy) -> bool:
    return not opened.is_of_flags and path.parent == incoming_folder(opened)


def is_set_aside(path: Path, opened: OpenedStudy, problem: DataRejected) -> bool:
    """Whether the run goes on without a file that cannot be used: one that was dropped, and stays unusable."""
    cause = problem.__cause__
    lasting = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
    may_pass = isinstance(cause, OSError) and not isinstance(cause, lasting)
    return is_incoming(path, opened) and not may_pass


def file_name(path: Path, folder: Path) -> str:
    """How a file is called in reports: relative to the study's folder, with forward slashes.

    Bytes that are no UTF-8, which neither a page nor a database can hold, are spelled: `caf\\xe9.csv`.
    """
    found = path.relative_to(folder) if path.is_relative_to(folder) else path
    return os.fsencode(found.as_posix()).decode("utf-8", "backslashreplace")


def file_path(name: str, folder: Path) -> Path:
    """The file that is called so."""
    path = folder / name
    if SPELLED_BYTE.search(name) is None or os.path.lexists(path):
        return path
    return folder / os.fsdecode(SPELLED_BYTE.sub(lambda byte: chr(0xDC00 + int(byte[1], 16)), name))


def hash_file(path: Path, name: str | None = None) -> str:
    """sha256 of a file's bytes, in hexadecimal."""
    with _readable(name or path.name), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_chunks(path: Path, study: Study, name: str | None = None) -> Iterator[pd.DataFrame]:
    """One file's rows: the study's columns as text, then `_file` (`name`), `_row`, `_rest` and `_others`.

    At most `csv_files.CHUNK_ROWS` rows at a time; one frame without rows if there are none.
    `_row` counts data rows from 1; neither the header nor blank lines are any.
    `_rest` is a hash of what the row says in the other columns, `_others` of their names (`tasks.other_columns`).
    Where a row as a whole is wrong, `_rule` says why and `_record` holds what stands there; without such rows there
    are no such columns.
    """
    name, n_read = name or path.name, 0
    with _readable(name):
        for frame in (parquet_chunks if is_parquet(path) else _csv_chunks)(path, study, name):
            frame["_file"] = name
            frame["_row"] = range(n_read + 1, n_read + len(frame) + 1)
            n_read += len(frame)
            yield frame


def is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


@contextmanager
def _readable(name: str) -> Iterator[None]:
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
    """Sorted; without hidden files, and without files that may still be written.

    Names that end in .part, .tmp or .crdownload are no data file's.
    """
    return tuple(path for path in _dropped_files(opened) if _is_settled(path, opened.study.trigger.stable_seconds))


def wait_for_incoming(opened: OpenedStudy) -> None:
    """Until no file in the incoming folder has changed for the study's stable_seconds, or for thrice as long."""
    stable_seconds = opened.study.trigger.stable_seconds
    ends = time.monotonic() + 3.0 * stable_seconds
    while time.monotonic() < ends and not all(_is_settled(path, stable_seconds) for path in _dropped_files(opened)):
        time.sleep(0.05)


def _dropped_files(opened: OpenedStudy) -> list[Path]:
    if opened.is_of_flags or not incoming_folder(opened).is_dir():
        return []
    return [
        path
        for path in sorted(incoming_folder(opened).iterdir())
        if path.suffix.lower() in SUFFIXES and path.name[0] != "." and path.is_file()
    ]


def _is_settled(path: Path, stable_seconds: float) -> bool:
    """By the file's own time; one that lies in the future says nothing."""
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return False  # gone since it was listed
    return not 0.0 <= age < stable_seconds


def _nothing_found(opened: OpenedStudy, others: Sequence[Path]) -> str:
    source, kinds = opened.study.source, ", ".join(SUFFIXES)
    if others:
        return (
            f'source = "{source}" matches {others[0].name}, which is none of {kinds}. '
            "Export it as CSV, or point source at another file."
        )
    place = "" if Path(source).is_absolute() else f" in {opened.folder}"
    return f'No file matches source = "{source}"{place}. Put a file there ({kinds}), or correct source.'


def csv_layout(path: Path, name: str, study: Study | None = None) -> Layout:
    """How a CSV file is read: as `study` and the file itself say, or for any columns."""
    if study is None:
        return find_layout(path, name, find_encoding(path, name))
    encoding = find_encoding(path, name, study.encoding, study.setting)
    return find_layout(path, name, encoding, study.columns, study.delimiter, study.comment)


def _csv_chunks(path: Path, study: Study, name: str) -> Iterator[pd.DataFrame]:
    layout = csv_layout(path, name, study)
    others = others_of(layout.header, study.columns)
    positions = positions_of(layout.header, study.columns, name)
    chunks = csv_files.read_chunks(path, name, layout, positions, others=[*others.values()])
    for chunk in at_least_one(chunks, Chunk([pa.array([], pa.large_string())] * len(study.columns))):
        frame = with_rest(text_frame(dict(zip(study.columns, chunk.columns, strict=True))), others, chunk.rest)
        yield _with_problems(frame, chunk.problems) if chunk.problems else frame


def _with_problems(frame: pd.DataFrame, problems: Mapping[int, tuple[str, str]]) -> pd.DataFrame:
    rules, records = [""] * len(frame), [""] * len(frame)
    for at, (rule, record) in problems.items():
        rules[at], records[at] = rule, record
    return frame.assign(_rule=pd.array(rules, dtype="str"), _record=pd.array(records, dtype="str"))
