"""The criterion of `tasks.stats.fits.reml` and its gradient where one or two effects vary by group: no 2 x 2 is solved.

With S = L L', d = det(I + Z_j'Z_j S) and adj the adjugate (the transposed matrix of cofactors), of 2 x 2 matrices

    d = 1 + tr(Z'Z S) + det(Z'Z) det(S),    M = (S + det(S) adj(Z'Z)) / d,    U = (Z'X + adj(S) adj(Z'Z) Z'X) / d,

so what depends on the data is computed once, and each evaluation is 1 / d, a linear combination of rows of numbers and
two products of matrices over the groups. No term of d is negative: it cannot cancel. One varying effect is two of which
the second has no data and no variance. Groups are the last axis: each row is contiguous.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.records import Floats

BLOCK_VALUES = 100_000  # evaluated at once, that they stay in a processor's cache
TINY = np.finfo(float).tiny
ROUNDED_DETERMINANT = 4.0 * np.finfo(float).eps  # relative to the product of the diagonal


@dataclass(frozen=True)
class ClosedForm:
    """What of the data the criterion needs, k = p + 1 columns [X y]."""

    q: int
    z: Floats  # (4, J) the elements 00, 01 and 11 of Z'Z, and its determinant
    parts: Floats  # (4 k, J) Z'[X y] of the first and the second effect, then the same of adj(Z'Z) Z'[X y]
    wtw: Floats  # (k, k)
    df: int
    restricted: bool  # REML rather than ML


@dataclass(frozen=True)
class Slope:
    """The criterion at one relative covariance."""

    value: float
    covariance_gradient: Floats  # (q, q) G
    spread: Floats  # (q, q) sum of v v' over groups, in sigma^2


def closed_form(ztz: Floats, ztw: Floats, wtw: Floats, df: int, *, restricted: bool) -> ClosedForm:
    """Of the sums of a model, as in `reml.MixedModel`, with one or two varying effects.

    Where Z'Z is singular, adj(Z'Z) Z'[X y] is 0, but for rounding.
    """
    n_groups, q, k = ztw.shape
    z, by_effect = np.zeros((2, 2, n_groups)), np.zeros((2, k, n_groups))
    z[:q, :q], by_effect[:q] = np.moveaxis(ztz, 0, -1), np.moveaxis(ztw, 0, -1)
    scale = z[0, 0] * z[1, 1]
    determinant = scale - z[0, 1] ** 2
    determinant[determinant <= ROUNDED_DETERMINANT * scale] = 0.0
    adjugate = np.array(
        [z[1, 1] * by_effect[0] - z[0, 1] * by_effect[1], z[0, 0] * by_effect[1] - z[0, 1] * by_effect[0]]
    )
    adjugate[..., determinant == 0.0] = 0.0
    return ClosedForm(
        q=q,
        z=np.array([z[0, 0], z[0, 1], z[1, 1], determinant]),
        parts=np.concatenate([by_effect, adjugate]).reshape(4 * k, n_groups),
        wtw=wtw,
        df=df,
        restricted=restricted,
    )


def slopes(data: ClosedForm, factors: Floats) -> list[Slope]:
    """Evaluate the criterion and its gradient at each of the relative factors (B, q, q).

    Raises numpy.linalg.LinAlgError where rounding leaves nothing of the fixed effects.
    """
    n = max(1, BLOCK_VALUES // data.parts.size)
    return [slope for at in range(0, len(factors), n) for slope in _slopes(data, factors[at : at + n])]


def _slopes(data: ClosedForm, factors: Floats) -> list[Slope]:
    covariance, adjugate, det = _covariances(factors)
    n, k, q = len(factors), len(data.wtw), data.q
    d = 1.0 + np.array([covariance[:, 0, 0], 2.0 * covariance[:, 0, 1], covariance[:, 1, 1], det]).T @ data.z
    weight = 1.0 / d
    weighted = data.parts * weight[:, None]
    explained = (weighted[:, : 2 * k] @ data.parts.T).reshape(n, 2, k, 4, k)
    s = data.wtw - np.einsum("nab,naibk->nik", covariance, explained[:, :, :, :2])
    s -= det[:, None, None] * (explained[:, 0, :, 2] + explained[:, 1, :, 3])
    value, of_fixef, of_residual = _profiled(data, (s + np.swapaxes(s, 1, 2)) / 2.0)
    value += np.log(d).sum(axis=1)
    u = (adjugate @ weighted[:, 2 * k :].reshape(n, 2, -1)).reshape(n, 2 * k, -1)
    u += weighted[:, : 2 * k]
    uu = (u @ np.swapaxes(u, 1, 2)).reshape(n, 2, k, 2, k)
    spread = np.einsum("naibk,nik->nab", uu, of_residual)
    z = weight @ data.z.T
    g = z[:, [0, 1, 1, 2]].reshape(n, 2, 2) + z[:, 3, None, None] * adjugate - spread
    if data.restricted:
        g -= np.einsum("naibk,nik->nab", uu[:, :, :-1, :, :-1], of_fixef)
    return [Slope(float(value[b]), g[b, :q, :q], spread[b, :q, :q]) for b in range(n)]


def _covariances(factors: Floats) -> tuple[Floats, Floats, Floats]:
    """L L' (B, 2, 2), its adjugates and its determinants (B,)."""
    a = factors[:, 0, 0]
    b, c = (factors[:, 1, 0], factors[:, 1, 1]) if factors.shape[1] == 2 else np.zeros((2, a.size))
    s00, s01, s11 = a * a, a * b, b * b + c * c
    covariance = np.array([s00, s01, s01, s11]).T.reshape(-1, 2, 2)
    return covariance, np.array([s11, -s01, -s01, s00]).T.reshape(-1, 2, 2), (a * c) ** 2


def _profiled(data: ClosedForm, s: Floats) -> tuple[Floats, Floats, Floats]:
    """The criterion (B,) less log|W|, from [X y]' W^-1 [X y] (B, k, k); and what weighs U U' and v v' in the gradient.

    The latter are C^-1 (B, p, p), and (B, k, k) in terms of [X y].
    """
    p = s.shape[1] - 1
    c_inverse = np.linalg.inv(s[:, :p, :p]).astype(float, copy=False)
    residual = np.ones((len(s), p + 1))
    residual[:, :p] = -(c_inverse @ s[:, :p, p:])[..., 0]
    r_squared = np.maximum((s[:, p] * residual).sum(axis=1), TINY + 1e-15 * data.wtw[p, p])
    value = data.df * (1.0 + np.log(2.0 * np.pi * r_squared / data.df))
    if data.restricted:
        value += np.linalg.slogdet(s[:, :p, :p])[1]
    weights = (data.df / r_squared)[:, None, None] * residual[:, :, None] * residual[:, None]
    return value, c_inverse, weights
