"""The model that answers what was found of a counted outcome, on what it needs: cells, or rows that vary more."""

from __future__ import annotations

import numpy as np

from tasks.stats.counted.added_terms import with_cells
from tasks.stats.counted.cell_rows import cells_of_rows, some_cells
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.screening import CountedScreening
from tasks.stats.fits.cells import Cells
from tasks.stats.records import GroupedData

ROWS_LIMIT = 20_000  # of overdispersed rows: more are a sample of them


def answer_model(screening: CountedScreening, data: GroupedData, seed: int) -> CountedModel:
    """On cells; of overdispersed rows on at most ROWS_LIMIT of `data`, or on cells where these show it."""
    wide = screening.model
    if not screening.answer.is_overdispersed:
        return wide
    cells = _own_cells(wide) if screening.dispersion.unit == "cells" else cells_of_rows(data, wide.cells.family)
    return with_cells(wide, _some(cells, wide.n_own, seed), is_overdispersed=True)


def _own_cells(wide: CountedModel) -> Cells:
    return some_cells(wide.cells, np.arange(wide.cells.events.size), wide.n_own)


def _some(cells: Cells, n_terms: int, seed: int) -> Cells:
    n = cells.events.size
    if n <= ROWS_LIMIT:
        return cells
    kept = np.sort(np.random.default_rng([seed, 12]).choice(n, ROWS_LIMIT, replace=False))
    return some_cells(cells, kept, n_terms)
