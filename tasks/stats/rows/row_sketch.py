"""Small sketches of files' rows: enough to count the rows that files have in common, without keeping the rows.

Rows are hashed by content: the columns that the study asks for by value, the others as text. A sketch
holds the distinct rows of the SKETCH_ROWS lowest hashes, each with its count. Equal rows have equal hashes in
every file, so two sketches cover the same part of all possible rows. The rows they share are exact for files of at
most SKETCH_ROWS distinct rows, and else a fair sample of the rows the files share (bottom-k or KMV sketches: Cohen &
Kaplan 2007; Beyer, Haas, Reinwald, Sismanis & Gemulla 2007). Runs of RUN consecutive rows are sketched in
the same way (shingles: Broder 1997): equal rows in the same order reveal copies even if rows are coarse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tasks.stats.records import Integers

SKETCH_ROWS = 20_000
SKETCH_RUNS = 5_000
RUN = 16

Hashes = NDArray[np.uint64]
ODD = np.uint64(0xD1342543DE82EF95)
# A run of 16 rows is two runs of 8, and so on. For each half: its width, and the power of ODD that shifts the earlier.
DOUBLINGS = tuple((width, np.uint64(pow(int(ODD), width, 2**64))) for width in (1, 2, 4, 8))


@dataclass(frozen=True)
class RowSketch:
    """Distinct rows by their hashes, ascending; only the lowest if `is_whole` is false."""

    asked: Hashes  # (m,) of the study's columns
    rest: Hashes  # (m,) of the others
    count: Integers  # (m,) how many rows are equal to each, itself included
    n_rows: int  # of the file; more than are counted if `is_whole` is false

    @property
    def is_whole(self) -> bool:
        return int(self.count.sum()) == self.n_rows

    @property
    def share(self) -> float:
        """The share of the file's rows that the sketch counts."""
        return float(self.count.sum()) / self.n_rows if self.n_rows else 1.0


@dataclass(frozen=True)
class FileSketch:
    """The sketch of the good rows of one file."""

    others: int  # a hash of the names of the columns that the study does not ask for
    rows: RowSketch
    runs: RowSketch  # `asked` is of a run, `rest` is 0
    sequence: int  # a hash of all rows in their order
    n_like_before: int  # rows equal to the one before them
    last: Hashes  # (at most RUN - 1,) of the last rows, with which the next chunk's runs begin


def no_sketch(others: int = 0) -> FileSketch:
    none = np.empty(0, dtype=np.uint64)
    nothing = RowSketch(none, none, np.empty(0, dtype=np.int64), 0)
    return FileSketch(others, nothing, nothing, 0, 0, none)


def extended(sketch: FileSketch, asked: Hashes, rest: Hashes) -> FileSketch:
    """The sketch with the file's next n rows added; `asked` and `rest` are (n,)."""
    whole = mixed(asked * ODD + rest)
    row = np.concatenate([sketch.last, whole])
    runs = _run_hashes(row)
    n_new = whole.size if sketch.last.size else max(whole.size - 1, 0)
    is_like_before = _is_like_before(row)[row.size - n_new :]
    return FileSketch(
        sketch.others,
        _added(sketch.rows, asked, rest, SKETCH_ROWS),
        _added(sketch.runs, runs, np.zeros_like(runs), SKETCH_RUNS),
        _continued(sketch.sequence, whole),
        sketch.n_like_before + int(is_like_before.sum()),
        row[-(RUN - 1) :],
    )


def finished(sketch: FileSketch) -> FileSketch:
    """The sketch of a file that has been read to its end, without `last`."""
    return replace(sketch, last=np.empty(0, dtype=np.uint64))


def below(sketch: RowSketch, limit: np.uint64) -> RowSketch:
    """The part whose hash `asked` is at most `limit`."""
    n = int(np.searchsorted(sketch.asked, limit, side="right"))
    return RowSketch(sketch.asked[:n], sketch.rest[:n], sketch.count[:n], sketch.n_rows)


def equal_together(asked: Hashes, rest: Hashes, count: Integers) -> tuple[Hashes, Hashes, Integers]:
    """Distinct rows, ascending by `asked`, then `rest`, with the counts of equal ones added up."""
    order = np.lexsort((rest, asked)) if rest.any() else np.argsort(asked, kind="stable")
    asked, rest, count = asked[order], rest[order], count[order]
    is_first = np.ones(asked.size, dtype=bool)
    is_first[1:] = (asked[1:] != asked[:-1]) | (rest[1:] != rest[:-1])
    first = np.flatnonzero(is_first)
    return asked[first], rest[first], np.add.reduceat(count, first) if first.size else count


def mixed(z: Hashes) -> Hashes:
    """splitmix64's finaliser (Steele, Lea & Flood 2014)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _added(sketch: RowSketch, asked: Hashes, rest: Hashes, k: int) -> RowSketch:
    n_rows = sketch.n_rows + asked.size
    if sketch.asked.size >= k:
        can_stay = asked <= sketch.asked[-1]
        asked, rest = asked[can_stay], rest[can_stay]
    ones = np.ones(asked.size, dtype=np.int64)
    parts = zip((sketch.asked, sketch.rest, sketch.count), (asked, rest, ones), strict=True)
    asked, rest, count = equal_together(*(np.concatenate(pair) for pair in parts))
    return RowSketch(asked[:k], rest[:k], count[:k], n_rows)


def _continued(sequence: int, row: Hashes) -> int:
    """The hash of the sequence with `row` appended: a polynomial in ODD, modulo 2**64."""
    powers = np.cumprod(np.full(row.size, ODD))[::-1]
    return (sequence * pow(int(ODD), row.size, 2**64) + int((mixed(row) * powers).sum())) % 2**64


def _run_hashes(row: Hashes) -> Hashes:
    """Hashes of every RUN consecutive rows, at most n - RUN + 1; runs in which many rows repeat are left out."""
    if row.size < RUN:
        return np.empty(0, dtype=np.uint64)
    found = row
    for width, power in DOUBLINGS:
        found = found[:-width] * power + found[width:]
    n_like_before: Integers = np.cumsum(_is_like_before(row))
    monotony = n_like_before[RUN - 1 :] - n_like_before[: row.size - RUN + 1]
    return mixed(found[monotony <= RUN // 4])


def _is_like_before(row: Hashes) -> NDArray[np.bool_]:
    """(n,) whether a row equals the one before it; false for the first."""
    is_like = np.zeros(row.size, dtype=bool)
    is_like[1:] = row[1:] == row[:-1]
    return is_like


def total_size(sketches: Sequence[FileSketch]) -> int:
    return sum(sketch.rows.asked.size + sketch.runs.asked.size for sketch in sketches)
