"""The criterion of `tasks.stats.fits.reml` and its gradient where one or two effects vary by group: no 2 x 2 is solved.

With S = L L', d = det(I + Z_j'Z_j S) and adj the adjugate (the transposed matrix of cofactors), of 2 x 2 matrices

    d = 1 + tr(Z'Z S) + det(Z'Z) det(S),    M = (S + det(S) adj(Z'Z)) / d,    U = (Z'X + adj(S) adj(Z'Z) Z'X) / d,

so what depends on the data is computed once, and each evaluation is 1 / d, a linear combination of rows of numbers and
two products of matrices over the groups. No term of d is negative: it cannot cancel. With one effect, d = 1 + Z'Z S,
M = S / d and U = Z'X / d. Groups are the last axis: each row is contiguous.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tasks.stats.records import Floats

BLOCK_VALUES = 100_000  # evaluated at once, that they stay in a processor's cache
TINY = np.finfo(float).tiny
ROUNDED_DETERMINANT = 4.0 * np.finfo(float).eps  # relative to the product of the diagonal


@dataclass(frozen=True)
class ClosedForm:
    """What of the data the criterion needs, k = p + 1 columns [X y], of C models of the same groups and terms.

    C is 1 if all that is asked is of one model.
    """

    q: int  # 1 or 2
    z: Floats  # (C, 1, J) Z'Z; of two effects (C, 4, J) its elements 00, 01 and 11, and its determinant
    parts: Floats  # (C, q k, J) Z'[X y], effect by effect; of two effects then the same of adj(Z'Z) Z'[X y]
    wtw: Floats  # (C, k, k)
    df: Floats  # (C,)
    restricted: bool = True  # REML rather than ML

    def taken(self, which: np.ndarray | slice) -> ClosedForm:
        """The models at these positions; itself if there is one only."""
        if len(self.parts) == 1:
            return self
        return replace(self, z=_taken(self.z, which), parts=self.parts[which], wtw=self.wtw[which], df=self.df[which])


def _taken(values: Floats, which: np.ndarray | slice) -> Floats:
    return values if len(values) == 1 else values[which]


@dataclass(frozen=True)
class Evaluated:
    """The criterion at B relative covariances, with what it profiles out."""

    value: Floats  # (B,)
    covariance_gradient: Floats  # (B, q, q) G
    spread: Floats  # (B, q, q) sum of v v' over groups, in sigma^2
    fixef: Floats  # (B, p)
    c_inverse: Floats  # (B, p, p)
    sigma: Floats  # (B,)


def closed_form(ztz: Floats, ztw: Floats, wtw: Floats, df: Floats) -> ClosedForm:
    """Of sums with one or two varying effects: Z'Z (1 or C, q, q, J), Z'[X y] (C, q, k, J), [X y]'[X y] (C, k, k).

    Where Z'Z is singular, adj(Z'Z) Z'[X y] is 0, but for rounding.
    """
    c, q, k, n_groups = ztw.shape
    if q == 1:
        return ClosedForm(q, ztz[:, 0], ztw[:, 0], wtw, df)
    z00, z01, z11 = ztz[:, 0, 0], ztz[:, 0, 1], ztz[:, 1, 1]
    scale = z00 * z11
    determinant = scale - z01**2
    determinant[determinant <= ROUNDED_DETERMINANT * scale] = 0.0
    parts = np.empty((c, 4, k, n_groups))
    parts[:, :2] = ztw
    parts[:, 2] = z11[:, None] * ztw[:, 0] - z01[:, None] * ztw[:, 1]
    parts[:, 3] = z00[:, None] * ztw[:, 1] - z01[:, None] * ztw[:, 0]
    parts[:, 2:] *= (determinant > 0.0)[:, None, None]
    return ClosedForm(q, np.stack([z00, z01, z11, determinant], axis=1), parts.reshape(c, 4 * k, n_groups), wtw, df)


def evaluate(data: ClosedForm, factors: Floats) -> Evaluated:
    """The criterion and its gradient at relative factors (B, q, q), of one model or, one each, of B.

    Raises numpy.linalg.LinAlgError where rounding leaves nothing of the fixed effects.
    """
    n = max(1, BLOCK_VALUES // data.parts[0].size)
    if n >= len(factors):
        return _evaluated(data, factors)
    slices = [slice(at, at + n) for at in range(0, len(factors), n)]
    found = [_evaluated(data.taken(which), factors[which]) for which in slices]
    return Evaluated(*(np.concatenate(each) for each in zip(*(vars(one).values() for one in found), strict=True)))


def sums(data: ClosedForm, factors: Floats, fixef: Floats) -> Floats:
    """(B, q, J) v = Z' W^-1 (y - X beta), at relative factors and fixed effects (B, p)."""
    slices = [slice(at, at + 1) for at in range(len(factors))]
    every = [_weighed(data.taken(each), factors[each]).u.reshape(1, data.q, data.wtw.shape[-1], -1) for each in slices]
    return np.concatenate(
        [
            u[:, :, -1] - np.einsum("bian,ba->bin", u[:, :, :-1], fixef[each])
            for u, each in zip(every, slices, strict=True)
        ]
    )


