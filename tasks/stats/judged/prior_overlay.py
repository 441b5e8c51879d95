"""Each parameter's prior beside its posterior, as densities: they show how much the data have added."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, ndtri

from tasks.stats.bayes.priors import ResolvedPriors
from tasks.stats.judged.prior_sensitivity import Kind
from tasks.stats.records import Floats, PosteriorDraws, Scaling

POINTS = 121
DRAWS_LIMIT = 4000
SHOWN = 0.95  # of the prior's probability: its central part, or all below its 95 % quantile


@dataclass(frozen=True)
class Overlay:
    """Densities over their own grids, in raw units: slopes per unit of the predictor."""

    kind: Kind
    terms: tuple[str, ...]
    prior_at: Floats  # (POINTS,)
    prior_density: Floats  # (POINTS,)
    posterior_at: Floats  # (points,)
    posterior_density: Floats  # (points,)


def prior_overlays(
    draws: PosteriorDraws, priors: ResolvedPriors, terms: tuple[str, ...], varying: tuple[int, ...], scaling: Scaling
) -> Iterator[Overlay]:
    """One overlay per parameter: spreads first, then averages, the residual SD and correlations."""
    raw = np.concatenate(([1.0], scaling.scale))  # a raw coefficient is the fit's, divided by this
    for k, column in enumerate(varying):
        sd = float(priors.sigma_group_sd[k] / raw[column])
        at = np.linspace(0.0, sd * ndtri((1 + SHOWN) / 2), POINTS)
        yield _overlay("sigma_group", (terms[column],), _half_normal(sd), at, draws.sigma_group[..., k] / raw[column])
    for k, term in enumerate(terms):
        mean, sd = float(priors.beta_mean[k] / raw[k]), float(priors.beta_sd[k] / raw[k])
        at = mean + sd * ndtri((1 + SHOWN) / 2) * np.linspace(-1.0, 1.0, POINTS)
        yield _overlay("fixef", (term,), _normal(mean, sd), at, draws.beta[..., k] / raw[k])
    at = np.linspace(0.0, -np.log(1 - SHOWN) * priors.sigma_mean, POINTS)
    yield _overlay("sigma", (), _exponential(priors.sigma_mean), at, draws.sigma)
    q = len(varying)
    for k in range(q):
        for m in range(k):
            names = (terms[varying[m]], terms[varying[k]])
            at = np.linspace(-0.999, 0.999, POINTS)
            yield _overlay("correlation", names, _correlation(priors.lkj, q), at, draws.correlation[..., k, m])


def _overlay(
    kind: Kind, terms: tuple[str, ...], prior: Callable[[Floats], Floats], at: Floats, values: Floats
) -> Overlay:
    """The two densities. The prior's grid `at` is widened to hold the posterior."""
    from arviz_stats.base import array_stats

    flat = values.ravel()
    grid, density, _ = array_stats.kde(flat[:: -(-flat.size // DRAWS_LIMIT)], grid_len=2 * POINTS)
    low, high = min(at[0], float(flat.min())), max(at[-1], float(flat.max()))
    wide = np.linspace(low, high, POINTS)
    return Overlay(kind, terms, wide, prior(wide), grid[::2], density[::2])


def _normal(mean: float, sd: float) -> Callable[[Floats], Floats]:
    return lambda x: np.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * np.sqrt(2.0 * np.pi))


def _half_normal(sd: float) -> Callable[[Floats], Floats]:
    return lambda x: 2.0 * _normal(0.0, sd)(x)


def _exponential(mean: float) -> Callable[[Floats], Floats]:
    return lambda x: np.exp(-x / mean) / mean


def _correlation(eta: float, q: int) -> Callable[[Floats], Floats]:
    """Density of one correlation r under LKJ(eta): (r + 1) / 2 is beta(b, b), b = eta - 1 + q / 2.

    Lewandowski et al. (2009).
    """
    b = eta - 1.0 + q / 2.0
    return lambda r: ((1.0 - r**2) / 4.0) ** (b - 1.0) / np.exp(betaln(b, b)) / 2.0
