"""What a search for the maximum asks of the likelihood: values, scores and curvature, each computed once.

Parameters are the m fixed effects on the design's basis, then theta, the lower factor of the group effects' covariance,
column by column. The likelihood is an even function of each column of the factor: a search needs no bounds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from tasks.stats.counted.design import Design, parts
from tasks.stats.counted.marginal_likelihood import CELLS_AT_ONCE, covariance_score_of, evaluate
from tasks.stats.counted.observed_information import observed_information
from tasks.stats.counted.quadrature import Rule, rule
from tasks.stats.fits.batched_bfgs import minimise
from tasks.stats.fits.reml import relative_factor
from tasks.stats.fits.small_matrices import lower_triangle, semidefinite_factor
from tasks.stats.records import Floats

FARTHEST = 100.0  # on the link scale, per SD of a predictor: the search ends there if the likelihood rises for ever
DIFFERENCE = 1e-4  # of parameters, for second derivatives, relative to max(1, |parameter|)
FEW_CELLS = 20_000  # up to these, differences of scores are quick
DESCENT_TOLERANCE = 1e-7  # expected gain in the log likelihood at which a descent ends: Newton's steps do the rest


@dataclass(frozen=True)
class Search:
    """A likelihood by one quadrature rule. Modes start where the last parameters had theirs."""

    design: Design
    rule: Rule
    pieces: tuple[tuple[slice, Design], ...]  # with their groups
    modes: Floats  # (q, J), overwritten
    known: dict[bytes, tuple[float, Floats]] = field(default_factory=dict)

    @property
    def m(self) -> int:
        return self.design.m

    @property
    def q(self) -> int:
        return self.design.q

    def factor(self, parameters: Floats) -> Floats:
        """(q, q)"""
        return relative_factor(parameters[self.m :], self.q)

    def at(self, parameters: Floats) -> tuple[float, Floats]:
        """Log likelihood and score."""
        key = parameters.tobytes()
        if key not in self.known:
            self.known[key] = self._computed(parameters)
        return self.known[key]

    def value(self, parameters: Floats) -> float:
        return self.at(parameters)[0]

    def _computed(self, parameters: Floats) -> tuple[float, Floats]:
        value, score = 0.0, np.zeros_like(parameters)
        fixed, factor = parameters[: self.m], self.factor(parameters)
        for groups, piece in self.pieces:
            at = evaluate(piece, self.rule, fixed, factor, self.modes[:, groups])
            value, score = value + at.value, score + at.score
            self.modes[:, groups] = at.modes.u
        return value, score


def search_of(design: Design, points: int, modes: Floats | None = None) -> Search:
    """By `points` per varying effect; by one point for more than two. Modes (q, J) are those of near parameters."""
    of_design = rule(design.q, points)
    pieces = tuple(parts(design, CELLS_AT_ONCE))
    return Search(design, of_design, pieces, np.zeros((design.q, design.n_groups)) if modes is None else modes.copy())


def unsigned(search: Search, parameters: Floats) -> Floats:
    """The same covariance, from a factor with no negative element on the diagonal."""
    rows, columns = lower_triangle(search.q)
    theta = parameters[search.m :]
    return np.append(parameters[: search.m], theta * np.where(theta[rows == columns] < 0, -1.0, 1.0)[columns])


def with_covariance(search: Search, parameters: Floats, covariance: Floats, tolerance: float = 0.0) -> Floats:
    """The parameters with another covariance (q, q) of the group effects; variances up to `tolerance` become 0."""
    factor = semidefinite_factor(covariance, tolerance)
    return np.append(parameters[: search.m], factor[lower_triangle(search.q)])


def free(search: Search, parameters: Floats) -> np.ndarray:
    """Whether a small step may change a parameter: not one in a column of the factor that is wholly 0."""
    _, columns = lower_triangle(search.q)
    theta = parameters[search.m :]
    return np.append(np.ones(search.m, dtype=bool), [np.any(theta[columns == c] != 0.0) for c in columns]).astype(bool)


def information(search: Search, parameters: Floats) -> Floats:
    """Minus the second derivative of the log likelihood in the free parameters.

    Of many cells by Louis's identity, where the rule has several points; else from central differences of scores.
    """
    is_free = free(search, parameters)
    if search.design.events.size > FEW_CELLS and search.rule.n_points > 1:
        return _louis(search, parameters)[np.ix_(is_free, is_free)]
    steps = np.eye(parameters.size)[is_free] * DIFFERENCE * np.maximum(1.0, np.abs(parameters[is_free]))[:, None]
    rows = [(search.at(parameters - s)[1] - search.at(parameters + s)[1])[is_free] / (2.0 * s.sum()) for s in steps]
    return (np.array(rows) + np.array(rows).T) / 2.0


def _louis(search: Search, parameters: Floats) -> Floats:
    fixed, factor = parameters[: search.m], search.factor(parameters)
    each = [
        observed_information(piece, search.rule, fixed, factor, search.modes[:, groups])
        for groups, piece in search.pieces
    ]
    return np.asarray(np.sum(each, axis=0))


def ascend(search: Search, starts: Iterable[Floats]) -> list[Floats]:
    """Where BFGS arrives from each start. Only the highest matters: those without hope of it stop early."""

    def falling(several: Floats, _: np.ndarray) -> tuple[Floats, Floats]:
        found = [search.at(parameters) for parameters in several]
        return np.array([-value for value, _ in found]), np.array([-score for _, score in found])

    reached, _ = minimise(falling, np.array(list(starts)), DESCENT_TOLERANCE, farthest=FARTHEST, is_race=True)
    return [unsigned(search, parameters) for parameters in reached]


def covariance_score(search: Search, parameters: Floats) -> Floats:
    """(q, q) the derivative of the log likelihood in the covariance, also where this is singular."""
    fixed, factor = parameters[: search.m], search.factor(parameters)
    each = [
        covariance_score_of(piece, search.rule, fixed, factor, search.modes[:, groups])
        for groups, piece in search.pieces
    ]
    return np.asarray(np.sum(each, axis=0))
