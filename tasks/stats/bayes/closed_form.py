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

    @property
    def total(self) -> Floats:
        """(m,) sums of `gram` over the groups."""
        return self.gram.sum(axis=1)


@dataclass(frozen=True)
class OfDraws:
    """Features of each draw, to be multiplied with those of the groups."""

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
        return OfGroups(center, n, _vech(about).T, np.stack([one, m[:, 0, 0]]), _product(z[:, 0], z[:, 0]).T)
    a, b, c = m[:, 0, 0], m[:, 1, 0], m[:, 1, 1]
    first, both, second = (_product(z[:, k], z[:, i]) for k, i in ((0, 0), (0, 1), (1, 1)))
    adjugate = c[:, None] * first - 2.0 * b[:, None] * both + a[:, None] * second
    determinants = np.stack([one, a, b, c, np.maximum(a * c - b**2, 0.0)])
    return OfGroups(center, n, _vech(about).T, determinants, np.hstack([first, both, second, adjugate]).T)


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
    return OfDraws(residuals, determinants, (weights[:, :, None] * residuals[:, None, :]).reshape(len(v), -1))


def log_det_and_form(draws: OfDraws, groups: OfGroups, which: slice) -> tuple[Floats, Floats]:
    """(S, J) each, of the groups `which`: log|A_j| and w_j'A_j^-1 w_j."""
    determinant = draws.determinants @ groups.determinants[:, which]
    form = draws.forms @ groups.forms[:, which]
    form /= determinant
    return np.log(determinant, out=determinant), form


def _product(one: Floats, other: Floats) -> Floats:
    """(J, m) the products of two vectors (J, p + 1), symmetric, lower triangle."""
    outer = one[:, :, None] * other[:, None, :]
    return _vech((outer + np.swapaxes(outer, 1, 2)) / 2.0)


def _vech(matrices: Floats) -> Floats:
    rows, columns = np.tril_indices(matrices.shape[-1])
    return matrices[:, rows, columns]
