"""No pooling of counted outcomes: every group by itself.

Rates are events by size, with exact intervals (`tasks.stats.counted.exact_intervals`), whatever the predictors.
Fits are a logistic or Poisson regression per group: the same answer where there are no predictors, but on the link
scale, with normal intervals. A group whose events are none or all has a rate and an interval, and no fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from tasks.stats.counted.cells import Cells, Family
from tasks.stats.counted.design import design_of
from tasks.stats.counted.exact_intervals import exact_interval
from tasks.stats.counted.links import link_of, log_likelihood_of, mean_of, variance_of
from tasks.stats.counted.separation import separated_groups, sides_of
from tasks.stats.fits.intervals import Z_95
from tasks.stats.fits.pooling import has_full_rank
from tasks.stats.records import Floats, Integers, Scaling

# Why a group has no estimate on the link scale: nothing was counted in it; its events are none, or all of its trials;
# it has fewer cells than coefficients; its predictors do not vary enough; a coefficient of it has no finite estimate.
RateGap = Literal["", "no rows", "no events", "all events", "few rows", "no spread", "separated", "not converged"]

MOST_ITERATIONS = 40
STEP_TOLERANCE = 1e-8  # on the link scale, per standard deviation
MOST_HALVINGS = 30
# Share of its own diagonal that is added to an information matrix: a group that separates makes it singular on its way.
RIDGE = 1e-13


@dataclass(frozen=True)
class OwnRates:
    """Events by size; probabilities per trial, or counts per unit of exposure."""

    family: Family
    events: Floats  # (J,)
    size: Floats  # (J,)
    rate: Floats  # (J,) NaN without rows
    lower: Floats  # (J,) exact 95 % interval
    upper: Floats  # (J,)
    link: Floats  # (J,) NaN where there is a gap
    link_se: Floats  # (J,)
    gap: tuple[RateGap, ...]  # J


@dataclass(frozen=True)
class OwnFits:
    """One regression per group, on centre-scaled predictors. NaN where a group cannot carry one; `gap` says why.

    Intervals are the estimate and 1.96 standard errors on either side: too narrow for groups of few events, and much
    too wide close to separation (Hauck & Donner 1977, *JASA* 72). `OwnRates` has exact ones for what a group had.
    """

    coef: Floats  # (J, p)
    se: Floats  # (J, p)
    lower: Floats  # (J, p)
    upper: Floats  # (J, p)
    gap: tuple[RateGap, ...]  # J

    @property
    def is_fitted(self) -> np.ndarray:
        """(J,)"""
        return np.asarray(~np.isnan(self.coef).any(axis=1))


def own_rates(cells: Cells) -> OwnRates:
    events, size = cells.of_groups(cells.events), cells.of_groups(cells.size)
    some = size > 0
    rate = np.where(some, events / np.where(some, size, 1.0), np.nan)
    lower, upper = exact_interval(cells.family, events, size)
    gap = _extreme(cells.family, events, size)
    link = np.where(gap == "", link_of(cells.family, rate), np.nan)
    information = np.where(gap == "", size * variance_of(cells.family, rate), np.nan)
    return OwnRates(cells.family, events, size, rate, lower, upper, link, 1.0 / np.sqrt(information), tuple(gap))


def own_fits(cells: Cells, scaling: Scaling) -> OwnFits:
    """Newton's method for all groups at once. Whether those that do not settle are separated, a linear program says."""
    x, p = design_of(cells, scaling), len(cells.terms)
    n_cells = np.bincount(cells.group_index, minlength=cells.n_groups)
    gap = _extreme(cells.family, cells.of_groups(cells.events), cells.of_groups(cells.size))
    gap[(gap == "") & (n_cells < p)] = "few rows"
    gap[(gap == "") & ~has_full_rank(_moments(x, np.ones(len(x)), cells.group_index, cells.n_groups))] = "no spread"
    coef, cov = np.full((cells.n_groups, p), np.nan), np.full((cells.n_groups, p, p), np.nan)
    able = np.flatnonzero(gap == "")
    if able.size:
        part = _part(cells, x, able)
        found, settled = _newton(part)
        gap[able[~settled]] = _why_unsettled(part, ~settled)
        fits = able[settled]
        coef[fits], cov[fits] = found[settled], np.linalg.inv(_information(part, found)[settled])
    se = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    return OwnFits(coef, se, coef - Z_95 * se, coef + Z_95 * se, tuple(gap))


