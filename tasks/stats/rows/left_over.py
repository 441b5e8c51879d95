"""The residual spread of the outcome once predictors, groups, or both are accounted for.

If nothing is left, there is no residual SD to estimate: its posterior density is unbounded and sampling does not end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.pooling import RANK_TOLERANCE
from tasks.stats.records import Floats

MOST_DECIMALS = 9
MOST_STEPS = 1e10  # digits beyond this come from double precision, not from rounding


@dataclass(frozen=True)
class LeftOver:
    """Residual SDs in the outcome's unit; NaN where no degree of freedom is left."""

    by_predictors: float  # one line for all rows
    by_groups: float  # a mean per group
    by_both: float  # a mean per group and one slope for all
    by_lines: float  # a line per group
    lines_df: int


def left_over(products: ModelCrossProducts) -> LeftOver:
    n_rows, n_groups, slopes = products.n_rows, len(products.labels), products.p - 1
    complete, rank = _left_by_lines(products.gram.sum(axis=0)[None])
    within = within_groups(products)
    lines, ranks = _left_by_lines(products.gram)
    return LeftOver(
        _sd(complete.sum(), n_rows - int(rank[0])),
        _sd(within[-1, -1], n_rows - n_groups),
        _sd(_left(within), n_rows - n_groups - slopes),
        _sd(lines.sum(), df := n_rows - int(ranks.sum())),
        df,
    )


def within_groups(products: ModelCrossProducts) -> Floats:
    """(p, p) sums of products of predictors and outcome about their groups' means, over all groups."""
    sums = products.gram[:, 0, 1:]
    total = products.gram[:, 1:, 1:].sum(axis=0)
    return total - (sums / np.maximum(products.n, 1.0)[:, None]).T @ sums


def quantum(values: Floats) -> float:
    """The largest of 1, 0.1, 0.01 ... that all values are multiples of, to which they were rounded; 0 if none is."""
    for decimals in range(MOST_DECIMALS + 1):
        steps = values * 10.0**decimals
        if np.abs(steps).max() > MOST_STEPS:
            break
        if np.all(np.abs(steps - np.rint(steps)) <= 1e-5):
            return 10.0**-decimals
    return 0.0


def _sd(squares: float, df: int) -> float:
    return float(np.sqrt(max(squares, 0.0) / df)) if df > 0 else np.nan


def _left(gram: Floats) -> float:
    """The residual sum of squares of the last column, regressed on the columns before it."""
    coef = np.linalg.lstsq(gram[:-1, :-1], gram[:-1, -1], rcond=None)[0]
    return float(gram[-1, -1] - coef @ gram[:-1, -1])


def _left_by_lines(gram: Floats) -> tuple[Floats, np.ndarray]:
    """(J,) residual sums of squares of a line per group, and (J,) the ranks of the groups' predictors."""
    xtx, xty = gram[:, :-1, :-1], gram[:, :-1, -1]
    size = np.sqrt(np.diagonal(xtx, axis1=1, axis2=2))
    size = np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(xtx / (size[:, :, None] * size[:, None, :]))
    counts = values > RANK_TOLERANCE
    projected = np.einsum("jki,jk->ji", vectors, xty / size)
    explained = np.where(counts, projected**2 / np.where(counts, values, 1.0), 0.0).sum(axis=1)
    return np.maximum(gram[:, -1, -1] - explained, 0.0), counts.sum(axis=1)
