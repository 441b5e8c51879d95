"""No pooling of counted outcomes: every group by itself.

Rates are events by size, with exact intervals (`tasks.stats.counted.exact_intervals`), whatever the predictors.
Fits are a logistic or Poisson regression per group: the same answer where there are no predictors, but on the link
scale, with normal intervals. A group whose events are none or all has a rate and an interval, and no fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tasks.stats.counted.exact_intervals import exact_interval
from tasks.stats.counted.links import link_of, variance_of
from tasks.stats.counted.predictors import centre_scaled, moments_by_group
from tasks.stats.counted.regressions import Regressions, maximum_likelihood
from tasks.stats.counted.separation import is_finite_by_score, separated_groups, sides_of
from tasks.stats.fits.cells import Cells, Family
from tasks.stats.fits.intervals import Z_95
from tasks.stats.fits.pooling import has_full_rank
from tasks.stats.records import Floats, Scaling

# Why a group has no estimate on the link scale: nothing was counted in it; its events are none, or all of its trials;
# it has fewer cells than coefficients; its predictors do not vary enough; a coefficient of it has no finite estimate.
RateGap = Literal["", "no rows", "no events", "all events", "few rows", "no spread", "separated", "not converged"]


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
    """Maximum likelihood for all groups at once; which of them are separated is proved, not guessed."""
    x, p = centre_scaled(cells, scaling), len(cells.terms)
    n_cells = np.bincount(cells.group_index, minlength=cells.n_groups)
    gap = _extreme(cells.family, cells.of_groups(cells.events), cells.of_groups(cells.size))
    gap[(gap == "") & (n_cells < p)] = "few rows"
    moments = moments_by_group(x, np.ones(len(x)), cells.group_index, cells.n_groups)
    gap[(gap == "") & ~has_full_rank(moments)] = "no spread"
    coef, cov = np.full((cells.n_groups, p), np.nan), np.full((cells.n_groups, p, p), np.nan)
    able = np.flatnonzero(gap == "")
    if able.size:
        every = Regressions(cells.family, x, cells.events, cells.size, cells.group_index, cells.n_groups)
        part = every.only(able)
        found, settled = maximum_likelihood(part)
        gap[able] = _unproved(part, found, settled)
        fits = gap[able] == ""
        coef[able[fits]], cov[able[fits]] = found[fits], np.linalg.inv(part.information(found)[fits])
    se = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    return OwnFits(coef, se, coef - Z_95 * se, coef + Z_95 * se, tuple(gap))


def _extreme(family: Family, events: Floats, size: Floats) -> np.ndarray:
    """(J,) the gaps that events and sizes alone tell."""
    every = (events == size) & (family == "binomial")
    return np.select([size == 0, events == 0, every], ["no rows", "no events", "all events"], "").astype(object)


def _unproved(part: Regressions, coef: Floats, settled: np.ndarray) -> np.ndarray:
    """(J,) gaps: empty where a fit is proved to be the maximum, by its residuals or by a linear program."""
    sides = sides_of(part.family, part.events, part.size)
    proved = settled & is_finite_by_score(part.x, sides, part.residual(coef), part.group, part.n_groups)
    gap = np.where(settled, "", "not converged").astype(object)
    open_ = np.flatnonzero(~proved)
    if open_.size:
        rest = part.only(open_)
        separated = separated_groups(rest.x, sides_of(rest.family, rest.events, rest.size), rest.group, open_.size)
        gap[open_[separated]] = "separated"
    return gap
