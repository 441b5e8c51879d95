"""Logistic or Poisson regressions of many groups at once, by Newton's method.

It is damped: a step never moves a cell far beyond where the farthest one is, and is halved while it lowers the
likelihood, which is concave. So it gets to the maximum wherever there is one, where undamped reweighting may not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.links import link_of, log_likelihood_of, mean_of, variance_of
from tasks.stats.counted.predictors import moments_by_group, sums_by_group
from tasks.stats.fits.cells import Family
from tasks.stats.records import Floats, Integers

MOST_ITERATIONS = 60
MOST_HALVINGS = 30
LONGEST_STEP = 8.0  # on the link scale, or the farthest cell's distance from 0 if that is more
# Newton decrements: distances from the maximum in standard errors. Below the first the likelihood is as good as
# quadratic, and rounding hides whether a step raises it; below the second nothing is left to do.
CLOSE, SETTLED = 1e-2, 1e-8
# Share of its own diagonal that is added to an information matrix: a group that separates makes it singular on its way.
RIDGE = 1e-13


@dataclass(frozen=True)
class Regressions:
    """Cells of J groups, each with some events, of which a binomial group has not all; designs of full rank."""

    family: Family
    x: Floats  # (C, p) the intercept's ones first
    events: Floats  # (C,)
    size: Floats  # (C,)
    group: Integers  # (C,)
    n_groups: int

    def only(self, groups: Integers) -> Regressions:
        """Those of some groups, numbered anew in the given order."""
        place = np.full(self.n_groups, -1)
        place[groups] = np.arange(groups.size)
        at = np.flatnonzero(place[self.group] >= 0)
        return Regressions(self.family, self.x[at], self.events[at], self.size[at], place[self.group[at]], groups.size)

    def eta(self, coef: Floats) -> Floats:
        """(C,) of coefficients (J, p)."""
        return np.einsum("ck,ck->c", self.x, coef[self.group])

    def residual(self, coef: Floats) -> Floats:
        """(C,) events less expected ones."""
        return self.events - self.size * mean_of(self.family, self.eta(coef))

    def score(self, coef: Floats) -> Floats:
        """(J, p)"""
        return sums_by_group(self.x * self.residual(coef)[:, None], self.group, self.n_groups)

    def information(self, coef: Floats) -> Floats:
        """(J, p, p), never singular."""
        weight = self.size * variance_of(self.family, mean_of(self.family, self.eta(coef)))
        found = moments_by_group(self.x, weight, self.group, self.n_groups)
        diagonal = np.einsum("jkk->jk", found)
        diagonal += RIDGE * diagonal + np.finfo(float).tiny
        return found

    def log_likelihood(self, coef: Floats) -> Floats:
        """(J,) without the constant."""
        return self.of_groups(log_likelihood_of(self.family, self.events, self.size, self.eta(coef)))

    def of_groups(self, values: Floats) -> Floats:
        """(J,) sums over each group's cells."""
        return np.asarray(np.bincount(self.group, weights=values, minlength=self.n_groups), dtype=float)


def maximum_likelihood(regressions: Regressions) -> tuple[Floats, np.ndarray]:
    """(J, p) estimates, and (J,) whether the search settled. Where data separate it may settle far out."""
    rates = regressions.of_groups(regressions.events) / regressions.of_groups(regressions.size)
    coef = np.zeros((regressions.n_groups, regressions.x.shape[1]))
    coef[:, 0] = link_of(regressions.family, rates)
    settled = np.zeros(regressions.n_groups, dtype=bool)
    for _ in range(MOST_ITERATIONS):
        left = np.flatnonzero(~settled)
        if not left.size:
            break
        rest = regressions.only(left)
        step, decrement = _newton_step(rest, coef[left])
        coef[left] += _climbing(rest, coef[left], _shortened(rest, coef[left], step), decrement >= CLOSE)
        settled[left] = decrement < SETTLED
    return coef, settled


def _newton_step(part: Regressions, coef: Floats) -> tuple[Floats, Floats]:
    """(J, p) steps and (J,) their lengths in standard errors."""
    score = part.score(coef)
    step = np.asarray(np.linalg.solve(part.information(coef), score[..., None])[..., 0], dtype=float)
    return step, np.asarray(np.sqrt(np.maximum((step * score).sum(axis=1), 0.0)), dtype=float)


def _shortened(part: Regressions, coef: Floats, step: Floats) -> Floats:
    length, allowed = np.zeros(part.n_groups), np.full(part.n_groups, LONGEST_STEP)
    np.maximum.at(length, part.group, np.abs(part.eta(step)))
    np.maximum.at(allowed, part.group, np.abs(part.eta(coef)))
    return np.asarray(step * (allowed / np.maximum(length, allowed))[:, None])


def _climbing(part: Regressions, coef: Floats, step: Floats, far: np.ndarray) -> Floats:
    """The step, halved for the groups that are `far` (J,) and whose likelihood it would lower; 0 if that is in vain."""
    start = part.log_likelihood(coef)
    for _ in range(MOST_HALVINGS):
        falls = far & ~(part.log_likelihood(coef + step) >= start)
        if not falls.any():
            return step
        step = np.where(falls[:, None], step / 2.0, step)
    return np.where(falls[:, None], 0.0, step)
