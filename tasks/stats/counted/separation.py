"""Separation: data in which some coefficient of a logistic or Poisson regression has no finite estimate.

A direction b separates if the likelihood never falls along it. For a probability: x'b <= 0 where there are no events,
x'b >= 0 where there is nothing else, x'b = 0 where there are both, and not 0 everywhere (Albert & Anderson 1984,
*Biometrika* 71). For a rate: x'b <= 0 where the count is 0, and x'b = 0 elsewhere (Correia, Guimarães & Zylkin 2019,
arXiv:1903.01633). A linear program finds such a direction, or proves that there is none (Konis 2007, *Linear
programming algorithms for detecting separated data in binary logistic regression models*, Oxford). A fit can prove it
too, at a fraction of the cost: `is_finite_by_score`. Designs have full rank, in units in which a coefficient of 1 is
ordinary.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from tasks.stats.counted.predictors import moments_by_group, sums_by_group
from tasks.stats.fits.cells import Family
from tasks.stats.fits.pooling import has_full_rank
from tasks.stats.records import Floats, Integers

# Of a direction within a box of 1: what is 0 but for the program's rounding.
ZERO = 1e-6
# Of a sum of residuals, by the sum of their sizes: many times what arithmetic makes of it.
ROUNDING = 1e-13


def sides_of(family: Family, events: Floats, size: Floats) -> Integers:
    """(C,) -1: no events, 1: nothing else, 0: both, or a count above 0."""
    none = events == 0
    every = (events == size) if family == "binomial" else np.zeros(events.shape, dtype=bool)
    return every.astype(np.int64) - none


def is_finite_by_score(x: Floats, sides: Integers, residual: Floats, group: Integers, n_groups: int) -> np.ndarray:
    """(J,) whether residuals (C,) of a fit per group, events less expected, prove that nothing separates its cells.

    False proves nothing.

    Of a direction b that separates, no x'b times the residual is negative, and some are positive. That contradicts
    residuals with X'residual = 0, of the sign of `sides` where there is one: the equations of a maximum (Stiemke 1915).
    They hold but for rounding, so residuals are moved the least that makes them hold exactly, and must keep their sign
    by a margin.
    """
    moments = moments_by_group(x, np.ones(len(x)), group, n_groups)
    score = sums_by_group(x * residual[:, None], group, n_groups)
    moved = np.einsum("ck,ck->c", x, np.linalg.solve(moments, score[..., None])[group, :, 0])
    total = sums_by_group(np.abs(residual)[:, None], group, n_groups)[group, 0]
    fails = (sides != 0) & ~(residual * sides > 2.0 * np.abs(moved) + ROUNDING * total)
    return np.bincount(group[fails], minlength=n_groups) == 0


def separated_groups(x: Floats, sides: Integers, group: Integers, n_groups: int) -> np.ndarray:
    """(J,) whether a regression of each group's own cells is separated; x (C, p), `sides` and `group` (C,).

    The groups share one linear program, which falls apart into theirs.
    """
    p = x.shape[1]
    columns = group[:, None] * p + np.arange(p)
    rows = np.repeat(np.arange(len(x)), p)
    matrix = sparse.csr_matrix((x.ravel(), (rows, columns.ravel())), shape=(len(x), n_groups * p))
    direction = _farthest(matrix, sides, np.asarray(sides @ matrix))
    return np.asarray(np.abs(direction.reshape(n_groups, p)).max(axis=1) > ZERO)


def separated_terms(x: Floats, sides: Integers) -> tuple[int, ...]:
    """Positions of the terms without a finite estimate, of one regression on all cells."""
    p = x.shape[1]
    mixed = x[sides == 0]
    if len(mixed) >= p and has_full_rank((mixed.T @ mixed)[None])[0]:
        return ()
    if not separated_groups(x, sides, np.zeros(len(x), dtype=np.int64), 1)[0]:
        return ()
    matrix = sparse.csr_matrix(x)
    aims = [sign * np.eye(p)[k] for k in range(p) for sign in (1.0, -1.0)]
    found = np.array([np.abs(_farthest(matrix, sides, aim)) > ZERO for aim in aims])
    return tuple(int(k) for k in np.flatnonzero(found.any(axis=0)))


def _farthest(matrix: sparse.csr_matrix, sides: Integers, aim: Floats) -> Floats:
    """The separating direction, within a box of 1, that goes farthest along `aim`; 0 if none does.

    Directions form a cone: the farthest one touches the box, or is 0.
    """
    one_sided, both = sides != 0, sides == 0
    bound = sparse.diags(-sides[one_sided].astype(float)) @ matrix[one_sided]
    found = linprog(
        -aim,
        A_ub=bound if one_sided.any() else None,
        b_ub=np.zeros(one_sided.sum()) if one_sided.any() else None,
        A_eq=matrix[both] if both.any() else None,
        b_eq=np.zeros(both.sum()) if both.any() else None,
        bounds=(-1.0, 1.0),
        method="highs",
    )
    return np.asarray(found.x if found.x is not None else np.zeros(matrix.shape[1]))
