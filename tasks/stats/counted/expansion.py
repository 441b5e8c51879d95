"""The likelihood without its cells, where each group's outcomes tell its level on the link's scale well.

Over the posterior such a level, and what the slopes contribute, then move by a few tenths at most, and the cumulant of
every cell is its Taylor series about one place: with d what new slopes add to a cell and t what is added to its group's
level, sum_k t^k / k! (A(k) + A(k+1) d + A(k+2) d^2 / 2). Summed over a group's cells, that is a polynomial in t whose
coefficients are quadratic in the slopes. What the slopes alone add is the same for all groups together, up to d^4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import factorial

import numpy as np

from tasks.stats.counted.design import Design, parts
from tasks.stats.counted.marginal_likelihood import CELLS_AT_ONCE
from tasks.stats.counted.outcomes import cumulant_and_rate, derivatives
from tasks.stats.counted.quadrature import Rule
from tasks.stats.records import Floats

DEGREE = 5  # of t
SQUARED_UP_TO = 2  # the degree of t up to which the slopes' squares count: above, they are too small
VALUES_AT_ONCE = 40_000  # draws times groups
NEWTON_STEPS = 4  # from the mode of the quadratic part: the rest is small


@dataclass(frozen=True)
class Expansion:
    """About slopes (k) and levels (J), intercept and effect together; `_features` has the order of the f features."""

    slopes: Floats  # (k,)
    level: Floats  # (J,)
    value: float  # log likelihood there, without `Cells.constant`
    events: Floats  # (J,)
    pooled: tuple[Floats, Floats, Floats, Floats]  # (k,), (s,), (k, s), (s, s): of slopes and their s products
    powers: tuple[Floats, ...]  # of t's powers 1 … DEGREE: (J, f), or fewer of the features


@dataclass(frozen=True)
class Polynomials:
    """Of several draws, h(t) = sum of coefficients times powers of t: log densities of the groups' levels."""

    coefficients: tuple[Floats, ...]  # of powers 0 … DEGREE: (s, J)
    mode: Floats  # (s, J)
    sd: Floats  # (s, J) from the curvature there

    def at(self, t: Floats) -> Floats:
        """(s, J) h"""
        *lower, value = self.coefficients
        for each in reversed(lower):
            value = value * t + each
        return value


def expansion_of(design: Design, beta: Floats, effect: Floats) -> Expansion:
    """About coefficients (p,), the intercept's first, and effects (J,) of the groups that have cells."""
    k, slopes, level = beta.size - 1, beta[1:], beta[0] + effect
    s = k * (k + 1) // 2
    value, one, three, four = 0.0, np.zeros(k), np.zeros((k, s)), np.zeros((s, s))
    sums = np.empty((design.n_groups, DEGREE + 1, 1 + k + s))
    for groups, piece in parts(design, CELLS_AT_ONCE):
        x = piece.basis[:, 1:]
        eta = x @ slopes + piece.spread(level[groups])
        cumulant, rate = cumulant_and_rate(piece.family, eta)
        orders = piece.size * derivatives(piece.family, rate, DEGREE + 1)
        features = _features(x)
        value += float((piece.events * eta - piece.size * cumulant).sum())
        one -= piece.events @ x
        three += (orders[2][:, None] * x).T @ features[:, 1 + k :]
        four += (orders[3][:, None] * features[:, 1 + k :]).T @ features[:, 1 + k :]
        for j, (first, end) in enumerate(pairwise(np.append(piece.first, eta.size)), groups.start):
            sums[j] = orders[:, first:end] @ features[first:end]
    pooled = one + sums[:, 0, 1 : 1 + k].sum(axis=0), sums[:, 1, 1 + k :].sum(axis=0), three, four
    return Expansion(slopes, level, value, design.sums(design.events), pooled, _powers(sums, k))


