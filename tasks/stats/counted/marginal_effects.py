"""Average marginal effects: by how much a predictor's unit changes the probability or rate, averaged over all cells.

A coefficient of a logistic model is the same for everybody on the scale of log odds, and differs from case to case on
that of probabilities; the average over everybody is the risk difference that a reader can use. Averages weigh cells by
trials or exposure, so that they are effects on the rate of all (with 0/1 rows: over rows). Of a predictor with two
values it is the difference between them, else the derivative; both per raw unit. The ratio twin is the odds or rate
ratio per raw unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from tasks.stats.counted.cells import Cells, Family
from tasks.stats.counted.design import design_of
from tasks.stats.counted.links import mean_of, ratio_of, variance_of
from tasks.stats.fits.intervals import Z_95
from tasks.stats.records import Floats, Scaling


@dataclass(frozen=True)
class MarginalEffects:
    """Estimates with 95 % intervals, of the p - 1 predictors, per raw unit."""

    difference: Floats  # (p - 1,) of the probability or rate
    difference_lower: Floats  # (p - 1,)
    difference_upper: Floats  # (p - 1,)
    ratio: Floats  # (p - 1,) odds or rate ratio
    ratio_lower: Floats  # (p - 1,)
    ratio_upper: Floats  # (p - 1,)


def average_marginal_effects(cells: Cells, scaling: Scaling, coef: Floats) -> Floats:
    """(p - 1,) of coefficients (p,), the same for all groups, or (J, p), each group its own."""
    return _effects_and_slopes(cells, scaling, coef)[0]


def marginal_effects(cells: Cells, scaling: Scaling, coef: Floats, cov: Floats) -> MarginalEffects:
    """Of coefficients (p,) with their covariance (p, p), by the delta method."""
    difference, slopes = _effects_and_slopes(cells, scaling, coef)
    half = Z_95 * np.sqrt(np.einsum("ka,ab,kb->k", slopes, cov, slopes))
    raw, raw_half = coef[1:] / scaling.scale, Z_95 * np.sqrt(np.diag(cov)[1:]) / scaling.scale
    ends = (ratio_of(each) for each in (raw, raw - raw_half, raw + raw_half))
    return MarginalEffects(difference, difference - half, difference + half, *ends)


def marginal_effects_of_draws(cells: Cells, scaling: Scaling, average: Floats, group_coef: Floats) -> MarginalEffects:
    """Of draws: `average` (S, p) for the ratio of the average group, `group_coef` (S, J, p) for the difference.

    Posterior medians and central 95 % intervals.
    """
    differences = np.array([average_marginal_effects(cells, scaling, coef) for coef in group_coef])
    ratios = ratio_of(average[:, 1:] / scaling.scale)
    spread = [np.quantile(draws, [0.5, 0.025, 0.975], axis=0) for draws in (differences, ratios)]
    return MarginalEffects(*spread[0], *spread[1])


def _effects_and_slopes(cells: Cells, scaling: Scaling, coef: Floats) -> tuple[Floats, Floats]:
    """(p - 1,) effects, and (p - 1, p) their derivatives in coefficients that all cells share."""
    x = design_of(cells, scaling)
    share = cells.size / cells.size.sum()
    each = np.broadcast_to(coef, (cells.n_groups, coef.shape[-1]))[cells.group_index]
    effects, slopes = np.empty(x.shape[1] - 1), np.empty((x.shape[1] - 1, x.shape[1]))
    for k in range(x.shape[1] - 1):
        values = np.unique(cells.x[:, k])
        of_one = _between if values.size == 2 else _along
        effects[k], slopes[k] = of_one(cells.family, x, each, share, k, values, scaling)
    return effects, slopes


def _between(
    family: Family, x: Floats, coef: Floats, share: Floats, k: int, values: Floats, scaling: Scaling
) -> tuple[float, Floats]:
    """The difference between a predictor's two values."""
    effect, slope = 0.0, np.zeros(x.shape[1])
    for sign, value in ((-1.0, values[0]), (1.0, values[1])):
        moved = x.copy()
        moved[:, k + 1] = (value - scaling.center[k]) / scaling.scale[k]
        mean = mean_of(family, np.einsum("ck,ck->c", moved, coef))
        effect += sign * float(share @ mean)
        slope += sign * ((share * variance_of(family, mean)) @ moved)
    unit = values[1] - values[0]
    return float(effect / unit), slope / unit


def _along(
    family: Family, x: Floats, coef: Floats, share: Floats, k: int, values: Floats, scaling: Scaling
) -> tuple[float, Floats]:
    """The average derivative."""
    eta = np.einsum("ck,ck->c", x, coef)
    slope = variance_of(family, mean_of(family, eta))
    bend = slope * (1.0 - 2.0 * expit(eta)) if family == "binomial" else slope
    raw = coef[:, k + 1] / scaling.scale[k]
    derivative = (share * raw * bend) @ x
    derivative[k + 1] += share @ slope / scaling.scale[k]
    return float(share @ (raw * slope)), derivative
