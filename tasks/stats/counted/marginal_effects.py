"""Average marginal effects: by how much a predictor's unit changes the probability or rate, averaged over all cells.

A coefficient of a logistic model is the same for everybody on the scale of log odds, and differs from case to case on
that of probabilities; the average over everybody is the risk difference that a reader can use. Averages weigh cells by
trials or exposure, so that they are effects on the rate of all (with 0/1 rows: over rows). Of a predictor with two
values it is the difference between them, else the derivative; both per raw unit. The ratio twin is the odds or rate
ratio per raw unit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from tasks.stats.counted.links import mean_of, ratio_of, variance_of
from tasks.stats.counted.predictors import centre_scaled
from tasks.stats.fits.cells import Cells, Family
from tasks.stats.fits.intervals import Z_95
from tasks.stats.records import Floats, Integers, Scaling

MOST_CELLS = 20_000  # of each draw


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
    return _effects(_cases(cells, scaling), coef)


def marginal_effects(cells: Cells, scaling: Scaling, coef: Floats, cov: Floats) -> MarginalEffects:
    """Of coefficients (p,) with their covariance (p, p), by the delta method."""
    cases = _cases(cells, scaling)
    difference, slopes = _effects(cases, coef), np.array([_slopes(cases, coef, k) for k in range(1, coef.size)])
    half = Z_95 * np.sqrt(np.einsum("ka,ab,kb->k", slopes.reshape(-1, coef.size), cov, slopes.reshape(-1, coef.size)))
    raw, raw_half = coef[1:] / scaling.scale, Z_95 * np.sqrt(np.diag(cov)[1:]) / scaling.scale
    ends = (ratio_of(each) for each in (raw, raw - raw_half, raw + raw_half))
    return MarginalEffects(difference, difference - half, difference + half, *ends)


def marginal_effects_of_draws(cells: Cells, scaling: Scaling, average: Floats, group_coef: Floats) -> MarginalEffects:
    """Of draws: `average` (S, p) for the ratio of the average group, `group_coef` (S, J, p) for the difference.

    Posterior medians and central 95 % intervals. Each draw goes over all cells; or over a sample of them where these
    are more than MOST_CELLS, and by how much the sample's effects are off at the draws' mean is taken off every draw's.
    """
    cases = _cases(cells, scaling)
    some = cases.some(MOST_CELLS)
    differences = np.array([_effects(some, coef) for coef in group_coef])
    if some is not cases:
        mean = group_coef.mean(axis=0)
        differences += _effects(cases, mean) - _effects(some, mean)
    ratios = ratio_of(average[:, 1:] / scaling.scale)
    spread = [np.quantile(draws, [0.5, 0.025, 0.975], axis=0) for draws in (differences, ratios)]
    return MarginalEffects(*spread[0], *spread[1])


@dataclass(frozen=True)
class _Cases:
    family: Family
    x: Floats  # (C, p) centre-scaled
    share: Floats  # (C,) of all trials or exposure
    group_index: Integers  # (C,)
    scale: Floats  # (p - 1,)
    two: tuple[Floats | None, ...]  # p - 1: a predictor's two values, centre-scaled, if it has no more

    def eta(self, coef: Floats, x: Floats) -> Floats:
        """(C,) of coefficients (p,) or (J, p)."""
        if coef.ndim == 1:
            return np.asarray(x @ coef)
        return np.einsum("ck,ck->c", x, coef[self.group_index])

    def some(self, most: int) -> _Cases:
        """All, or `most` that lie evenly over their shares, in the order of the groups."""
        if self.share.size <= most:
            return self
        order = np.argsort(self.group_index, kind="stable")
        places = (np.arange(most) + 0.5) / most
        kept = order[np.minimum(np.searchsorted(np.cumsum(self.share[order]), places), order.size - 1)]
        return replace(self, x=self.x[kept], share=np.full(most, 1.0 / most), group_index=self.group_index[kept])

    def at(self, k: int, value: float) -> Floats:
        """(C, p) with the predictor in column `k` at the same value everywhere."""
        moved = self.x.copy()
        moved[:, k] = value
        return moved


def _cases(cells: Cells, scaling: Scaling) -> _Cases:
    x = centre_scaled(cells, scaling)
    values = [np.unique(column) for column in x[:, 1:].T]
    two = tuple(each if each.size == 2 else None for each in values)
    return _Cases(cells.family, x, cells.size / cells.size.sum(), cells.group_index, scaling.scale, two)


def _effects(cases: _Cases, coef: Floats) -> Floats:
    eta, effects = cases.eta(coef, cases.x), np.empty(cases.scale.size)
    mean = mean_of(cases.family, eta)
    slope = variance_of(cases.family, mean)
    for k, two in enumerate(cases.two, start=1):
        own = coef[k] if coef.ndim == 1 else coef[cases.group_index, k]
        if two is None:
            change = own * slope
        else:
            to_other = two.sum() - 2.0 * cases.x[:, k]
            change = (mean_of(cases.family, eta + own * to_other) - mean) / to_other
        effects[k - 1] = (cases.share * change).sum() / cases.scale[k - 1]
    return effects


def _slopes(cases: _Cases, coef: Floats, k: int) -> Floats:
    """(p,) derivatives of the effect of column `k` in coefficients that all cells share."""
    family, two = cases.family, cases.two[k - 1]
    if two is None:
        eta = cases.eta(coef, cases.x)
        slope = variance_of(family, mean_of(family, eta))
        bend = slope * (1.0 - 2.0 * expit(eta)) if family == "binomial" else slope
        derivative = (cases.share * coef[k] * bend) @ cases.x
        derivative[k] += cases.share @ slope
        return np.asarray(derivative / cases.scale[k - 1])
    low, high = (cases.at(k, value) for value in two)
    slopes = [cases.share * variance_of(family, mean_of(family, cases.eta(coef, at))) for at in (low, high)]
    return np.asarray((slopes[1] @ high - slopes[0] @ low) / (two[1] - two[0]) / cases.scale[k - 1])
