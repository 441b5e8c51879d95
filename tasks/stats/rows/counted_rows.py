"""Rows of a counted outcome on their way to one file's cells, chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.stats.fits.cells import Cells, Family, added_among, cells_of, no_cells
from tasks.stats.records import Floats, GroupedData
from tasks.stats.rows.coding import Coding, joined, recoded_cells


@dataclass(frozen=True)
class CodedCells:
    cells: Cells
    coding: Coding  # of the cells

    @property
    def n(self) -> int:
        return self.cells.events.size


def sizes_of(data: GroupedData) -> Floats:
    """(N,) trials or exposure; ones where there are none."""
    return np.ones(data.n_rows) if data.size is None else data.size


def piled(pile: Sequence[CodedCells], data: GroupedData, coding: Coding, family: Family) -> tuple[CodedCells, ...]:
    """The pile with the cells of further rows.

    Of its parts each has more than twice the cells of the next, so that their number stays small, and no cell is added
    up often.
    """
    cells = cells_of(family, data.y, sizes_of(data), data.x, data.group_index, data.labels, coding.terms)
    part, left = CodedCells(cells, coding), list(pile)
    while left and left[-1].n <= 2 * part.n:
        part = _together([left.pop(), part])
    return (*left, part)


def cells_of_pile(pile: Sequence[CodedCells], labels: Sequence[str], coding: Coding, family: Family) -> Cells:
    """The cells of all rows of a pile, with these labels and in this coding, which have all of theirs."""
    if not pile:
        return no_cells(family, coding.terms)
    return added_among([recoded_cells(part.cells, part.coding, coding) for part in pile], labels)


def _together(parts: Sequence[CodedCells]) -> CodedCells:
    coding = joined(part.coding for part in parts)
    labels = tuple(dict.fromkeys(label for part in parts for label in part.cells.labels))
    return CodedCells(cells_of_pile(parts, labels, coding, parts[0].cells.family), coding)