@dataclass(frozen=True)
class _Weighed:
    """The data weighed by the inverse covariance of each group's rows, at B relative covariances."""

    log_det: Floats  # (B,) log|W|
    s: Floats  # (B, k, k) [X y]' W^-1 [X y]
    u: Floats  # (B, q k, J) Z' W^-1 [X y]
    z: Floats  # (B, q, q) Z' W^-1 Z, over all groups


def _evaluated(data: ClosedForm, factors: Floats) -> Evaluated:
    n, k, q = len(factors), data.wtw.shape[-1], data.q
    at = _weighed(data, factors)
    value, fixef, c_inverse, of_residual, sigma = _profiled(data, (at.s + np.swapaxes(at.s, 1, 2)) / 2.0)
    uu = (at.u @ np.swapaxes(at.u, 1, 2)).reshape(n, q, k, q, k)
    spread = np.einsum("naibk,nik->nab", uu, of_residual)
    g = at.z - spread
    if data.restricted:
        g -= np.einsum("naibk,nik->nab", uu[:, :, :-1, :, :-1], c_inverse)
    return Evaluated(value + at.log_det, g, spread, fixef, c_inverse, sigma)


def _weighed(data: ClosedForm, factors: Floats) -> _Weighed:
    return _weighed_1(data, factors[:, 0, 0] ** 2) if data.q == 1 else _weighed_2(data, factors)


def _weighed_1(data: ClosedForm, variance: Floats) -> _Weighed:
    d = 1.0 + variance[:, None] * data.z[:, 0]
    u = data.parts / d[:, None]
    s = data.wtw - variance[:, None, None] * (u @ np.swapaxes(data.parts, 1, 2))
    return _Weighed(np.log(d).sum(axis=1), s, u, (data.z[:, 0] / d).sum(axis=1)[:, None, None])


def _weighed_2(data: ClosedForm, factors: Floats) -> _Weighed:
    covariance, adjugate, det = _covariances(factors)
    n, k = len(factors), data.wtw.shape[-1]
    of_z = np.stack([covariance[:, 0, 0], 2.0 * covariance[:, 0, 1], covariance[:, 1, 1], det], axis=1)
    d = 1.0 + (of_z[:, None] @ data.z)[:, 0]
    weight = 1.0 / d
    weighted = data.parts * weight[:, None]
    explained = (weighted[:, : 2 * k] @ np.swapaxes(data.parts, 1, 2)).reshape(n, 2, k, 4, k)
    s = data.wtw - np.einsum("nab,naibk->nik", covariance, explained[:, :, :, :2])
    s -= det[:, None, None] * (explained[:, 0, :, 2] + explained[:, 1, :, 3])
    u = (adjugate @ weighted[:, 2 * k :].reshape(n, 2, -1)).reshape(n, 2 * k, -1)
    u += weighted[:, : 2 * k]
    z = (weight[:, None] @ np.swapaxes(data.z, 1, 2))[:, 0]
    return _Weighed(np.log(d).sum(axis=1), s, u, z[:, [0, 1, 1, 2]].reshape(n, 2, 2) + z[:, 3, None, None] * adjugate)


def _covariances(factors: Floats) -> tuple[Floats, Floats, Floats]:
    """L L' (B, 2, 2), its adjugates and its determinants (B,)."""
    a, b, c = factors[:, 0, 0], factors[:, 1, 0], factors[:, 1, 1]
    s00, s01, s11 = a * a, a * b, b * b + c * c
    covariance = np.array([s00, s01, s01, s11]).T.reshape(-1, 2, 2)
    return covariance, np.array([s11, -s01, -s01, s00]).T.reshape(-1, 2, 2), (a * c) ** 2


def _profiled(data: ClosedForm, s: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """The criterion (B,) less log|W|, beta, C^-1, what weighs U U' to v v' (B, k, k), and sigma; from `_Weighed.s`."""
    p = s.shape[1] - 1
    c_inverse = np.linalg.inv(s[:, :p, :p]).astype(float, copy=False)
    fixef = (c_inverse @ s[:, :p, p:])[..., 0]
    residual = np.concatenate([-fixef, np.ones((len(s), 1))], axis=1)
    r_squared = np.maximum((s[:, p] * residual).sum(axis=1), TINY + 1e-15 * data.wtw[:, p, p])
    value = data.df * (1.0 + np.log(2.0 * np.pi * r_squared / data.df))
    if data.restricted:
        value += np.linalg.slogdet(s[:, :p, :p])[1]
    weights = (data.df / r_squared)[:, None, None] * residual[:, :, None] * residual[:, None]
    return value, fixef, c_inverse, weights, np.sqrt(r_squared / data.df)
