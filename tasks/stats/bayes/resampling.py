"""The marginal posterior by importance resampling, where groups are so many that it is nearly normal.

Proposals come from a multivariate t with 5 degrees of freedom at the mode of the unconstrained posterior; their
importance weights are Pareto-smoothed (Vehtari, Simpson, Gelman, Yao & Gabry 2024, JMLR 25(72)), and as many draws as
are wanted are taken in proportion to them. Pareto k says whether the proposal was good enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tasks.stats.bayes.importance import importance_weights
from tasks.stats.records import Floats

FREEDOM = 5.0
HIGHEST_K = 0.7  # above, weights are too uneven for their draws to be used
PROPOSALS_PER_DRAW = 4
FEWEST_GROUPS = 2000  # below, a Stan engine is quick, and the posterior may be far from normal
MOST_STEPS = 50
STEP = 0.1  # of the numeric derivatives, in posterior SDs
NEAR = 0.01  # the mode is found when Newton's step is this short, in posterior SDs

LogDensity = Callable[[Floats], Floats]


class Constrained(Protocol):
    """Draws in the reader's parameters."""

    @property
    def quantities(self) -> Floats:
        """(S, d) what draws are judged by."""


class Unconstrained(Protocol):
    """A posterior in d parameters without constraints, whose mode lies near 0."""

    @property
    def guessed_scale(self) -> Floats:
        """(d,) about the SD of each parameter."""

    def constrained(self, free: Floats) -> Constrained:
        """Of parameters (S, d)."""

    def log_density(self, free: Floats) -> Floats:
        """(S,) up to a constant, of parameters (S, d)."""


@dataclass(frozen=True)
class Normal:
    """The normal approximation at the mode: covariance root @ root'."""

    mode: Floats  # (d,)
    root: Floats  # (d, d)


@dataclass(frozen=True)
class Resampled:
    free: Floats  # (S, d) draws, in random order
    pareto_k: float
    n_proposed: int
    ess_bulk: Floats  # (d,) what the draws are worth for the mean of each quantity of `Constrained`
    ess_tail: Floats  # (d,) and for its 2.5 and 97.5 % quantiles, the smaller


def resample(posterior: Unconstrained, n_draws: int, seed: int, progress: Callable[[float], None]) -> Resampled:
    """`n_draws` draws. Raises numpy.linalg.LinAlgError if no mode is found."""
    at = normal_at_mode(posterior.log_density, np.zeros(posterior.guessed_scale.size), posterior.guessed_scale)
    return resample_about(at, posterior, n_draws, PROPOSALS_PER_DRAW * n_draws, seed, progress)


def resample_about(
    at: Normal, posterior: Unconstrained, n_draws: int, n_proposed: int, seed: int, progress: Callable[[float], None]
) -> Resampled:
    """`n_draws` draws from `n_proposed` proposals about the mode: more draws than proposals repeat some of these."""
    rng = np.random.default_rng(seed)
    z, log_t = _proposed(n_proposed, at.mode.size, rng)
    free = at.mode + z @ at.root.T
    parts = np.array_split(free, 20)
    log_density = np.empty(0)
    for k, part in enumerate(parts, 1):
        log_density = np.append(log_density, posterior.log_density(part))
        progress(k / len(parts))
    log_weights, pareto_k = importance_weights((log_density - log_t)[:, None])
    weights = np.exp(log_weights[0])
    bulk, tail = _effective(weights, posterior.constrained(free).quantities, n_draws)
    return Resampled(free[_taken(weights, n_draws, rng)], float(pareto_k[0]), len(free), bulk, tail)


def normal_at_mode(log_density: LogDensity, start: Floats, scale: Floats, n_settled: int = 0) -> Normal:
    """Newton's method with numeric derivatives, in coordinates in which the last Hessian was -I.

    `start` and `scale` are (d,). Of the first `n_settled` coordinates the Hessian is taken for diagonal in these units,
    which then stay: a third or a fifth of the evaluations, where each is dear. Raises numpy.linalg.LinAlgError if the
    density has no maximum near.
    """
    at, root = start, np.diag(scale)
    for _ in range(MOST_STEPS):
        gradient, hessian = _derivatives(log_density, at, root, n_settled)
        values, vectors = np.linalg.eigh(-hessian)
        if not np.isfinite(values).all():
            break
        bent = np.maximum(np.abs(values), 1e-3)
        step, found = vectors @ ((vectors.T @ gradient) / bent), root @ vectors / np.sqrt(bent)
        if np.linalg.norm(step) < NEAR and values[0] > 0.1:
            return Normal(at + root @ step, found)
        at, root = _best_along(log_density, at, root @ step), root if n_settled else found
    raise np.linalg.LinAlgError("no mode of the posterior was found")


def _best_along(log_density: LogDensity, at: Floats, step: Floats) -> Floats:
    shares = np.append(0.5 ** np.arange(12), 0.0)
    tried = at + shares[:, None] * step
    return tried[np.nanargmax(log_density(tried))]


def _derivatives(log_density: LogDensity, at: Floats, root: Floats, n_settled: int) -> tuple[Floats, Floats]:
    """Gradient (d,) and Hessian (d, d) by central differences, in units of the columns of `root`."""
    d = at.size
    rows, columns = np.tril_indices(d, -1)
    rows, columns = rows[rows >= n_settled], columns[rows >= n_settled]
    unit = np.eye(d)
    pairs = unit[rows] + unit[columns]
    moves = STEP * np.vstack([np.zeros((1, d)), unit, -unit, pairs, -pairs])
    f = log_density(at + moves @ root.T)
    middle, up, down = f[0], f[1 : d + 1], f[d + 1 : 2 * d + 1]
    both = f[2 * d + 1 :].reshape(2, -1).sum(axis=0)
    single = up + down
    hessian = np.diag((single - 2.0 * middle) / STEP**2)
    mixed = (both - single[rows] - single[columns] + 2.0 * middle) / (2.0 * STEP**2)
    hessian[rows, columns] = hessian[columns, rows] = mixed
    return (up - down) / (2.0 * STEP), hessian


def _proposed(n: int, d: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """(n, d) draws of the standard multivariate t, and their log densities (n,) up to a constant."""
    z = rng.standard_normal((n, d)) / np.sqrt(rng.chisquare(FREEDOM, n) / FREEDOM)[:, None]
    return z, -0.5 * (FREEDOM + d) * np.log1p((z**2).sum(axis=1) / FREEDOM)


def _taken(weights: Floats, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) positions in proportion to the weights, by systematic resampling, in random order."""
    places = (rng.random() + np.arange(n)) / n
    cumulated = np.cumsum(weights)
    return rng.permutation(np.minimum(np.searchsorted(cumulated / cumulated[-1], places), len(weights) - 1))


def _effective(weights: Floats, values: Floats, n_draws: int) -> tuple[Floats, Floats]:
    """How many independent draws have the error that these weighted ones have, after `n_draws` are taken of them."""
    order = np.argsort(values, axis=0)
    share = np.cumsum(weights[order], axis=0)
    columns = np.arange(values.shape[1])
    ends = [values[order[(share < p).sum(axis=0), columns], columns] for p in (0.025, 0.975)]
    tails = [_worth(weights, (values <= end).astype(float)) for end in ends]
    worth = _worth(weights, values), np.minimum(*tails)
    bulk, tail = (1.0 / (1.0 / each + 1.0 / n_draws) for each in worth)
    return bulk, tail


def _worth(weights: Floats, values: Floats) -> Floats:
    square = (values - weights @ values) ** 2
    return (weights @ square) / (weights**2 @ square)
