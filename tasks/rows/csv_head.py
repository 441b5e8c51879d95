"""Finds where the column names of a CSV file stand, and what separates its fields.

A first line `sep=;`, as spreadsheets write it, names the delimiter. Comment lines above the column names are skipped if
the first line that is no comment holds every column asked for.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.study.errors import DataRejected
from tasks.study.plain_text import listed, shown
from tasks.study.settings import clean_label

DELIMITERS = (",", ";", "\t", "|")
COMMENT = "#"
HEAD_CHARACTERS = 1 << 20
HEAD_LINES = 100
SEPARATOR_LINE = re.compile(r'^\s*"?sep=([^"\w\r\n])"?[,;\s]*$', re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """How to read a file: `n_skipped` lines stand above the column names; `comment` begins lines that are no rows."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    n_skipped: int
    comment: str = ""


def find_layout(
    path: Path,
    name: str,
    encoding: str,
    columns: Sequence[str] = (),
    delimiter: str | None = None,
    comment: str | None = None,
) -> Layout:
    """The layout under which the header has most of `columns`, and among equals most fields.

    Raises DataRejected for an empty file, and where the column names seem to stand further down.
    """
    lines = _first_lines(path, encoding)
    named = SEPARATOR_LINE.match(lines[0]) if lines else None
    choices = (delimiter,) if delimiter else (named[1],) if named else DELIMITERS
    first = 1 if named else 0
    places = [_next_row(lines, first, comment or ""), _next_row(lines, first, comment or COMMENT)]
    found = [_split(lines, at, choices, columns) for at in places]
    is_below = _n_found(found[0][1], columns) < len({*columns}) == _n_found(found[1][1], columns)
    if not columns:  # the names are unknown, and one may begin with "#"
        is_below = len(found[0][1]) != len(found[1][1])
    at, (split_by, header) = (places[1], found[1]) if is_below else (places[0], found[0])
    if not header:
        expected = f": {listed(columns)}" if columns else ""
        raise DataRejected(f"{name} is empty. It should begin with a line of column names{expected}.")
    _require_no_title(lines, at, header, choices, columns, name)
    return Layout(encoding, split_by, tuple(header), at, comment or "")


def positions_of(
    header: Sequence[str], columns: Sequence[str], name: str, advice: str = "as the file's first line does"
) -> list[int]:
    """The positions of `columns` in the header. Raises DataRejected if one is missing or stands there twice.

    `advice` says after what a missing one should be named.
    """
    for column in columns:
        if column not in header:
            raise DataRejected(_missing_column(column, header, name, advice))
        if header.count(column) > 1:
            raise DataRejected(
                f"{name} has {header.count(column)} columns named {shown(column)}, and it is unclear which one is "
                "meant. Rename the others."
            )
    return [header.index(column) for column in columns]


def _missing_column(column: str, header: Sequence[str], name: str, named: str) -> str:
    """The message for a column that the header lacks."""
    lowered = {found.lower(): found for found in header}
    close = [lowered[match] for match in difflib.get_close_matches(column.lower(), lowered, n=3)]
    meant = f" Did you mean {' or '.join(map(shown, close))}?" if close else ""
    advice = f"Name the column {named}, or correct its name there."
    if len(header) == 1:
        advice += ' If the columns are separated by an unusual character, export the file with "," or ";".'
    return f"{name} has no column {shown(column)}; its columns are {listed(header)}.{meant} {advice}"


def _first_lines(path: Path, encoding: str) -> list[str]:
    with path.open(encoding=encoding, newline="") as stream:
        return stream.readlines(HEAD_CHARACTERS)


def _next_row(lines: Sequence[str], start: int, comment: str) -> int:
    """The first line from `start` that is neither blank nor a comment."""
    for at, line in enumerate(lines[start:], start):
        if line.strip() and not (comment and line.lstrip().startswith(comment)):
            return at
    return len(lines)


def _split(lines: Sequence[str], at: int, choices: Sequence[str], columns: Sequence[str] = ()) -> tuple[str, list[str]]:
    """The best delimiter for the line at this position, and the header under it."""
    headers = {choice: _record(lines[at:], choice) for choice in choices}
    best = max(choices, key=lambda choice: (_n_found(headers[choice], columns), len(headers[choice])))
    return best, headers[best]


def _record(lines: Sequence[str], delimiter: str) -> list[str]:
    """The first record, stripped; empty where there is none."""
    try:
        return [clean_label(field) for field in next(csv.reader(lines, delimiter=delimiter), [])]
    except csv.Error:
        return []


def _n_found(header: Sequence[str], columns: Sequence[str]) -> int:
    """How many of `columns` the header has."""
    return len({*columns} & {*header})


def _require_no_title(
    lines: Sequence[str], at: int, header: Sequence[str], choices: Sequence[str], columns: Sequence[str], name: str
) -> None:
    """Raise DataRejected if a later line holds every column; or, where none is asked for, more fields."""
    if columns and _n_found(header, columns) == len({*columns}):
        return
    for below in range(at + 1, min(at + HEAD_LINES, len(lines))):
        _, found = _split(lines, below, choices, columns)
        is_header = _n_found(found, columns) == len({*columns}) if columns else sum(map(bool, found)) > 1
        if is_header and (columns or sum(map(bool, header)) == 1):
            above = lines[at].strip()
            raise DataRejected(
                f"The column names of {name} seem to stand in line {below + 1} ({listed(found)}), below other text "
                f"({shown(above, 60)}). Delete what stands above them."
            )
