"""What a group adds to the marginal likelihood, for one or two varying effects, as products of matrices.

With Sigma = T T' and M = Z_j'Z_j of one or two effects, determinant and inverse of A_j = sigma^2 I + T'M T are
polynomials. For two,

    |A_j|                   = sigma^4 + sigma^2 tr(Sigma M) + |Sigma| |M|,
    r'Z T A_j^-1 T'Z'r |A_j| = sigma^2 r'Z Sigma Z'r + |Sigma| r'Z adj(M) Z'r,

each a sum of (what depends on the draw) times (what depends on the group). All draws and groups are therefore one
product of two thin matrices, more than ten times as fast as small matrices one by one. Residuals are taken from the
draws' mean coefficients first, so that nothing large cancels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.records import Floats


@dataclass(frozen=True)
class OfGroups:
    """Features of each group, given coefficients `center` (p,) that residuals are taken from."""

    center: Floats
    n: Floats  # (J,)
    gram: Floats  # (m, J) of [X r], lower triangle
    determinants: Floats  # (2 or 5, J)
    forms: Floats  # (m or 4 m, J)
    z: Floats  # (J, q, p + 1) Z_j'[X r]
    adjugate: Floats  # (J, q, q) of Z_j'Z_j; 0 for one effect

    @property
    def total(self) -> Floats:
        """(m,) sums of `gram` over the groups."""
        return self.gram.sum(axis=1)


@dataclass(frozen=True)
class OfDraws:
    """Features of each draw, to be multiplied with those of the groups."""

    weights: Floats  # (S, 1) of Sigma; or (S, 4) of sigma^2 Sigma's lower triangle, off the diagonal twice, and |Sigma|
    residual_of: Floats  # (S, p + 1)
    residuals: Floats  # (S, m)
    determinants: Floats  # (S, 2 or 5)
    forms: Floats  # (S, m or 4 m)


def of_groups(gram: Floats, varying: tuple[int, ...], center: Floats) -> OfGroups:
    """`gram` (J, p + 1, p + 1) as in `ModelCrossProducts`; at most two effects vary."""
    basis = np.eye(gram.shape[1])
    basis[:-1, -1] = -center
    about = basis.T @ gram @ basis
    columns, n, one = list(varying), gram[:, 0, 0], np.ones(len(gram))
    z, m = about[:, columns], about[:, columns][:, :, columns]
    if len(columns) == 1:
        form = _product(z[:, 0], z[:, 0]).T
        return OfGroups(center, n, _vech(about).T, np.stack([one, m[:, 0, 0]]), form, z, np.zeros_like(m))
    a, b, c = m[:, 0, 0], m[:, 1, 0], m[:, 1, 1]
    first, both, second = (_product(z[:, k], z[:, i]) for k, i in ((0, 0), (0, 1), (1, 1)))
    adjugate = c[:, None] * first - 2.0 * b[:, None] * both + a[:, None] * second
    determinants = np.stack([one, a, b, c, np.maximum(a * c - b**2, 0.0)])
    forms = np.hstack([first, both, second, adjugate]).T
    inverted = np.stack([np.stack([c, -b], axis=-1), np.stack([-b, a], axis=-1)], axis=1)
    return OfGroups(center, n, _vech(about).T, determinants, forms, z, inverted)


def of_draws(beta: Floats, factor: Floats, sigma: Floats, center: Floats) -> OfDraws:
    """`beta` (S, p), `factor` T (S, q, q), `sigma` (S,)."""
    v = np.column_stack([center - beta, np.ones(len(beta))])
    rows, columns = np.tril_indices(v.shape[1])
    residuals = v[:, rows] * v[:, columns] * np.where(rows == columns, 1.0, 2.0)
    spread, variance = factor @ np.swapaxes(factor, 1, 2), sigma**2
    if factor.shape[1] == 1:
        weights = spread[:, 0]
        determinants = np.column_stack([variance, weights])
    else:
        parts = spread[:, 0, 0], 2.0 * spread[:, 1, 0], spread[:, 1, 1]
        weights = np.column_stack([*(variance * part for part in parts), (factor[:, 0, 0] * factor[:, 1, 1]) ** 2])
        determinants = np.column_stack([variance**2, weights])
    return OfDraws(
        weights, v, residuals, determinants, (weights[:, :, None] * residuals[:, None, :]).reshape(len(v), -1)
    )


def some(draws: OfDraws, which: slice) -> OfDraws:
    parts = (draws.weights, draws.residual_of, draws.residuals, draws.determinants, draws.forms)
    return OfDraws(*(part[which] for part in parts))


def log_det_and_form(draws: OfDraws, groups: OfGroups, which: slice) -> tuple[Floats, Floats]:
    """(S, J) each, of the groups `which`: log|A_j| and w_j'A_j^-1 w_j."""
    determinant = draws.determinants @ groups.determinants[:, which]
    form = draws.forms @ groups.forms[:, which]
    form /= determinant
    return np.log(determinant, out=determinant), form


