"""Reads a study's files: rows as the text the file holds, each with its file and row number.

Values stay text until they are validated, so that a rejected row shows what its file said.
CSV is read by `tasks.csv_files`, Parquet through pyarrow, both in chunks.
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
from itertools import chain
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks import csv_files
from tasks.csv_files import Chunk
from tasks.csv_head import Layout, find_layout, missing_column
from tasks.encodings import find_encoding
from tasks.row_keys import hash_texts
from tasks.stats.errors import DataRejected
from tasks.stats.plain_text import shown
from tasks.stats.study import Study, clean_label
from tasks.studies import STUDY_FILE, OpenedStudy

SUFFIXES = (".csv", ".txt", ".tsv", ".parquet")

SPELLED_BYTE = re.compile(r"\\x([89a-f][0-9a-f])")
EXACT_FLOATS = 2.0**53
# A name that row numbers go by, then which of that name.
ROW_NUMBERS = re.compile(r"(unnamed: ?[0-9]+|__index_level_[0-9]+__)? [0-9]+$", re.IGNORECASE)

T = TypeVar("T")


def load_rows(opened: OpenedStudy) -> pd.DataFrame:
    """Rows of all the study's files, in the files' order: see `read_rows`."""
    names = hash_files(opened)
    return pd.concat(
        [read_rows(file_path(name, opened.folder), opened.study, name) for name in names], ignore_index=True
    )


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


def read_rows(path: Path, study: Study, name: str | None = None) -> pd.DataFrame:
    """One file's rows: the study's columns as text, then `_file` (`name`), `_row`, `_rest` and `_others`.

    `_row` counts data rows from 1; neither the header nor blank lines are any.
    `_rest` is a hash of what the row says in the other columns, and `_others` of their names (see `_others_of`).
    Where a row as a whole is wrong, `_rule` says why and `_record` holds what stands there; without such rows there
    are no such columns.
    """
    return pd.concat(list(read_chunks(path, study, name)), ignore_index=True)


def read_chunks(path: Path, study: Study, name: str | None = None) -> Iterator[pd.DataFrame]:
    """The same, at most `csv_files.CHUNK_ROWS` rows at a time; one frame without rows if there are none."""
    name, n_read = name or path.name, 0
    with _readable(name):
        for frame in (_parquet_chunks if is_parquet(path) else _csv_chunks)(path, study, name):
            frame["_file"] = name
            frame["_row"] = range(n_read + 1, n_read + len(frame) + 1)
            n_read += len(frame)
            yield frame


def is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


def text_frame(columns: Mapping[str, pa.ChunkedArray | pa.Array]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(pd.array(column, dtype="str")) for name, column in columns.items()})


def text_columns(table: pa.Table, name: str, decimal: str = ".") -> dict[str, pa.ChunkedArray]:
    """Parquet's typed columns as a CSV file would say them; null becomes empty, 2.0 stays 2.0.

    Raises DataRejected for types that have no one spelling: durations, nested ones.
    """
    return {column: _as_text(table.column(column), column, name, decimal) for column in table.column_names}


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
    others = _others_of(layout.header, study)
    positions = _positions(layout.header, study, name)
    chunks = csv_files.read_chunks(path, name, layout, positions, others=[*others.values()])
    for chunk in _at_least_one(chunks, Chunk([pa.array([], pa.large_string())] * len(study.columns))):
        frame = _with_rest(text_frame(dict(zip(study.columns, chunk.columns, strict=True))), others, chunk.rest)
        yield _with_problems(frame, chunk.problems) if chunk.problems else frame


def _with_problems(frame: pd.DataFrame, problems: Mapping[int, tuple[str, str]]) -> pd.DataFrame:
    rules, records = [""] * len(frame), [""] * len(frame)
    for at, (rule, record) in problems.items():
        rules[at], records[at] = rule, record
    return frame.assign(_rule=pd.array(rules, dtype="str"), _record=pd.array(records, dtype="str"))


def _parquet_chunks(path: Path, study: Study, name: str) -> Iterator[pd.DataFrame]:
    try:
        with pq.ParquetFile(path) as file:
            stored = file.schema_arrow.names
            positions = _positions([clean_label(column) for column in stored], study, name)
            taken = [stored[at] for at in positions]
            others = _others_of([clean_label(column) for column in stored], study)
            read = [*taken, *(stored[at] for at in others.values())]
            batches = map(pa.Table.from_batches, zip(file.iter_batches(csv_files.CHUNK_ROWS, columns=read)))
            for table in _at_least_one(batches, file.schema_arrow.empty_table().select(read)):
                frame = text_frame(_study_texts(table.select(taken), taken, study, name))
                yield _with_rest(frame, others, _joined(table.select(read[len(taken) :])) if others else None)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's trouble, not the content's
            raise
        raise DataRejected(f"{name} cannot be read as Parquet: {str(error).splitlines()[0].rstrip('.')}.") from None


def _others_of(header: Sequence[str], study: Study) -> dict[str, int]:
    """Positions of the columns that the study does not ask for, by name, in the order of their names.

    Columns without a name are left out: R and pandas write row numbers so.
    """
    asked = {*study.columns}
    found = {f"{name} {header[:at].count(name)}": at for at, name in enumerate(header) if name not in asked}
    return {name: found[name] for name in sorted(found) if not ROW_NUMBERS.match(name)}


def _with_rest(frame: pd.DataFrame, others: Mapping[str, int], rest: Sequence[str] | None) -> pd.DataFrame:
    names = hash_texts(["\n".join(others)])[0] if others else np.uint64(0)
    frame["_rest"] = np.zeros(len(frame), dtype=np.uint64) if rest is None else hash_texts(rest)
    frame["_others"] = np.full(len(frame), names, dtype=np.uint64)
    return frame


def _joined(table: pa.Table) -> list[str]:
    """As `csv_files.joined`, of Parquet's columns; those that cannot be spelled, such as nested ones, are blank."""
    texts = map(_spelled, table.columns)
    separator = pa.scalar(csv_files.SEPARATOR, pa.large_string())
    return csv_files.plain(pc.binary_join_element_wise(*texts, separator).to_pylist())


