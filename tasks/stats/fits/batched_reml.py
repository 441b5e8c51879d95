"""The REML criterion of many problems at once: replicated outcomes, other variances, or some of the rows.

The same formulas as `tasks.stats.fits.reml`, with a leading axis of B problems of the same groups and terms. What all
of them share is there once. One call evaluates all; on 500 replicates of 8 groups that is about a hundred times faster
than one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from tasks.stats.fits.batched_bfgs import minimise
from tasks.stats.fits.closed_form import ClosedForm, closed_form, evaluate, sums
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.small_matrices import lower_triangle, semidefinite_factor
from tasks.stats.records import Floats

# A relative variance in some direction below this is set to 0, if the criterion hardly rises (as in `reml`).
SNAP = 1e-6
# Gains in the criterion (a deviance) that are not worth another search.
NO_GAIN = 1e-5
MOST_ESCAPES = 3
BLOCK_VALUES = 400_000


@dataclass(frozen=True)
class Batch:
    """B problems. In place of B, the first axis is 1 of what they share.

    Groups are the last axis, so that the inner loops run over them: several times faster.
    """

    ztz: Floats  # (B, q, q, J)
    ztx: Floats  # (B, q, p, J)
    xtx: Floats  # (B, p, p) over all groups
    zty: Floats  # (B, q, J)
    xty: Floats  # (B, p) over all groups
    yty: Floats  # (B,) over all groups
    df: Floats  # (B,) rows less the fixed effects

    @property
    def q(self) -> int:
        return self.ztz.shape[1]

    @cached_property
    def closed(self) -> ClosedForm | None:
        """The same for the closed forms of one or two varying effects; None for more."""
        if self.q > 2:
            return None
        b, p = max(len(self.ztx), len(self.zty)), self.ztx.shape[2]
        ztw = np.empty((b, self.q, p + 1, self.ztx.shape[-1]))
        ztw[:, :, :-1], ztw[:, :, -1] = self.ztx, self.zty
        wtw = np.empty((b, p + 1, p + 1))
        wtw[:, :p, :p], wtw[:, :p, p], wtw[:, p, :p], wtw[:, p, p] = self.xtx, self.xty, self.xty, self.yty
        return closed_form(self.ztz, ztw, wtw, np.broadcast_to(self.df, b))

    def taken(self, which: np.ndarray) -> Batch:
        """The problems at these positions, which increase."""
        if len(which) == len(self.yty):
            return self
        some = Batch(**{part.name: _taken(getattr(self, part.name), which) for part in fields(self)})
        if "closed" in vars(self) and self.closed:
            vars(some)["closed"] = self.closed.taken(which)
        return some


def _taken(values: Floats, which: np.ndarray) -> Floats:
    """Of the problems at these positions, where `values` are not shared by all."""
    return values if len(values) == 1 else values[which]


@dataclass(frozen=True)
class Profiles:
    """The criterion of B problems at B thetas, with what it profiles out."""

    value: Floats  # (B,)
    covariance_gradient: Floats  # (B, q, q) G, as in `reml`
    fixef: Floats  # (B, p)
    fixef_se: Floats  # (B, p)
    sigma: Floats  # (B,)
    vtv: Floats  # (B, q, q) v v' summed over groups, v = Z' W^-1 (y - X beta)


def batch_of(products: ModelCrossProducts, varying: tuple[int, ...]) -> Batch:
    """One problem: the data themselves."""
    return batch_of_several([products], varying)


def batch_of_several(several: Sequence[ModelCrossProducts], varying: tuple[int, ...]) -> Batch:
    """A problem each: the same groups and terms, other rows."""
    gram = np.array([np.moveaxis(products.gram, 0, -1) for products in several])
    columns, total = list(varying), gram.sum(axis=-1)
    return Batch(
        ztz=gram[:, columns][:, :, columns],
        ztx=gram[:, columns, :-1],
        xtx=total[:, :-1, :-1],
        zty=gram[:, columns, -1],
        xty=total[:, :-1, -1],
        yty=total[:, -1, -1],
        df=np.array([float(products.n_rows - products.p) for products in several]),
    )


def factors(theta: Floats, q: int) -> Floats:
    """(B, q, q) lower triangles from theta (B, q (q + 1) / 2)."""
    rows, columns = lower_triangle(q)
    factor = np.zeros((len(theta), q, q))
    factor[:, rows, columns] = theta
    return factor


def profiles(batch: Batch, factor: Floats) -> Profiles:
    """Evaluate the criterion and its gradient at `factor` (B, q, q), the relative factors."""
    if batch.closed is None:
        return _profiles(batch, factor)
    at = evaluate(batch.closed, factor)
    fixef_se = at.sigma[:, None] * np.sqrt(np.maximum(np.diagonal(at.c_inverse, axis1=1, axis2=2), 0.0))
    vtv = at.sigma[:, None, None] ** 2 * at.spread
    return Profiles(at.value, at.covariance_gradient, at.fixef, fixef_se, at.sigma, vtv)


def _profiles(batch: Batch, factor: Floats) -> Profiles:
    """Whatever the number of varying effects."""
    m, log_det = _m_and_log_det(batch, factor)
    m_ztx = np.einsum("bijn,bjan->bian", m, batch.ztx)
    s = batch.xtx - np.einsum("bian,bicn->bac", batch.ztx, m_ztx)
    c_inverse = np.linalg.inv(s)
    fixef = np.einsum("bac,bc->ba", c_inverse, batch.xty - np.einsum("bian,bin->ba", m_ztx, batch.zty))
    residual = batch.zty - np.einsum("bian,ba->bin", batch.ztx, fixef)
    m_residual = np.einsum("bijn,bjn->bin", m, residual)
    r_squared = _rss(batch, fixef) - np.einsum("bin,bin->b", residual, m_residual)
    r_squared = np.maximum(r_squared, np.finfo(float).tiny + 1e-15 * batch.yty)
    v = residual - np.einsum("bijn,bjn->bin", batch.ztz, m_residual)
    vtv = np.einsum("bin,bkn->bik", v, v)
    value = log_det + np.linalg.slogdet(s)[1] + batch.df * (1.0 + np.log(2.0 * np.pi * r_squared / batch.df))
    g = _design_gradient(batch, m, m_ztx, c_inverse) - (batch.df / r_squared)[:, None, None] * vtv
    sigma = np.sqrt(r_squared / batch.df)
    fixef_se = sigma[:, None] * np.sqrt(np.maximum(np.diagonal(c_inverse, axis1=1, axis2=2), 0.0))
    return Profiles(value, g, fixef, fixef_se, sigma, vtv)


def _modes(batch: Batch, factor: Floats, fixef: Floats) -> Floats:
    """(B, q, J) conditional modes of the group effects, S v."""
    if batch.closed is not None:
        v = sums(batch.closed, factor, fixef)
        return np.asarray(factor @ (np.swapaxes(factor, 1, 2) @ v))
    m, _ = _m_and_log_det(batch, factor)
    residual = batch.zty - np.einsum("bian,ba->bin", batch.ztx, fixef)
    return np.einsum("bijn,bjn->bin", m, residual)


def _rss(batch: Batch, fixef: Floats) -> Floats:
    """(B,) sums of squares of y - X beta."""
    return batch.yty - 2.0 * (fixef * batch.xty).sum(axis=1) + ((fixef[:, None] @ batch.xtx)[:, 0] * fixef).sum(axis=1)


def _m_and_log_det(batch: Batch, factor: Floats) -> tuple[Floats, Floats]:
    """M_j (B, q, q, J), and log-determinants of W summed over groups (B,)."""
    a = np.einsum("bji,bjkn->bikn", factor, np.einsum("bijn,bjk->bikn", batch.ztz, factor))
    a[:, range(batch.q), range(batch.q)] += 1.0
    inverse, log_det = _swept(a)
    half = np.einsum("bij,bjkn->bikn", factor, inverse)
    return np.einsum("bijn,bkj->bikn", half, factor), log_det


def _swept(a: Floats) -> tuple[Floats, Floats]:
    """Inverses of positive definite `a` (B, q, q, J) and log-determinants summed over groups (B,), by Gauss and Jordan.

    No pivoting is needed: no eigenvalue is below 1.
    """
    log_det = np.zeros(len(a))
    for k in range(a.shape[1]):
        pivot, column = a[:, k, k].copy(), a[:, :, k].copy()
        row = a[:, k] / pivot[:, None]
        a = a - column[:, :, None] * row[:, None]
        a[:, k], a[:, :, k], a[:, k, k] = row, -column / pivot[:, None], 1.0 / pivot
        log_det += np.log(pivot).sum(axis=-1)
    return a, log_det


def _design_gradient(batch: Batch, m: Floats, m_ztx: Floats, c_inverse: Floats) -> Floats:
    """(B, q, q) the part of G that does not depend on the outcome."""
    m_ztz = np.einsum("bijn,bjkn->bikn", m, batch.ztz)
    u = batch.ztx - np.einsum("bijn,bjan->bian", batch.ztz, m_ztx)
    uc = np.einsum("bian,bac->bicn", u, c_inverse)
    g = batch.ztz.sum(axis=-1) - np.einsum("bijn,bjkn->bik", batch.ztz, m_ztz)
    return np.asarray(g - np.einsum("bian,bkan->bik", uc, u))


def theta_gradient(covariance_gradient: Floats, factor: Floats) -> Floats:
    """(B, q (q + 1) / 2) the gradient 2 G L, in the order of theta."""
    rows, columns = lower_triangle(factor.shape[-1])
    return 2.0 * (covariance_gradient @ factor)[:, rows, columns]


def natural_scale(batch: Batch) -> Floats:
    """(B, q) SD of an average group's own estimate, in residual SDs: the size from which a group SD shows."""
    return 1.0 / np.sqrt(np.diagonal(batch.ztz.mean(axis=-1), axis1=1, axis2=2))