def expected_effects(draws: OfDraws, groups: OfGroups, weights: Floats) -> Floats:
    """(J, q) expectations of the group effects T A_j^-1 w_j over the draws, with `weights` (S,)."""
    k, width = draws.weights.shape[1], draws.residual_of.shape[1]
    left = (weights[:, None, None] * draws.weights[:, :, None] * draws.residual_of[:, None, :]).reshape(-1, k * width)
    total = np.zeros((k * width, len(groups.n)))
    for start in range(0, len(groups.n), 1000):
        which = slice(start, start + 1000)
        for first in range(0, len(left), 8):
            few = slice(first, first + 8)
            total[:, which] += left[few].T @ (1.0 / (draws.determinants[few] @ groups.determinants[:, which]))
    over = total.reshape(k, width, -1).transpose(0, 2, 1)
    if k == 1:
        return (over[0] * groups.z[:, 0]).sum(axis=1)[:, None]
    one, two = groups.z[:, 0], groups.z[:, 1]
    turned = groups.adjugate @ groups.z
    first_effect = over[0] * one + 0.5 * over[1] * two + over[3] * turned[:, 0]
    second_effect = 0.5 * over[1] * one + over[2] * two + over[3] * turned[:, 1]
    return np.stack([first_effect.sum(axis=1), second_effect.sum(axis=1)], axis=1)


def moments(draws: OfDraws, groups: OfGroups) -> tuple[list[Floats], list[Floats], Floats]:
    """Means of the effects, T A_j^-1 T' (first column), and log|A_j|, each (S, J)."""
    q = groups.z.shape[1]
    unit = np.eye(q)
    left = (draws.weights[:, :, None] * draws.residual_of[:, None, :]).reshape(len(draws.weights), -1)
    determinant = thin_product(draws.determinants, groups.determinants)
    n, means, covariances = len(groups.n), [], []
    for k in range(q):
        means.append(thin_product(left, _effect_features(np.tile(unit[k], (n, 1)), groups)) / determinant)
        spread = np.zeros((draws.weights.shape[1], n))
        spread[k] = 1.0 / (1 + k)  # off the diagonal, weights count twice
        if q == 2:
            spread[3] = groups.adjugate[:, k, 0]
        covariances.append(thin_product(draws.weights, spread) / determinant)
    return means, covariances, np.log(determinant)


def effect_and_leverage(draws: OfDraws, groups: OfGroups, z: Floats) -> tuple[Floats, Floats]:
    """(S, n) each: z_i'u_j at the effects' conditional mean u_j, and z_i'T A_j^-1 T'z_i.

    `groups` holds the group of each row, n in all; `z` is (n, q).
    """
    spread = (z**2).T
    if z.shape[1] == 2:
        turned = np.einsum("nk,nkl,nl->n", z, groups.adjugate, z)
        spread = np.stack([z[:, 0] ** 2, z[:, 0] * z[:, 1], z[:, 1] ** 2, turned])
    left = (draws.weights[:, :, None] * draws.residual_of[:, None, :]).reshape(len(draws.weights), -1)
    determinant = thin_product(draws.determinants, groups.determinants)
    return (
        thin_product(left, _effect_features(z, groups)) / determinant,
        thin_product(draws.weights, spread) / determinant,
    )


def _effect_features(z: Floats, groups: OfGroups) -> Floats:
    """(p + 1 or 4 (p + 1), n) of z_i'T A_j^-1 T'Z_j'r |A_j|, linear in the residuals' coefficients."""
    if z.shape[1] == 1:
        return (z * groups.z[:, 0]).T
    crossed = 0.5 * (z[:, :1] * groups.z[:, 1] + z[:, 1:] * groups.z[:, 0])
    turned = np.einsum("nk,nkl,nlp->np", z, groups.adjugate, groups.z, optimize=True)
    return np.hstack([z[:, :1] * groups.z[:, 0], crossed, z[:, 1:] * groups.z[:, 1], turned]).T


def thin_product(left: Floats, right: Floats) -> Floats:
    """`left` @ `right`, a few rows at a time: too little for BLAS to share out over threads, which costs more."""
    out = np.empty((len(left), right.shape[1]))
    step = max(1, 8_000 // max(1, right.shape[1]))
    for start in range(0, len(left), step):
        np.matmul(left[start : start + step], right, out=out[start : start + step])
    return out


def _product(one: Floats, other: Floats) -> Floats:
    """(J, m) the products of two vectors (J, p + 1), symmetric, lower triangle."""
    outer = one[:, :, None] * other[:, None, :]
    return _vech((outer + np.swapaxes(outer, 1, 2)) / 2.0)


def _vech(matrices: Floats) -> Floats:
    rows, columns = np.tril_indices(matrices.shape[-1])
    return matrices[:, rows, columns]