def _extreme(family: Family, events: Floats, size: Floats) -> np.ndarray:
    """(J,) the gaps that events and sizes alone tell."""
    every = (events == size) & (family == "binomial")
    return np.select([size == 0, events == 0, every], ["no rows", "no events", "all events"], "").astype(object)


@dataclass(frozen=True)
class _Part:
    """Cells of some groups, numbered anew."""

    family: Family
    x: Floats  # (c, p)
    events: Floats  # (c,)
    size: Floats  # (c,)
    group: Integers  # (c,)
    n_groups: int

    def of_groups(self, values: Floats) -> Floats:
        return np.asarray(np.bincount(self.group, weights=values, minlength=self.n_groups), dtype=float)

    def only(self, groups: Integers) -> _Part:
        place = np.full(self.n_groups, -1)
        place[groups] = np.arange(groups.size)
        at = np.flatnonzero(place[self.group] >= 0)
        return _Part(self.family, self.x[at], self.events[at], self.size[at], place[self.group[at]], groups.size)


def _part(cells: Cells, x: Floats, groups: Integers) -> _Part:
    whole = _Part(cells.family, x, cells.events, cells.size, cells.group_index, cells.n_groups)
    return whole.only(groups)


def _newton(part: _Part) -> tuple[Floats, np.ndarray]:
    """(J, p) estimates, and (J,) whether they settled.

    Along a direction that separates, Newton's steps stay about 1 on the link scale, however long it goes on: a step
    that vanishes is a finite maximum, as the likelihood is concave.
    """
    coef = np.zeros((part.n_groups, part.x.shape[1]))
    coef[:, 0] = link_of(part.family, part.of_groups(part.events) / part.of_groups(part.size))
    settled = np.zeros(part.n_groups, dtype=bool)
    for _ in range(MOST_ITERATIONS):
        left = np.flatnonzero(~settled)
        if not left.size:
            break
        rest = part.only(left)
        step = _climbing(rest, coef[left], _step(rest, coef[left]))
        coef[left] += step
        settled[left] = np.abs(step).max(axis=1) < STEP_TOLERANCE
    return coef, settled


def _step(part: _Part, coef: Floats) -> Floats:
    residual = part.events - part.size * _mean(part, coef)
    score = np.column_stack([part.of_groups(part.x[:, k] * residual) for k in range(part.x.shape[1])])
    information = _information(part, coef)
    diagonal = np.einsum("jkk->jk", information)
    diagonal += RIDGE * diagonal + np.finfo(float).tiny
    return np.asarray(np.linalg.solve(information, score[..., None])[..., 0])


def _climbing(part: _Part, coef: Floats, step: Floats) -> Floats:
    """The step, halved for the groups whose likelihood it would lower. What rounding alone lowers is let through."""
    start = _log_likelihood(part, coef)
    slack = 1e-12 * (1.0 + np.abs(start))
    for _ in range(MOST_HALVINGS):
        falls = ~(_log_likelihood(part, coef + step) >= start - slack)
        if not falls.any():
            break
        step = np.where(falls[:, None], step / 2.0, step)
    return step


def _log_likelihood(part: _Part, coef: Floats) -> Floats:
    return part.of_groups(log_likelihood_of(part.family, part.events, part.size, _mean(part, coef)))


def _mean(part: _Part, coef: Floats) -> Floats:
    return mean_of(part.family, np.einsum("ck,ck->c", part.x, coef[part.group]))


def _information(part: _Part, coef: Floats) -> Floats:
    weight = part.size * variance_of(part.family, _mean(part, coef))
    return _moments(part.x, weight, part.group, part.n_groups)


def _moments(x: Floats, weight: Floats, group: Integers, n_groups: int) -> Floats:
    """(J, p, p) sums of weight x x' over each group's cells."""
    p = x.shape[1]
    each = (x[:, :, None] * (x * weight[:, None])[:, None, :]).reshape(len(x), p * p)
    adds = sparse.csr_matrix((np.ones(len(x)), (group, np.arange(len(x)))), shape=(n_groups, len(x)))
    return np.asarray(adds @ each).reshape(n_groups, p, p)


def _why_unsettled(part: _Part, unsettled: np.ndarray) -> np.ndarray:
    groups = np.flatnonzero(unsettled)
    if not groups.size:
        return np.array([], dtype=object)
    rest = part.only(groups)
    separated = separated_groups(rest.x, sides_of(rest.family, rest.events, rest.size), rest.group, groups.size)
    return np.where(separated, "separated", "not converged").astype(object)
