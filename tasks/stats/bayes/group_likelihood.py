"""The marginal log likelihood of each group, and its effects' expectations, from cross-products, per posterior draw.

With A_j = sigma^2 I + T'Z_j'Z_j T, r_j = y_j - X_j beta and w_j = T'Z_j'r_j, the group effects integrated out,

    log p(y_j | beta, T, sigma) = -1/2 [ n_j log 2 pi + (n_j - q) log sigma^2 + log|A_j|
                                         + (r_j'r_j - w_j'A_j^-1 w_j) / sigma^2 ],
    E(u_j | y_j, beta, T, sigma) = T A_j^-1 w_j.

A single row of a group of which nothing else is known is normal about x_i' beta, with variance
z_i' T T' z_i + sigma^2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tasks.stats.bayes import closed_form
from tasks.stats.fits.small_matrices import inverse_and_log_det
from tasks.stats.records import Floats, PosteriorDraws

BLOCK_VALUES = 2_000_000
# Draws times groups at once: blocks that fit a processor's cache, and too small for BLAS to share out over threads,
# which costs more than the product itself.
CACHED_VALUES = 8_000


@dataclass(frozen=True)
class ParameterDraws:
    """What the group effects depend on; intercepts are about the outcome's mean."""

    beta: Floats  # (S, p)
    factor: Floats  # (S, q, q) T, lower: T T' is the covariance of the group effects
    sigma: Floats  # (S,), or (S, J) where each group has its own


