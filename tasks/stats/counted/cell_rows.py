"""Rows of a counted outcome as cells, each its own: what is seen only of rows, such as overdispersion, stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tasks.stats.fits.cells import Cells, Family, constant_of
from tasks.stats.records import GroupedData, Integers


def cells_of_rows(data: GroupedData, family: Family) -> Cells:
    """Rows in the order of their groups, those of a group in their own; `data.size` are trials or exposure, else 1."""
    order = np.argsort(data.group_index, kind="stable")
    events = data.y[order]
    size = np.ones(data.n_rows) if data.size is None else data.size[order]
    return Cells(
        family=family,
        x=data.x[order],
        group_index=data.group_index[order].astype(np.int64),
        events=events,
        size=size,
        n_rows=np.ones(data.n_rows, dtype=np.int64),
        labels=data.labels,
        terms=data.terms,
        constant=constant_of(family, events, size),
    )


def some_cells(cells: Cells, kept: Integers, n_terms: int) -> Cells:
    """Some of the cells, `kept` their ascending positions, with the first `n_terms` of the terms."""
    events, size = cells.events[kept], cells.size[kept]
    return replace(
        cells,
        x=cells.x[kept, : n_terms - 1],
        group_index=cells.group_index[kept],
        events=events,
        size=size,
        n_rows=cells.n_rows[kept],
        terms=cells.terms[:n_terms],
        constant=constant_of(cells.family, events, size),
    )