def _features(x: Floats) -> Floats:
    """(C, 1 + k + k (k + 1) / 2) of x (C, k): 1, x, and products of which (x d)^2 / 2 is made with those of d."""
    rows, columns = np.tril_indices(x.shape[1])
    products = x[:, rows] * x[:, columns]
    products[:, rows == columns] *= 0.5
    return np.hstack([np.ones((len(x), 1)), x, products])


def _powers(sums: Floats, k: int) -> tuple[Floats, ...]:
    """From sums (J, DEGREE + 1, f) of the cumulants' derivatives times features."""
    found = []
    for power in range(1, DEGREE + 1):
        kinds = [sums[:, power - 1, :1]]
        if power < DEGREE:
            kinds.append(sums[:, power, 1 : 1 + k])
        if power <= SQUARED_UP_TO:
            kinds.append(sums[:, power + 1, 1 + k :])
        found.append(np.hstack(kinds) / factorial(power))
    return tuple(found)


def log_likelihood(found: Expansion, rule: Rule, beta: Floats, sd: Floats) -> Floats:
    """(S,) the groups' levels integrated out by the rule; coefficients (S, p), group SDs (S,)."""
    total = _of_slopes(found, beta[:, 1:] - found.slopes)
    for draws, of_groups in polynomials(found, beta, sd):
        top = of_groups.at(of_groups.mode)
        integral = np.zeros_like(top)
        for (node,), log_weight in zip(rule.nodes, rule.log_weights, strict=True):
            integral += np.exp(of_groups.at(of_groups.mode + node * of_groups.sd) - top + log_weight)
        total[draws] += (top + np.log(integral * of_groups.sd / sd[draws, None])).sum(axis=1)
    return total


def polynomials(found: Expansion, beta: Floats, sd: Floats) -> Iterator[tuple[slice, Polynomials]]:
    """Of some draws at a time, the log densities of t given the parameters, of which `_of_slopes` is left out."""
    step = max(1, VALUES_AT_ONCE // found.level.size)
    for start in range(0, len(beta), step):
        draws = slice(start, start + step)
        yield draws, _polynomials(found, beta[draws], sd[draws, None])


def _polynomials(found: Expansion, beta: Floats, sd: Floats) -> Polynomials:
    d = beta[:, 1:] - found.slopes
    rows, columns = np.tril_indices(d.shape[1])
    features = np.hstack([np.ones((len(d), 1)), d, d[:, rows] * d[:, columns]])
    effect = found.level - beta[:, :1]
    one, two, *others = (-(features[:, : each.shape[1]] @ each.T) for each in found.powers)
    one += found.events - effect / sd**2
    two -= 0.5 / sd**2
    none = -0.5 * (effect / sd) ** 2
    mode = -0.5 * one / two
    for _ in range(NEWTON_STEPS):
        slope, bend = _derivatives((none, one, two, *others), mode)
        mode = mode - slope / bend
    return Polynomials((none, one, two, *others), mode, (-_derivatives((none, one, two, *others), mode)[1]) ** -0.5)


def _derivatives(coefficients: tuple[Floats, ...], t: Floats) -> tuple[Floats, Floats]:
    """(s, J) first, and second that is at most the quadratic part's: far out, a polynomial may bend up."""
    slope, bend = np.zeros_like(t), np.zeros_like(t)
    for power in range(len(coefficients) - 1, 0, -1):
        slope = slope * t + power * coefficients[power]
        if power > 1:
            bend = bend * t + power * (power - 1) * coefficients[power]
    return slope, np.minimum(bend, coefficients[2])


def _of_slopes(found: Expansion, d: Floats) -> Floats:
    """(S,) what does not depend on the groups' levels, of slopes (S, k) about those of the expansion."""
    one, two, three, four = found.pooled
    rows, columns = np.tril_indices(d.shape[1])
    products = d[:, rows] * d[:, columns]
    third, fourth = ((products @ three.T) * d).sum(axis=1), ((products @ four) * products).sum(axis=1)
    return np.asarray(found.value - d @ one - products @ two - third / 3.0 - fourth / 6.0)
