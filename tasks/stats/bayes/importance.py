"""Pareto-smoothed importance sampling: from the posterior of all rows to that of some of them.

Vehtari, Simpson, Gelman, Yao & Gabry (2024), JMLR 25(72). ArviZ computes it one target at a time; here all targets
are smoothed at once, which gives the same numbers many times as fast. The tail's generalised Pareto distribution is
fitted as Zhang & Stephens (2009), Technometrics 51(3), with the paper's weakly informative prior of k.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from tasks.stats.records import Floats

BLOCK_VALUES = 400_000  # targets times draws at once
FEWEST_IN_TAIL = 5
PRIOR_SIZE, PRIOR_K = 10.0, 0.5  # the prior of k counts as ten draws at 0.5


def importance_weights(log_ratio: Floats) -> tuple[Floats, Floats]:
    """Smoothed and normalised log weights (n, S), and Pareto k (n,).

    `log_ratio` (S, n) is the log of target / posterior.
    """
    n_draws, n = log_ratio.shape
    log_weights, pareto_k = np.empty((n, n_draws)), np.empty(n)
    step = max(1, BLOCK_VALUES // n_draws)
    for start in range(0, n, step):
        block = slice(start, start + step)
        log_weights[block], pareto_k[block] = _smoothed(log_ratio[:, block].T)
    return log_weights, pareto_k


def highest_good_k(n_draws: int, of_the_study: float | None) -> float:
    """The Pareto k above which scores may be far off: the study's own, else min(1 - 1 / log10 S, 0.7)."""
    return float(of_the_study or min(1.0 - 1.0 / np.log10(n_draws), 0.7))


def _smoothed(log_ratio: Floats) -> tuple[Floats, Floats]:
    """Log weights (n, S) of sum 1 and Pareto k (n,); `log_ratio` is (n, S)."""
    n_draws = log_ratio.shape[1]
    tail = int(min(0.2 * n_draws, 3.0 * n_draws**0.5))
    log_weights = log_ratio - log_ratio.max(axis=1, keepdims=True)
    largest = np.argpartition(log_weights, n_draws - tail - 1, axis=1)[:, n_draws - tail - 1 :]
    values = np.take_along_axis(log_weights, largest, axis=1)
    order = np.argsort(values, axis=1, kind="stable")
    largest, values = np.take_along_axis(largest, order, axis=1), np.take_along_axis(values, order, axis=1)
    distinct = (values[:, 1] > values[:, 0]) & np.isfinite(values).all(axis=1)
    pareto_k = np.full(len(log_weights), np.inf)
    if tail >= FEWEST_IN_TAIL and distinct.any():
        cut = np.exp(np.maximum(values[distinct, :1], np.log(np.finfo(float).tiny)))
        k, scale = pareto_fit(np.exp(values[distinct, 1:]) - cut)
        smooth = np.log(_expected_order(k, scale, tail) + cut)
        changed = log_weights[distinct]
        np.put_along_axis(changed, largest[distinct, 1:], np.minimum(smooth, 0.0), axis=1)
        log_weights[distinct], pareto_k[distinct] = changed, k
    for i in np.flatnonzero(~distinct):  # a tail with ties at its cut: ArviZ takes fewer draws
        log_weights[i], pareto_k[i] = _one_by_arviz(log_ratio[i])
    return log_weights - logsumexp(log_weights, axis=1, keepdims=True), pareto_k


def _one_by_arviz(log_ratio: Floats) -> tuple[Floats, float]:
    from arviz_stats.base import array_stats

    log_weights, pareto_k = array_stats.psislw(-log_ratio, axis=0)
    return np.asarray(log_weights), float(pareto_k)


def pareto_fit(exceedances: Floats) -> tuple[Floats, Floats]:
    """k and scale (n,) of generalised Pareto distributions of ascending `exceedances` (n, M)."""
    m = exceedances.shape[1]
    n_grid = 30 + int(m**0.5)
    grid = 1.0 - np.sqrt(n_grid / (np.arange(1, n_grid + 1) - 0.5))
    quartile = exceedances[:, int(m / 4 + 0.5) - 1]
    b = grid / (3.0 * quartile[:, None]) + 1.0 / exceedances[:, -1:]
    k = np.stack([np.log1p(-b[:, i : i + 1] * exceedances).mean(axis=1) for i in range(n_grid)], axis=1)
    log_lik = m * (np.log(-b / k) - k - 1.0)
    weights = np.exp(log_lik - logsumexp(log_lik, axis=1, keepdims=True))
    weights = np.where(weights >= 10.0 * np.finfo(float).eps, weights, 0.0)
    best = (b * weights).sum(axis=1) / weights.sum(axis=1)
    raw = np.log1p(-best[:, None] * exceedances).mean(axis=1)
    return (m * raw + PRIOR_SIZE * PRIOR_K) / (m + PRIOR_SIZE), -raw / best


def _expected_order(k: Floats, scale: Floats, m: int) -> Floats:
    """(n, M) quantiles of the distributions at (i - 1/2) / M."""
    log_survival = np.log1p(-(np.arange(0.5, m) / m))
    with np.errstate(divide="ignore", invalid="ignore"):
        quantiles = np.expm1(-k[:, None] * log_survival) / k[:, None]
    return scale[:, None] * np.where(np.abs(k[:, None]) < 1e-12, -log_survival, quantiles)
