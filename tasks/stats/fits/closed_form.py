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


def slope(data: ClosedForm, factor: Floats) -> Slope:
    """Evaluate the criterion and its gradient at the relative factor (q, q)."""
    s00, s01, s11, det = _covariance(factor)
    d = 1.0 + np.array([s00, 2.0 * s01, s11, det]) @ data.z
    weight = 1.0 / d
    k = len(data.wtw)
    weighted = data.parts * weight
    covariance, adjugate = np.array([[s00, s01], [s01, s11]]), np.array([[s11, -s01], [-s01, s00]])
    explained = (weighted[: 2 * k] @ data.parts.T).reshape(2, k, 4, k)
    s = data.wtw - np.einsum("ab,aibk->ik", covariance, explained[:, :, :2])
    s -= det * (explained[0, :, 2] + explained[1, :, 3])
    s = (s + s.T) / 2.0
    value, of_fixef, of_residual = _profiled(data, s)
    u = np.tensordot(adjugate, weighted[2 * k :].reshape(2, k, -1), axes=1).reshape(2 * k, -1)
    u += weighted[: 2 * k]
    uu = (u @ u.T).reshape(2, k, 2, k)
    spread = np.einsum("aibk,ik->ab", uu, of_residual)
    z00, z01, z11, z_det = data.z @ weight
    g = np.array([[z00, z01], [z01, z11]]) + z_det * adjugate - spread
    if data.restricted:
        g -= np.einsum("aibk,ik->ab", uu[:, :-1, :, :-1], of_fixef)
    return Slope(float(np.log(d).sum()) + value, g[: data.q, : data.q], spread[: data.q, : data.q])


def _covariance(factor: Floats) -> tuple[float, float, float, float]:
    """The elements 00, 01 and 11 of L L', and its determinant."""
    a = float(factor[0, 0])
    if len(factor) == 1:
        return a * a, 0.0, 0.0, 0.0
    b, c = float(factor[1, 0]), float(factor[1, 1])
    return a * a, a * b, b * b + c * c, (a * c) ** 2


def _profiled(data: ClosedForm, s: Floats) -> tuple[float, Floats, Floats]:
    """The criterion less log|W|, from [X y]' W^-1 [X y] (k, k); and what weighs U U' and v v' in the gradient.

    The latter are C^-1 (p, p), and (k, k) in terms of [X y]. Raises numpy.linalg.LinAlgError where rounding leaves
    nothing of the fixed effects.
    """
    p = len(s) - 1
    c_inverse = np.linalg.inv(s[:p, :p]).astype(float, copy=False)
    fixef = c_inverse @ s[:p, p]
    r_squared = max(s[p, p] - s[p, :p] @ fixef, TINY + 1e-15 * data.wtw[p, p])
    value = data.df * (1.0 + np.log(2.0 * np.pi * r_squared / data.df))
    if data.restricted:
        value += np.linalg.slogdet(s[:p, :p])[1]
    residual = np.append(-fixef, 1.0)
    return float(value), c_inverse, np.outer(residual, residual) * (data.df / r_squared)
