"""Group effects drawn from their own conditionals, given the parameters.

Given the parameters, groups are independent, and each one's log density is concave. Candidates come from logistic
distributions about the mode, as wide as the curvature there says; a group moves from its first candidate to others by
Metropolis and Hastings' rule (an independence sampler: Tierney 1994, Ann. Stat. 22(4)). Logistic tails are longer than
the conditional's, so that ratios of the densities are bounded, and a few moves leave no trace of the first candidate:
where the conditional is normal, nine candidates in ten are accepted, or eight with two effects.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tasks.stats.counted.design import Design
from tasks.stats.counted.expansion import Polynomials
from tasks.stats.counted.group_modes import Linear, Modes, modes_of
from tasks.stats.counted.outcomes import cumulant_and_rate
from tasks.stats.records import Floats

MOVES = 5
LOGISTIC_SCALE = 0.62  # of a logistic distribution that covers a standard normal one with little waste
GAIN_TOLERANCE = 1e-2  # of the modes, in the log density: candidates need not be about the very mode


def standardised_effects(design: Design, linear: Linear, start: Floats, rng: np.random.Generator) -> Floats:
    """(q, J) draws of u; effects are the covariance's factor @ u. Modes are searched from `start` (q, J)."""
    modes = modes_of(design, linear, start, GAIN_TOLERANCE)
    return _moved(lambda: _candidates(design, linear, modes, rng), rng)


def levels(of_groups: Polynomials, rng: np.random.Generator) -> Floats:
    """(s, J) draws of t, from log densities that are polynomials."""

    def candidates() -> tuple[Floats, Floats]:
        away, log_density = _logistic(of_groups.mode.shape, rng)
        t = of_groups.mode + of_groups.sd * away
        return t, of_groups.at(t) - log_density

    return _moved(candidates, rng)


def _moved(candidates: Callable[[], tuple[Floats, Floats]], rng: np.random.Generator) -> Floats:
    """Where MOVES moves lead from the first of `candidates`: with each comes the log of its density over theirs."""
    u, log_ratio = candidates()
    for _ in range(MOVES):
        other, its_ratio = candidates()
        moves = np.log(rng.random(log_ratio.shape)) < its_ratio - log_ratio
        u, log_ratio = np.where(moves, other, u), np.where(moves, its_ratio, log_ratio)
    return u


def _logistic(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draws, and their log density up to a constant."""
    below = np.clip(rng.random(shape), 1e-300, None)
    log_below, log_above = np.log(below), np.log1p(-below)
    return LOGISTIC_SCALE * (log_below - log_above), log_below + log_above


def _candidates(design: Design, linear: Linear, modes: Modes, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Standardised effects (q, J), and the log of their conditional density over that of the candidates (J,)."""
    away, log_density = _logistic((design.q, design.n_groups), rng)
    moved = modes.root[:, 0, 0] * away if design.q == 1 else np.einsum("jab,bj->aj", modes.root, away)
    u = modes.u + moved
    cumulant, _ = cumulant_and_rate(design.family, linear.eta(design.spread(u)))
    log_joint = linear.log_joint(u, design.sums(design.size * cumulant))
    return u, log_joint - log_density.sum(axis=0)
