"""How well the rows determine each group SD: the REML criterion with that SD held fixed, all else at its best.

For each group SD t of effect k in the outcome's unit, everything else, the residual SD included, is estimated
anew (as lme4's `profile`, Bates et al. 2015, but of the REML criterion). With effect k first, t
is sigma times the first element of the relative factor, and at a residual SD other than the profiled one,
s, the criterion is value + N' [log(sigma^2 / s^2) + s^2 / sigma^2 - 1], N' = rows less fixed effects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tasks.stats.fits.batched_bfgs import minimise
from tasks.stats.fits.batched_reml import Batch, batch_of, blocks, factors, natural_scale, profiles, theta_gradient
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.small_matrices import lower_triangle
from tasks.stats.records import Floats, PartialPooling

# The 95 % point of chi-squared with 1 degree of freedom: a guide, not a test (it does not hold near 0).
REFERENCE = 3.84
SHOWN = 8.0  # deviance up to which the profile is drawn
MOST_POINTS, FEWEST_POINTS = 25, 7
GROUP_POINTS = 150_000  # groups x points of one effect
FIRST_POINTS, CLOSER_POINTS, CLOSER_LOOKS = 12, 4, 2


@dataclass(frozen=True)
class LikelihoodProfile:
    """The profile of one group SD. `lower` and `upper` are where its deviance reaches REFERENCE.

    `lower` is 0 if the profile stays below REFERENCE down to 0; `upper` is NaN if it never reaches REFERENCE above the
    fit.
    """

    term: str
    sd: Floats  # (P,) increasing, in the outcome's unit (slopes: per SD of the predictor)
    deviance: Floats  # (P,) above the fit's
    fitted_sd: float
    deviance_at_zero: float  # deviance above the fit's if the SD is 0
    lower: float
    upper: float


def likelihood_profiles(products: ModelCrossProducts, fit: PartialPooling) -> tuple[LikelihoodProfile, ...]:
    """One profile per varying effect of `fit`, each of O(J) a point."""
    return tuple(_profile_of(products, fit, position) for position in range(len(fit.varying)))


def points_for(n_groups: int) -> int:
    """The number of points: 25; fewer beyond 6,000 groups (15 for 10,000), never fewer than 7."""
    return int(np.clip(GROUP_POINTS // n_groups, FEWEST_POINTS, MOST_POINTS))


def _profile_of(products: ModelCrossProducts, fit: PartialPooling, position: int) -> LikelihoodProfile:
    order = [position, *(k for k in range(len(fit.varying)) if k != position)]
    batch = batch_of(products, tuple(fit.varying[k] for k in order))
    cov, fitted = fit.cov[np.ix_(order, order)], float(fit.sigma_group[position])

    def deviance(sd: Floats) -> Floats:
        return np.maximum(profiled_criterion(batch, sd, cov, fit.sigma) - fit.criterion_value_scaled, 0.0)

    far, at_far = _looked_far(deviance, fitted, fit.sigma * float(natural_scale(batch)[0, 0]))
    low, high = _crossings(far, at_far, fitted, SHOWN)
    shown = np.linspace(low, high if np.isfinite(high) else far[-1], points_for(len(fit.coef)))
    sd = np.unique(np.append(shown, fitted))
    curve = deviance(sd)
    lower, upper = _crossings(sd, curve, fitted, REFERENCE)
    return LikelihoodProfile(products.terms[fit.varying[position]], sd, curve, fitted, float(at_far[0]), lower, upper)


def _looked_far(deviance: Callable[[Floats], Floats], fitted: float, step: float) -> tuple[Floats, Floats]:
    """SDs from 0 to far beyond what is shown, closer together near the edges of what is shown; and their deviances.

    `step` is the SD of an average group's own estimate: the scale on which an SD near 0 shows.
    """
    distances = np.geomspace(step / 1000.0, 64.0 * max(step, fitted), FIRST_POINTS)
    around = np.concatenate([[0.0, fitted], fitted - distances, fitted + distances])
    sd = np.unique(around[around >= 0.0])
    at = deviance(sd)
    for _ in range(CLOSER_LOOKS):
        edges = np.flatnonzero((at[:-1] < SHOWN) != (at[1:] < SHOWN))
        between = [np.linspace(sd[e], sd[e + 1], CLOSER_POINTS + 2)[1:-1] for e in edges]
        closer = np.concatenate([*between, []])
        both, values = np.append(sd, closer), np.append(at, deviance(closer) if closer.size else closer)
        order = np.argsort(both)
        sd, at = both[order], values[order]
    return sd, at


def _crossings(sd: Floats, deviance: Floats, fitted: float, level: float) -> tuple[float, float]:
    """The SDs at which the profile reaches `level`, below and above the fit; 0 and NaN if it does not.

    The signed root of the deviance is interpolated linearly, as it is nearly straight.
    """
    root, at = np.sqrt(deviance), int(np.argmin(np.abs(sd - fitted)))
    below, above = root[: at + 1][::-1], root[at:]
    lower = np.interp(np.sqrt(level), np.maximum.accumulate(below), sd[: at + 1][::-1], right=0.0)
    return float(lower), float(np.interp(np.sqrt(level), np.maximum.accumulate(above), sd[at:], right=np.nan))


def profiled_criterion(batch: Batch, sd: Floats, cov: Floats, sigma: float) -> Floats:
    """(P,) least REML criterion with the first effect's group SD at each of `sd` (P,).

    The searches start from the fit's `cov` (q, q) and `sigma`.
    """
    parts = [_minimum(batch, sd[which], cov, sigma) for which in blocks(len(sd), batch)]
    return np.concatenate(parts)


def _minimum(batch: Batch, sd: Floats, cov: Floats, sigma: float) -> Floats:
    q = batch.q
    rows, _ = lower_triangle(q)
    scale = natural_scale(batch)[0, rows[1:]]

    def objective(x: Floats, which: np.ndarray) -> tuple[Floats, Floats]:
        residual = sigma * np.exp(x[:, 0])
        first = sd[which] / residual
        factor = factors(np.column_stack([first, x[:, 1:] * scale]), q)
        value, by_theta, by_log_sigma = _at_residual_sd(batch, factor, residual)
        by_log_sigma = by_log_sigma - by_theta[:, 0] * first
        return value, np.column_stack([by_log_sigma, by_theta[:, 1:] * scale])

    inside = cov / sigma**2 + np.diag(natural_scale(batch)[0] ** 2)
    theta = np.linalg.cholesky(inside)[lower_triangle(q)][1:] / scale
    start = np.tile(np.append(0.0, theta), (len(sd), 1))
    x, _ = minimise(objective, start)
    return objective(x, np.arange(len(sd)))[0]


def _at_residual_sd(batch: Batch, factor: Floats, residual: Floats) -> tuple[Floats, Floats, Floats]:
    """The criterion (P,) at residual SDs (P,), its gradients by theta (P, k) and by their logarithm (P,)."""
    at = profiles(batch, factor)
    ratio = (at.sigma / residual) ** 2
    value = at.value + batch.df * (ratio - np.log(ratio) - 1.0)
    excess = (1.0 / at.sigma**2 - 1.0 / residual**2)[:, None, None] * at.vtv
    return value, theta_gradient(at.covariance_gradient + excess, factor), 2.0 * batch.df * (1.0 - ratio)
