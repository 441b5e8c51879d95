"""Quantiles of the rows of every group at once."""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Floats, Integers


def group_quantiles(values: Floats, group_index: Integers, n_groups: int, probabilities: Floats) -> Floats:
    """(J, P) in the unit of `values`, interpolated between order statistics; NaN for a group without rows.

    Definition 7 of Hyndman & Fan (1996), *The American Statistician* 50(4), as R and numpy have it. It takes one
    sort of all rows, whatever J is.
    """
    order = np.lexsort((values, group_index))
    n = np.bincount(group_index, minlength=n_groups)
    first = np.cumsum(n) - n
    place = first[:, None] + np.maximum(n - 1, 0)[:, None] * probabilities
    low, last = np.floor(place).astype(int), np.maximum(values.size - 1, 0)
    ordered = values[order]
    below, above = ordered[np.minimum(low, last)], ordered[np.minimum(np.ceil(place).astype(int), last)]
    return np.where(n[:, None] > 0, below + (place - low) * (above - below), np.nan)
