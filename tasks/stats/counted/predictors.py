"""The predictors of cells, centre-scaled: as those of the normal family, by the means and SDs of the rows."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from tasks.stats.fits.cells import Cells
from tasks.stats.records import Floats, Integers, Scaling


def scaling_of(cells: Cells) -> Scaling:
    """Means and SDs (ddof 1) over rows, each cell as many times as it has rows.

    A predictor without spread keeps its unit. The outcome is not scaled: it has a link.
    """
    rows = cells.n_rows.astype(float)
    n = rows.sum()
    center = rows @ cells.x / n
    variance = rows @ (cells.x - center) ** 2 / max(n - 1.0, 1.0)
    return Scaling(cells.terms[1:], center, np.where(variance > 0, np.sqrt(variance), 1.0), 0.0, 1.0)


def centre_scaled(cells: Cells, scaling: Scaling) -> Floats:
    """(C, p), the intercept's ones first."""
    return with_intercept((cells.x - scaling.center) / scaling.scale)


def with_intercept(scaled: Floats) -> Floats:
    return np.column_stack([np.ones(len(scaled)), scaled])


def moments_by_group(x: Floats, weight: Floats, group: Integers, n_groups: int) -> Floats:
    """(J, p, p) sums of weight x x' over each group's cells; x (C, p)."""
    p = x.shape[1]
    each = (x[:, :, None] * (x * weight[:, None])[:, None, :]).reshape(len(x), p * p)
    return sums_by_group(each, group, n_groups).reshape(n_groups, p, p)


def sums_by_group(values: Floats, group: Integers, n_groups: int) -> Floats:
    """(J, k) sums of the rows of `values` (C, k)."""
    n = len(values)
    adds = sparse.csr_matrix((np.ones(n), (group, np.arange(n))), shape=(n_groups, n))
    return np.asarray(adds @ values)