def thinned(draws: Floats, limit: int) -> Floats:
    """(S, ...) every k-th of the draws (C, D, ...), k the smallest that leaves at most `limit`."""
    flat = draws.reshape(-1, *draws.shape[2:])
    return flat[:: -(-len(flat) // limit)]


def parameter_draws(draws: PosteriorDraws, outcome_center: float, limit: int) -> ParameterDraws:
    """Every k-th draw, k the smallest that leaves at most `limit`; groups' own residual SDs where draws have them."""
    n = draws.sigma.size
    scatter = draws.sigma if draws.group_sigma is None else draws.group_sigma
    kept = slice(None, None, -(-n // limit))
    sd = draws.sigma_group.reshape(n, -1)[kept]
    correlation = draws.correlation.reshape(n, sd.shape[1], sd.shape[1])[kept]
    beta = draws.beta.reshape(n, -1)[kept].copy()
    beta[:, 0] -= outcome_center
    return ParameterDraws(
        beta, sd[:, :, None] * np.linalg.cholesky(correlation), scatter.reshape(n, *scatter.shape[2:])[kept]
    )


def group_log_lik(gram: Floats, varying: tuple[int, ...], at: ParameterDraws) -> Floats:
    """(S, J) log likelihood of each group; 0 for a group without rows.

    `gram` is (J, p + 1, p + 1), as in `ModelCrossProducts`.
    """
    if at.sigma.ndim == 1 and len(varying) <= 2:
        return _closed_form(gram, varying, at)
    log_lik = np.empty((len(at.sigma), len(gram)))
    residual_of = np.column_stack([-at.beta, np.ones(len(at.sigma))])
    products = (residual_of[:, :, None] * residual_of[:, None, :]).reshape(len(at.sigma), -1)
    for block in _blocks(gram, varying, at):
        variance = _variance(at, block)
        w, solved, log_det = _solved(gram[block], varying, at, variance)
        n = gram[block, 0, 0]
        rtr = products @ gram[block].reshape(len(n), -1).T
        misfit = np.maximum(rtr - (w * solved).sum(axis=1), 0.0) / variance
        log_lik[:, block] = -0.5 * (n * np.log(2 * np.pi) + (n - len(varying)) * np.log(variance) + log_det + misfit)
    return log_lik


def marginal_log_lik(gram: Floats, varying: tuple[int, ...], at: ParameterDraws) -> Floats:
    """(S,) log likelihood of all groups' rows; `gram` is (J, p + 1, p + 1), as in `ModelCrossProducts`."""
    if at.sigma.ndim > 1 or len(varying) > 2:
        block = max(1, CACHED_VALUES // at.sigma.size)
        starts = range(0, len(gram), block)
        return np.asarray(sum(group_log_lik(gram[start : start + block], varying, at).sum(axis=1) for start in starts))
    draws, groups = _features(gram, varying, at)
    log_dets, forms = np.zeros(len(at.sigma)), np.zeros(len(at.sigma))
    for some, which in _cached(len(at.sigma), len(gram)):
        log_det, form = closed_form.log_det_and_form(closed_form.some(draws, some), groups, which)
        log_dets[some] += log_det.sum(axis=1)
        forms[some] += form.sum(axis=1)
    misfit = np.maximum(draws.residuals @ groups.total - forms, 0.0) / at.sigma**2
    n, idle = groups.n.sum(), len(varying) * len(gram)
    return np.asarray(-0.5 * (n * np.log(2 * np.pi) + (n - idle) * 2.0 * np.log(at.sigma) + log_dets + misfit))


def _closed_form(gram: Floats, varying: tuple[int, ...], at: ParameterDraws) -> Floats:
    """As `group_log_lik`, of one or two effects and one residual SD for all groups."""
    draws, groups = _features(gram, varying, at)
    log_lik = np.empty((len(at.sigma), len(gram)))
    variance = at.sigma[:, None] ** 2
    log_variance = np.log(variance)
    for some, block in _cached(*log_lik.shape):
        log_det, form = closed_form.log_det_and_form(closed_form.some(draws, some), groups, block)
        rtr, n = draws.residuals[some] @ groups.gram[:, block], groups.n[block]
        misfit = np.maximum(rtr - form, 0.0) / variance[some]
        spread = (n - len(varying)) * log_variance[some]
        log_lik[some, block] = -0.5 * (n * np.log(2 * np.pi) + spread + log_det + misfit)
    return log_lik


def _features(
    gram: Floats, varying: tuple[int, ...], at: ParameterDraws
) -> tuple[closed_form.OfDraws, closed_form.OfGroups]:
    center = at.beta.mean(axis=0)
    draws = closed_form.of_draws(at.beta, at.factor, at.sigma, center)
    return draws, closed_form.of_groups(gram, varying, center)


def _cached(n_draws: int, n_groups: int) -> Iterator[tuple[slice, slice]]:
    """Blocks of draws and groups, of at most CACHED_VALUES values each."""
    width = min(n_groups, 1000)
    height = max(1, CACHED_VALUES // max(width, 1))
    for start in range(0, n_groups, max(width, 1)):
        for first in range(0, n_draws, height):
            yield slice(first, first + height), slice(start, start + width)


def expected_effects(gram: Floats, varying: tuple[int, ...], at: ParameterDraws, weights: Floats) -> Floats:
    """(J, q) expectations of the group effects, averaged over the draws with `weights` (S,), which sum to 1."""
    if at.sigma.ndim == 1 and len(varying) <= 2:
        return closed_form.expected_effects(*_features(gram, varying, at), weights)
    effects = np.empty((len(gram), len(varying)))
    weighted = weights[:, None, None] * at.factor
    for block in _blocks(gram, varying, at):
        solved = _solved(gram[block], varying, at, _variance(at, block))[1]
        effects[block] = np.tensordot(solved, weighted, axes=((0, 1), (0, 2)))
    return effects


def effect_and_leverage(gram: Floats, varying: tuple[int, ...], at: ParameterDraws, z: Floats) -> tuple[Floats, Floats]:
    """(S, n) each, of n rows with varying terms `z` (n, q) in groups of sums `gram` (n, p + 1, p + 1).

    z_i'E(u_j | rest), and z_i'T A_j^-1 T'z_i. At most two effects, one residual SD for all groups.
    """
    return closed_form.effect_and_leverage(*_features(gram, varying, at), z)


def new_row_log_density(x: Floats, y: Floats, varying: tuple[int, ...], at: ParameterDraws) -> Floats:
    """(S, n) log density of each row by itself, as the only one known of its group.

    `x` (n, p) is on centre-scaled predictors, `y` (n,) about the outcome's mean.
    """
    z, q = x[:, list(varying)], len(varying)
    spread = (at.factor @ np.swapaxes(at.factor, 1, 2)).reshape(-1, q * q)
    variance = spread @ (z[:, :, None] * z[:, None, :]).reshape(-1, q * q).T + (at.sigma**2)[:, None]
    return -0.5 * (np.log(2 * np.pi * variance) + (y - at.beta @ x.T) ** 2 / variance)


def _variance(at: ParameterDraws, block: slice) -> Floats:
    """(S, 1) residual variances, or (S, J) of the block's groups."""
    return (at.sigma[:, None] if at.sigma.ndim == 1 else at.sigma[:, block]) ** 2


def _blocks(gram: Floats, varying: tuple[int, ...], at: ParameterDraws) -> Iterator[slice]:
    size = max(1, BLOCK_VALUES // (len(at.sigma) * len(varying) ** 2))
    return (slice(start, start + size) for start in range(0, len(gram), size))


def _solved(
    gram: Floats, varying: tuple[int, ...], at: ParameterDraws, variance: Floats
) -> tuple[Floats, Floats, Floats]:
    """w_j and A_j^-1 w_j (S, q, J), and log|A_j| (S, J): products over all groups at once, groups last."""
    columns, s, q = list(varying), len(at.sigma), len(varying)
    ztz, ztx, zty = gram[:, columns][:, :, columns], gram[:, columns, :-1], gram[:, columns, -1]
    t_transposed = np.swapaxes(at.factor, 1, 2)
    w = t_transposed @ np.stack([zty[:, k] - at.beta @ ztx[:, k].T for k in range(q)], axis=1)
    twice = np.einsum("skc,sld->scdkl", at.factor, at.factor).reshape(s * q * q, q * q)
    a = (twice @ ztz.reshape(len(gram), -1).T).reshape(s, q, q, len(gram)).transpose(0, 3, 1, 2)
    a[..., range(q), range(q)] += variance[..., None]
    inverse, log_det = inverse_and_log_det(a)
    solved = np.stack([sum(inverse[:, :, k, m] * w[:, m] for m in range(q)) for k in range(q)], axis=1)
    return w, solved, log_det
