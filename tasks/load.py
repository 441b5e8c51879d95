"""Reads a study's files: rows as the text the file holds, each with its file and row number.

Values stay text until they are validated, so that a rejected row shows what its file said.
CSV is read by `tasks.csv_files`, Parquet through pyarrow.
Not supported: files larger than memory, compressed CSV, thousands separators, comment lines.
"""

from __future__ import annotations

import difflib
import glob
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.csv_files import DELIMITERS, find_delimiter, read_columns
from tasks.stats.errors import DataRejected
from tasks.stats.study import Study
from tasks.studies import STUDY_FILE, OpenedStudy

SUFFIXES = (".csv", ".txt", ".tsv", ".parquet")
MOST_COLUMNS_SHOWN = 20


def load_rows(opened: OpenedStudy) -> pd.DataFrame:
    """Rows of all the study's files, in the files' order: see `read_rows`."""
    names = {file_name(path, opened.folder): path for path in source_files(opened)}
    return pd.concat([read_rows(path, opened.study, name) for name, path in names.items()], ignore_index=True)


def hash_files(opened: OpenedStudy) -> dict[str, str]:
    """sha256 of each of the study's files, by the name that rows and reports call it."""
    files = {file_name(path, opened.folder): path for path in source_files(opened)}
    return {name: hash_file(path, name) for name, path in files.items()}


def source_files(opened: OpenedStudy) -> tuple[Path, ...]:
    """The study's files, sorted: one file or a glob, in the study's folder unless the pattern is absolute."""
    found = _matches(opened.study.source, opened.folder)
    files = tuple(path for path in found if path.suffix.lower() in SUFFIXES)
    if not files:
        raise DataRejected(_nothing_found(opened, found))
    return files


def file_name(path: Path, folder: Path) -> str:
    """How a file is called in reports: relative to the study's folder, with forward slashes."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()


def hash_file(path: Path, name: str | None = None) -> str:
    """sha256 of a file's bytes, in hexadecimal."""
    with _readable(name or path.name), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_rows(path: Path, study: Study, name: str | None = None) -> pd.DataFrame:
    """One file's rows: the study's columns as text, then `_file` (`name`) and `_row`.

    `_row` counts data rows from 1; neither the header nor blank lines are any.
    """
    name = name or path.name
    with _readable(name):
        frame = _read_parquet(path, study, name) if is_parquet(path) else _read_csv(path, study, name)
    frame["_file"] = name
    frame["_row"] = range(1, len(frame) + 1)
    return frame


def is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


def text_frame(columns: Mapping[str, pa.ChunkedArray]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(pd.array(column, dtype="str")) for name, column in columns.items()})


def text_columns(table: pa.Table, decimal: str) -> dict[str, pa.ChunkedArray]:
    """Parquet's typed columns as a CSV file would say them; null becomes empty.

    Raises pyarrow's `ArrowException` for nested types.
    """
    return {name: _as_text(table.column(name), decimal) for name in table.column_names}


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


def _nothing_found(opened: OpenedStudy, others: Sequence[Path]) -> str:
    source, kinds = opened.study.source, ", ".join(SUFFIXES)
    if others:
        return (
            f'source = "{source}" matches {others[0].name}, which is none of {kinds}. '
            "Export it as CSV, or point source at another file."
        )
    place = "" if Path(source).is_absolute() else f" in {opened.folder}"
    return f'No file matches source = "{source}"{place}. Put a file there ({kinds}), or correct source in the study.'


def _read_csv(path: Path, study: Study, name: str) -> pd.DataFrame:
    choices = (study.delimiter,) if study.delimiter else DELIMITERS
    delimiter, header = find_delimiter(path, name, study.encoding, study.columns, choices)
    if not header:
        raise DataRejected(f"{name} is empty. It should begin with a line of column names: {_listed(study.columns)}.")
    columns = read_columns(path, name, study.encoding, delimiter, _positions(header, study, name))
    return text_frame(dict(zip(study.columns, columns, strict=True)))


def _read_parquet(path: Path, study: Study, name: str) -> pd.DataFrame:
    try:
        with pq.ParquetFile(path) as file:
            stored = file.schema_arrow.names
            positions = _positions([column.strip() for column in stored], study, name)
            table = file.read(columns=[stored[at] for at in positions])
        texts = text_columns(table, study.decimal)
    except pa.ArrowException as error:
        raise DataRejected(f"{name} cannot be read as Parquet: {str(error).splitlines()[0].rstrip('.')}.") from None
    return text_frame({column: texts[stored[at]] for column, at in zip(study.columns, positions, strict=True)})


def _as_text(column: pa.ChunkedArray, decimal: str) -> pa.ChunkedArray:
    text = pc.fill_null(pc.cast(column, pa.large_string()), "")
    if decimal == "," and (pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)):
        return pc.replace_substring(text, ".", ",")
    return text


def _positions(header: Sequence[str], study: Study, name: str) -> list[int]:
    """Where the study's columns stand in the header."""
    for column in study.columns:
        if column not in header:
            raise DataRejected(_missing_column(column, header, name))
        if header.count(column) > 1:
            raise DataRejected(
                f"{name} has {header.count(column)} columns named {column!r}, and it is unclear which one is meant. "
                "Rename the others."
            )
    return [header.index(column) for column in study.columns]


def _missing_column(column: str, header: Sequence[str], name: str) -> str:
    lowered = {found.lower(): found for found in header}
    close = [lowered[match] for match in difflib.get_close_matches(column.lower(), lowered, n=3)]
    meant = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
    advice = "Correct the column's name in the study, or in the file's first line."
    if len(header) == 1:
        advice += ' If the columns are separated by an unusual character, export the file with "," or ";".'
    return f"{name} has no column {column!r}; its columns are {_listed(header)}.{meant} {advice}"


def _listed(columns: Sequence[str]) -> str:
    shown = ", ".join(columns[:MOST_COLUMNS_SHOWN])
    rest = len(columns) - MOST_COLUMNS_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown
