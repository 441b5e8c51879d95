"""Directly standardised rates: every group's own model on everybody's case mix.

The rate that a group would have if its cells were those of all groups together. Groups can be compared by it whatever
their own case mix is, which O/E does not allow (George et al. 2017, arXiv:1510.00842; Varewyck et al. 2014,
*Biostatistics* 15).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.links import mean_of, variance_of
from tasks.stats.counted.predictors import with_intercept
from tasks.stats.fits.cells import Cells, Family
from tasks.stats.records import Floats, Integers, Scaling

# Numbers held at a time.
LARGEST_BLOCK = 2**22
KNOTS = 128  # of a curve through rates by level; relative errors of a rate are below 1e-6 for the widest levels
FEWEST_GROUPS = 4 * KNOTS  # for which a curve is quicker than every group's own sum
WIDEST = 20.0  # levels of a draw, from the lowest to the highest


@dataclass(frozen=True)
class CaseMix:
    """Distinct predictors of all cells, and the share of all trials or exposure that has them."""

    design: Floats  # (M, p) centre-scaled, the intercept's ones first
    share: Floats  # (M,) sums to 1


def case_mix(cells: Cells, scaling: Scaling, most: int | None = None) -> CaseMix:
    """Everybody's case mix: exact, or, where more than `most` cases are distinct, `most` of them with equal shares.

    Those are a systematic sample in proportion to size, in an order in which like cases are near each other: no chance
    is in it.
    """
    keys, place = np.unique(cells.x, axis=0, return_inverse=True)
    size = np.bincount(place.ravel(), weights=cells.size, minlength=len(keys))
    share = size / size.sum()
    if most is not None and len(keys) > most:
        order = _like_by_like(keys, most)
        taken = np.searchsorted(np.cumsum(share[order]), (np.arange(most) + 0.5) / most)
        keys, share = keys[order][np.minimum(taken, len(keys) - 1)], np.full(most, 1.0 / most)
    return CaseMix(with_intercept((keys - scaling.center) / scaling.scale), share)


def _like_by_like(x: Floats, n_boxes: int) -> Integers:
    """(M,) an order of cases: boxes are halved by each predictor in turn (a k-d tree), until each has a case or so."""
    box = np.zeros(len(x), dtype=np.int64)
    order = np.arange(len(x))
    for depth in range(int(np.ceil(np.log2(n_boxes)))):
        order = np.lexsort((x[:, depth % x.shape[1]], box))
        n_before, n_inside = np.cumsum(np.bincount(box)) - np.bincount(box), np.bincount(box)
        rank = np.arange(len(x)) - n_before[box[order]]
        box[order] = 2 * box[order] + (2 * rank >= n_inside[box[order]])
    return np.argsort(box, kind="stable")


def standardised_rates(family: Family, mix: CaseMix, coef: Floats) -> Floats:
    """(...) rates over the case mix, of coefficients (..., p): estimates (J, p) or draws (S, J, p).

    Where the groups of a draw are many and differ in their levels alone, their rates lie on one curve, drawn once.
    """
    if coef.ndim > 2:
        return np.stack([standardised_rates(family, mix, each) for each in coef])
    if _lie_on_a_curve(coef):
        return _on_a_curve(family, mix, coef)
    flat = coef.reshape(-1, coef.shape[-1])
    rates = np.empty(len(flat))
    step = max(1, LARGEST_BLOCK // len(mix.share))
    for start in range(0, len(flat), step):
        rates[start : start + step] = mean_of(family, flat[start : start + step] @ mix.design.T) @ mix.share
    return rates.reshape(coef.shape[:-1])


def _lie_on_a_curve(coef: Floats) -> bool:
    """Of coefficients (J, p)."""
    if len(coef) < FEWEST_GROUPS or (coef[:, 1:] != coef[0, 1:]).any():
        return False
    return 0.0 < float(np.ptp(coef[:, 0])) <= WIDEST


def _on_a_curve(family: Family, mix: CaseMix, coef: Floats) -> Floats:
    """(J,) by the cubic through rates and slopes at KNOTS levels (Hermite's)."""
    level = coef[:, 0]
    knots, step = np.linspace(level.min(), level.max(), KNOTS, retstep=True)
    rates = mean_of(family, knots[:, None] + mix.design[:, 1:] @ coef[0, 1:])
    rate, slope = rates @ mix.share, step * (variance_of(family, rates) @ mix.share)
    rise = np.diff(rate)
    square, cube = 3.0 * rise - 2.0 * slope[:-1] - slope[1:], slope[:-1] + slope[1:] - 2.0 * rise
    along = (level - knots[0]) / step
    place = np.minimum(along.astype(np.int64), KNOTS - 2)
    along -= place
    return np.asarray(rate[place] + along * (slope[place] + along * (square[place] + along * cube[place])))