def _spelled(values: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return pc.fill_null(pc.cast(values, pa.large_string()), "")
    except pa.ArrowException:
        return pa.chunked_array([pa.array([""] * len(values), pa.large_string())])


def _study_texts(table: pa.Table, taken: Sequence[str], study: Study, name: str) -> dict[str, pa.ChunkedArray]:
    """By the study's names for the columns; labels that were stored as floats are whole numbers again."""
    mark = "," if study.decimal == "," or study.thousands == "." else "."
    texts = {}
    for column, stored in zip(study.columns, taken, strict=True):
        values = table.column(stored)
        if column not in study.numeric_columns:
            values = _whole_where_it_can(values)
        texts[column] = _as_text(values, column, name, mark)
    return texts


def _at_least_one(chunks: Iterator[T], empty: T) -> Iterator[T]:
    return chain([next(chunks, empty)], chunks)


def _as_text(values: pa.ChunkedArray, column: str, name: str, decimal: str) -> pa.ChunkedArray:
    if pa.types.is_duration(values.type):
        raise DataRejected(
            f"{name} stores {column!r} as durations ({values.type}), which are no numbers until a unit is chosen. "
            f"Store it as numbers, for example of seconds; in pandas: table[{column!r}].dt.total_seconds()"
        )
    try:
        text = pc.fill_null(pc.cast(values, pa.large_string()), "")
    except pa.ArrowException:
        raise DataRejected(
            f"{name} stores {column!r} as {str(values.type)[:60]}, which cannot be read as numbers or text. "
            "Store one number or one text per row."
        ) from None
    if decimal == "," and (pa.types.is_floating(values.type) or pa.types.is_decimal(values.type)):
        return pc.replace_substring(text, ".", ",")
    return text


def _whole_where_it_can(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers without their ".0": a missing value in a column of integers makes floats of all of them."""
    if not pa.types.is_floating(values.type):
        return values
    numbers = pc.cast(values, pa.float64())
    is_whole = pc.and_(pc.equal(numbers, pc.round(numbers)), pc.less(pc.abs(numbers), EXACT_FLOATS))
    whole = pc.cast(pc.if_else(is_whole, numbers, None), pa.int64())
    return pc.coalesce(pc.cast(whole, pa.large_string()), pc.cast(values, pa.large_string()))


def _positions(header: Sequence[str], study: Study, name: str) -> list[int]:
    """Where the study's columns stand in the header."""
    for column in study.columns:
        if column not in header:
            raise DataRejected(missing_column(column, header, name))
        if header.count(column) > 1:
            raise DataRejected(
                f"{name} has {header.count(column)} columns named {shown(column)}, and it is unclear which one is "
                "meant. Rename the others."
            )
    return [header.index(column) for column in study.columns]
