"""Reads columns of CSV files as text, in chunks.

CSV is RFC 4180's, by any delimiter: fields may be quoted, quoted fields may hold line breaks. Blank lines
and rows of empty cells are skipped, short rows are filled with empty fields, empty fields past the header
are ignored. Python's `csv` reads the records because it alone reports every row's length.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from pathlib import Path

import pyarrow as pa

from tasks.rows.csv_head import COMMENT, Layout
from tasks.study.errors import DataRejected

CHUNK_ROWS = 50_000
MOST_CHARACTERS = 10_000_000  # of one field
SHOWN_CHARACTERS = 200
SEPARATOR, END = "\x1f", "\x1e"

Record = list[str]
csv.field_size_limit(MOST_CHARACTERS)  # Python's own limit, 131,072, also applies to columns that nobody uses


@dataclass(frozen=True)
class Chunk:
    """Columns of some consecutive rows. `problems`: for rows wrong as a whole, the rule and the record by position.

    `rest` is the text of the other columns asked for, one string per row; None if none were asked for.
    """

    columns: list[pa.Array]
    problems: dict[int, tuple[str, str]] = field(default_factory=dict)
    rest: list[str] | None = None


def read_columns(
    path: Path, name: str, layout: Layout, positions: Sequence[int], most_rows: int | None = None
) -> list[pa.ChunkedArray]:
    """The columns at `positions`, whole: see `read_chunks`."""
    chunks = [chunk.columns for chunk in read_chunks(path, name, layout, positions, most_rows)]
    return [pa.chunked_array([chunk[i] for chunk in chunks], pa.large_string()) for i in range(len(positions))]


def read_chunks(
    path: Path,
    name: str,
    layout: Layout,
    positions: Sequence[int],
    most_rows: int | None = None,
    others: Sequence[int] = (),
) -> Iterator[Chunk]:
    """The columns at `positions` as text, at most CHUNK_ROWS rows at a time; those at `others` joined row by row.

    Raises DataRejected when every row has more fields than the header, for a stray quote, and for a huge field.
    """
    for records, problems in _chunks(path, name, layout, most_rows):
        columns = [pa.array(map(itemgetter(position), records), pa.large_string()) for position in positions]
        yield Chunk(columns, problems, joined(records, others) if others else None)


def joined(records: Sequence[Record], positions: Sequence[int]) -> list[str]:
    """Per record the text at `positions`, without spaces and with points for commas: spellings do not differ."""
    if len(positions) == 1:
        return plain(list(map(itemgetter(positions[0]), records)))
    return plain(list(map(SEPARATOR.join, map(itemgetter(*positions), records))))


def plain(texts: Sequence[str]) -> list[str]:
    """The texts without spaces, with points for commas, in NFC; all at once, which is faster than one by one."""
    together = END.join(texts).replace(" ", "").replace(",", ".")
    found = (together if together.isascii() else unicodedata.normalize("NFC", together)).split(END)
    return found if len(found) == len(texts) else list(texts)  # unchanged if a text itself contains END


def _chunks(
    path: Path, name: str, layout: Layout, most_rows: int | None
) -> Iterator[tuple[list[Record], dict[int, tuple[str, str]]]]:
    """Data rows, all as long as the header, at most CHUNK_ROWS at a time, each chunk with its `Chunk.problems`."""
    with path.open(encoding=layout.encoding, newline="") as stream:
        lines = _Lines(islice(stream, layout.n_skipped, None), layout.comment)
        reader = csv.reader(lines, delimiter=layout.delimiter, strict=True)
        try:
            records = _rows(lines.records(reader))
            width, is_first = len(next(records, [])), True
            records = islice(records, most_rows)
            while chunk := list(islice(records, CHUNK_ROWS)):
                problems: dict[int, tuple[str, str]] = {}
                if {*map(len, chunk)} != {width}:
                    problems = _problems(chunk, width, layout.delimiter)
                    if is_first and len(problems) == len(chunk):
                        _require_width(name, chunk, width, layout.delimiter)
                    chunk = [record[:width] + [""] * (width - len(record)) for record in chunk]
                yield chunk, problems
                is_first = False
        except csv.Error as error:
            raise DataRejected(_cannot_be_split(name, reader.line_num + layout.n_skipped, str(error))) from None


class _Lines:
    """A file's lines without those that begin with `comment`, unless they continue a quoted field."""

    def __init__(self, lines: Iterator[str], comment: str) -> None:
        self._lines, self._comment, self._begins_record = lines, comment, True

    def __iter__(self) -> Iterator[str]:
        return self._uncommented() if self._comment else self._lines

    def _uncommented(self) -> Iterator[str]:
        for line in self._lines:
            if not (self._begins_record and line.lstrip().startswith(self._comment)):
                self._begins_record = False
                yield line

    def records(self, reader: Iterator[Record]) -> Iterator[Record]:
        """The records that `reader` makes of these lines; remembers where each begins, as only there a comment can."""
        return self._told(reader) if self._comment else reader

    def _told(self, reader: Iterator[Record]) -> Iterator[Record]:
        for record in reader:
            self._begins_record = True
            yield record


