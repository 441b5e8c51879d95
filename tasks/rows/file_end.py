"""Tells whether the end of a CSV file was lost: from its last lines, and only if no line break ends it.

Many programs omit the last line break, so that alone proves nothing. Not supported: UTF-16 and UTF-32.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from tasks.rows.csv_head import Layout
from tasks.stats.rows.cut_short import CutShort

TAIL_BYTES = 1 << 16
LEAST_ROWS = 3  # rows needed above the last to tell that the last has too few fields
LEAST_NUMBERS = 20  # numbers needed to tell that the last has too few decimals
NUMBER = re.compile(r"[+-]?\d+(?:[.,](\d*))?")


def cut_short(path: Path, layout: Layout) -> CutShort | None:
    """What the last line lacks, or None if nothing seems to be missing."""
    if layout.encoding.startswith(("utf-16", "utf-32")):
        return None
    *above, last = _last_records(path, layout) or [[]]
    if not last or len(above) < LEAST_ROWS:
        return None
    if len(last) < min(map(len, above)):
        return CutShort(last[-1], "fields")
    return CutShort(last[-1], "decimals") if _has_fewer_decimals(last[-1], [each[-1] for each in above]) else None


def _last_records(path: Path, layout: Layout) -> list[list[str]]:
    """The last records without the header and one whose beginning may be cut; none if a line break ends the file."""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(size - TAIL_BYTES, 0))
        content = stream.read()
    if content.endswith((b"\n", b"\r", b"\x1a", b"\0")):
        return []
    lines = content.decode(layout.encoding, "replace").splitlines()
    lines = lines[layout.n_skipped + 1 :] if size <= TAIL_BYTES else lines[1:]
    try:
        return [record for record in csv.reader(lines, delimiter=layout.delimiter) if any(record)]
    except csv.Error:
        return []


def _has_fewer_decimals(value: str, above: Sequence[str]) -> bool:
    """Whether `value` has fewer decimals than every one of at least LEAST_NUMBERS numbers above it."""
    if len(above) < LEAST_NUMBERS or (n_decimals := _n_decimals(value)) is None:
        return False
    found = [_n_decimals(each) for each in above]
    return all(each is not None and each > n_decimals for each in found)


def _n_decimals(text: str) -> int | None:
    """How many decimals the number has; None if it is no number."""
    found = NUMBER.fullmatch(text.strip())
    return len(found[1] or "") if found else None