@dataclass(frozen=True)
class Fits:
    """B fits of the same groups and terms."""

    factor: Floats  # (B, q, q) relative
    value: Floats  # (B,) REML criterion
    fixef: Floats  # (B, p)
    fixef_se: Floats  # (B, p)
    sigma: Floats  # (B,)
    modes: Floats  # (B, q, J) conditional modes of the group effects

    @property
    def sigma_group(self) -> Floats:
        """(B, q)"""
        return self.sigma[:, None] * np.sqrt((self.factor**2).sum(axis=2))


def fit_in_blocks(batch: Batch, covariance: Floats) -> Fits:
    """Fit every problem by REML, as many at once as fit well in memory; `covariance` as for `fit_batch`."""
    parts = []
    for which in blocks(len(batch.yty), batch):
        some = batch.taken(which)
        factor, at = fit_batch(some, covariance)
        modes = _modes(some, factor, at.fixef)
        parts.append((factor, at.value, at.fixef, at.fixef_se, at.sigma, modes))
    return Fits(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def standard_errors(batch: Batch, fits: Fits, varying: tuple[int, ...]) -> Floats:
    """(B, p, J) joint standard errors of the group estimates, as `tasks.stats.fits.intervals.joint_se`."""
    parts = []
    for which in blocks(len(fits.sigma), batch):
        m, _ = _m_and_log_det(batch, fits.factor[which])
        m_ztx = np.einsum("bijn,bjan->bian", m, batch.ztx)
        c_inverse = np.linalg.inv(batch.xtx - np.einsum("bian,bicn->bac", batch.ztx, m_ztx))
        p = batch.xtx.shape[-1]
        keep = np.broadcast_to(np.eye(p)[None, :, :, None], (which.size, p, p, m.shape[-1])).copy()
        keep[:, list(varying)] -= m_ztx
        variance = np.einsum("bkan,bac,bkcn->bkn", keep, c_inverse, keep, optimize=True)
        variance[:, list(varying)] += np.einsum("biin->bin", m)
        parts.append(fits.sigma[which, None, None] * np.sqrt(np.maximum(variance, 0.0)))
    return np.concatenate(parts)


def blocks(n: int, batch: Batch) -> list[np.ndarray]:
    """The positions of `n` problems, in blocks that suit the memory."""
    q, p, n_groups = batch.ztx.shape[1:]
    return np.array_split(np.arange(n), min(n, -(-n * q * p * n_groups // BLOCK_VALUES)))


def fit_batch(batch: Batch, covariance: Floats) -> tuple[Floats, Profiles]:
    """Minimise the criterion of every problem: relative factors (B, q, q) and the profiles there.

    The search starts inside, at `covariance` (q, q) of the group effects relative to sigma^2, plus what
    sampling alone would show. It needs no bounds: the criterion is a smooth even function of each column
    of the factor, so a minimum on the boundary is one with a column of 0. If the data speak against the
    boundary there (G is not positive semidefinite), another search starts.
    """
    start = covariance + natural_scale(batch)[:, :, None] ** 2 * np.eye(batch.q)
    factor = _descend(batch, np.broadcast_to(start, (len(batch.yty), *covariance.shape)))
    best = profiles(batch, factor)
    for _ in range(MOST_ESCAPES):
        which, inside = _escapes(batch, factor, best)
        if not which.size:
            break
        some = batch.taken(which)
        candidate = _descend(some, inside)
        lower = which[profiles(some, candidate).value < best.value[which] - NO_GAIN]
        if not lower.size:
            break
        factor[lower] = candidate[np.isin(which, lower)]
        best = profiles(batch, factor)
    return factor, best


def _descend(batch: Batch, start: Floats) -> Floats:
    """Relative factors (B, q, q) at the minima that BFGS reaches from the covariances `start` (B, q, q)."""
    q = batch.q
    rows, columns = lower_triangle(q)
    scale = natural_scale(batch)[:, rows]

    def objective(x: Floats, which: np.ndarray) -> tuple[Floats, Floats]:
        here = _taken(scale, which)
        factor = factors(x * here, q)
        at = profiles(batch.taken(which), factor)
        return at.value, here * theta_gradient(at.covariance_gradient, factor)

    x, _ = minimise(objective, np.linalg.cholesky(start)[:, rows, columns] / scale)
    return snapped(batch, factors(x * scale, q))


def snapped(batch: Batch, factor: Floats) -> Floats:
    """The factors with almost no variance in a direction set to none, if the criterion hardly rises.

    No diagonal element is negative.
    """
    scale = natural_scale(batch)[:, :, None]
    relative = factor / scale
    unsigned, flat = (
        scale * semidefinite_factor(relative @ np.swapaxes(relative, 1, 2), tolerance) for tolerance in (0.0, SNAP)
    )
    allowed = profiles(batch, flat).value <= profiles(batch, factor).value + NO_GAIN / 10
    return np.where(allowed[:, None, None], flat, unsigned)


def _escapes(batch: Batch, factor: Floats, at: Profiles) -> tuple[np.ndarray, Floats]:
    """Problems (b,) in which variance in some direction would lower the criterion, and starts (b, q, q) that have it.

    The starts are covariances away from the boundary.
    """
    scale = natural_scale(batch)
    values, vectors = np.linalg.eigh(scale[:, :, None] * at.covariance_gradient * scale[:, None])
    which = np.flatnonzero(values[:, 0] < -1e-5 * np.maximum(1.0, np.abs(values).max(axis=1)))
    here = _taken(scale, which)
    direction = here * vectors[which, :, 0]
    extra = direction[:, :, None] * direction[:, None, :] + 1e-6 * here[:, :, None] ** 2 * np.eye(batch.q)
    return which, factor[which] @ np.swapaxes(factor[which], 1, 2) + 0.1 * extra