def _rows(records: Iterator[Record]) -> Iterator[Record]:
    """The records without blank lines and rows of empty cells."""
    return (one for one in records if (len(one) > 1 and (one[0] or any(one))) or (one and one[0].strip()))


def _problems(records: Sequence[Record], width: int, delimiter: str) -> dict[int, tuple[str, str]]:
    """The rule and the record of rows that do not fit a table `width` columns wide, by position."""
    problems = {}
    for at, record in enumerate(records):
        if any(record[width:]):
            n = len(record) - width
            rule = f"{n} {'field' if n == 1 else 'fields'} more than the header"
            problems[at] = (rule, shortened(delimiter.join(record)))
        elif len(record) < width and record[0].lstrip().startswith(COMMENT):
            problems[at] = ("begins like a comment", shortened(delimiter.join(record)))
    return problems


def shortened(text: str) -> str:
    """The text, cut after SHOWN_CHARACTERS; then its length is given."""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}… ({len(text):,} characters)"


def _require_width(name: str, records: Sequence[Record], width: int, delimiter: str) -> None:
    """Raise DataRejected if every record has more fields than the header."""
    if all(len(record) > width for record in records):
        raise DataRejected(_all_too_long(name, records, width, delimiter))


def _all_too_long(name: str, records: Sequence[Record], width: int, delimiter: str) -> str:
    first = records[0]
    found = (
        f"{name} has {width} columns in its header, but every data row has more fields: data row 1 has {len(first)} "
        f"fields, {shortened(delimiter.join(first))!r}."
    )
    n_rows = len(records)
    if n_rows > 1 and all(len(record) == width + 1 and record[0] == str(i) for i, record in enumerate(records, 1)):
        return (
            f"{found} The first looks like a row number that has no column name, as R's write.table leaves it. Write "
            "the file with row.names = FALSE, or with col.names = NA."
        )
    if delimiter == "," and sum(field.strip().lstrip("+-").isdigit() for field in first) > len(first) - width:
        return (
            f"{found} Most likely its numbers have a decimal comma without quotes, so that 1,5 is taken for two "
            'fields. Export it with another delimiter, such as ";", or with a decimal point.'
        )
    return f"{found} A delimiter inside a value needs double quotes around the value; a missing column name, a name."


def _cannot_be_split(name: str, line: int, reason: str) -> str:
    if "end of data" in reason:
        trouble = "a double quote opens and never closes before the file ends"
    elif "expected after" in reason:
        trouble = "text follows a closing double quote"
    elif "field larger than" in reason:
        trouble = f"a value is longer than {MOST_CHARACTERS:,} characters, as if a double quote never closed"
    else:
        trouble = reason
    return (
        f"{name} cannot be split into columns: near line {line}, {trouble}. A value with a delimiter, a quote or a "
        'line break in it stands in double quotes, and a quote inside it is written twice, as in: "5"" disk"'
    )
