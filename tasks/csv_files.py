"""Reads columns of CSV files as text, in chunks, and finds what separates the fields.

CSV is RFC 4180's, by any of four delimiters: fields may be quoted, quoted fields may hold line breaks.
Blank lines are skipped, short rows are filled with empty fields, empty fields past the header are
ignored. Python's `csv` reads the records because it alone reports every row's length.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from operator import itemgetter
from pathlib import Path

import pyarrow as pa

from tasks.stats.errors import DataRejected
from tasks.stats.study import clean_label

DELIMITERS = (",", ";", "\t", "|")
CHUNK_ROWS = 50_000

Record = list[str]


def find_delimiter(
    path: Path, name: str, encoding: str, columns: Sequence[str], choices: Sequence[str] = DELIMITERS
) -> tuple[str, list[str]]:
    """The delimiter under which the header has most of `columns`, then most fields at all; and that header."""
    headers = {choice: read_header(path, name, encoding, choice) for choice in choices}
    best = max(choices, key=lambda choice: (len({*columns} & {*headers[choice]}), len(headers[choice])))
    return best, headers[best]


def read_header(path: Path, name: str, encoding: str, delimiter: str) -> list[str]:
    """The column names, clean (see `clean_label`); empty when the file is."""
    with _opened(path, name, encoding) as stream:
        try:
            return [clean_label(column) for column in next(_records(csv.reader(stream, delimiter=delimiter)), [])]
        except csv.Error:
            return []


def read_columns(
    path: Path, name: str, encoding: str, delimiter: str, positions: Sequence[int], most_rows: int | None = None
) -> list[pa.ChunkedArray]:
    """The columns at `positions`, whole: see `read_chunks`."""
    chunks = list(read_chunks(path, name, encoding, delimiter, positions, most_rows))
    return [pa.chunked_array([chunk[i] for chunk in chunks], pa.large_string()) for i in range(len(positions))]


def read_chunks(
    path: Path, name: str, encoding: str, delimiter: str, positions: Sequence[int], most_rows: int | None = None
) -> Iterator[list[pa.Array]]:
    """The columns at `positions`, every value as the text it is, at most CHUNK_ROWS rows at a time.

    Raises DataRejected for a row with more fields than the header, a stray quote, a wrong encoding.
    """
    for records in _chunks(path, name, encoding, delimiter, most_rows):
        yield [pa.array(map(itemgetter(position), records), pa.large_string()) for position in positions]


def _chunks(path: Path, name: str, encoding: str, delimiter: str, most_rows: int | None) -> Iterator[list[Record]]:
    """Data rows, all as long as the header, at most CHUNK_ROWS at a time."""
    with _opened(path, name, encoding) as stream:
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        try:
            records = _records(reader)
            width, n_rows = len(next(records, [])), 0
            records = islice(records, most_rows)
            while chunk := list(islice(records, CHUNK_ROWS)):
                if {*map(len, chunk)} != {width}:
                    chunk = [_fitted(record, width, n_rows + i, name) for i, record in enumerate(chunk, 1)]
                yield chunk
                n_rows += len(chunk)
        except csv.Error as error:
            raise DataRejected(_stray_quote(name, reader.line_num, str(error))) from None


def _records(reader: Iterator[Record]) -> Iterator[Record]:
    return (record for record in reader if len(record) > 1 or (record and record[0].strip()))


def _fitted(record: Record, width: int, row: int, name: str) -> Record:
    if any(record[width:]):
        raise DataRejected(
            f"{name} has {width} columns in its header, but its data row {row} has {len(record)} fields. A delimiter "
            "inside a value needs double quotes around the value; where numbers have a decimal comma, the delimiter "
            "has to be another character."
        )
    return record[:width] + [""] * (width - len(record))


def _stray_quote(name: str, line: int, reason: str) -> str:
    if "end of data" in reason:
        trouble = "a double quote opens and never closes before the file ends"
    elif "expected after" in reason:
        trouble = "text follows a closing double quote"
    else:
        trouble = reason
    return (
        f"{name} cannot be split into columns: near line {line}, {trouble}. A value with a delimiter, a quote or a "
        'line break in it stands in double quotes, and a quote inside it is written twice, as in: "5"" disk"'
    )


@contextmanager
def _opened(path: Path, name: str, encoding: str) -> Iterator[Iterator[str]]:
    try:
        with path.open(encoding=_without_bom(encoding), newline="") as stream:
            yield stream
    except UnicodeError as error:
        raise DataRejected(
            f"{name} is not text in the encoding {_plain(encoding)}{_offending_byte(error)}. Tell the study how it was "
            'saved, for example encoding = "cp1252" (Windows, western Europe) or "utf-16", or save the file as UTF-8.'
        ) from error


def _offending_byte(error: UnicodeError) -> str:
    if not isinstance(error, UnicodeDecodeError) or error.start >= len(error.object):
        return ""
    return f": it holds the byte 0x{error.object[error.start]:02x}"


def _plain(encoding: str) -> str:
    return _without_bom(encoding).removesuffix("-sig")


def _without_bom(encoding: str) -> str:
    """UTF-8 is read with or without a byte order mark, by whichever of its names it was asked for."""
    return "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
