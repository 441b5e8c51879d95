"""Influential groups: how far the fixed effects move when one group is left out of the partial-pooling fit.

For the estimates b of all groups and b_(j) of all but group j: DFBETAS = (b - b_(j)) / SE of b_(j), and
Cook's distance (b - b_(j))' C^-1 (b - b_(j)) / p with C the covariance of b (Belsley, Kuh & Welsch 1980;
for mixed models Nieuwenhuis, te Grotenhuis & Pelzer 2012, The R Journal 4(2)). A move by more than one
standard error matters (Bollen & Jackman 1990). With few groups, each weighs so much that chance alone makes such
moves: of 60 simulated studies of 6 groups from the model itself, 36 had such a group, and of 8 groups 29. So a
group is called influential only if it is also farther out than chance explains. As b is efficient, var(b - b_(j)) =
var(b_(j)) - var(b) (Hausman 1978, Econometrica 46), so that DFBETAS / sqrt(1 - var(b) / var(b_(j))) is the group's
deleted residual, about t with J - 2 degrees of freedom; all groups and effects share one error rate (Bonferroni, as the
outlier test of Cook & Weisberg 1982). This is exact for one mean of groups of equal precision, else approximate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from tasks.stats.fits.batched_reml import batch_of_several, fit_in_blocks
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.pooling import has_full_rank
from tasks.stats.fits.reml import MixedModel, mixed_model, profile
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, PartialPooling

FEWEST_GROUPS = 3
# With more groups (times squared varying effects) than this, variances are kept: one step per group, not a refit.
REFITS_LIMIT = 400
CHANCE = 0.01  # share of studies without an unusual group in which one may still be called influential


@dataclass(frozen=True)
class Influence:
    """NaN for a group without which the fixed effects cannot be estimated."""

    dfbetas: Floats  # (J, p) how far the group's rows move each fixed effect, in standard errors
    cooks_distance: Floats  # (J,)
    is_refitted: bool  # the whole model without each group; if not, with the variances of the fit to all
    largest: Floats  # (J,) largest absolute move among the fixed effects
    by_chance: Floats  # (J, p) standard errors that no move exceeds in 99 of 100 studies whose groups are alike

    @property
    def most(self) -> float:
        return float(np.nanmax(self.largest, initial=0.0))

    @property
    def n_not_estimable(self) -> int:
        return int(np.isnan(self.largest).sum())


def influence(products: ModelCrossProducts, fit: PartialPooling) -> Influence | None:
    """How far each group moves the fixed effects of `fit`; None for fewer than FEWEST_GROUPS groups."""
    n_groups = len(products.labels)
    if n_groups < FEWEST_GROUPS:
        return None
    is_refitted = n_groups * len(fit.varying) ** 2 <= REFITS_LIMIT
    model = mixed_model(products, fit.varying, fit.criterion)
    at = profile(model, fit.theta)
    step = _one_step(products, model, fit)
    without, se = _refits(products, fit) if is_refitted else step
    identified = has_full_rank(products.xtx.sum(axis=0) - products.xtx)
    without[~identified], se[~identified] = np.nan, np.nan
    moved = at.fixef - without
    dfbetas = moved / se
    covariance = at.sigma**2 * at.unscaled_cov
    return Influence(
        dfbetas=dfbetas,
        cooks_distance=np.einsum("jk,kl,jl->j", moved, np.linalg.inv(covariance), moved) / products.p,
        is_refitted=is_refitted,
        largest=np.abs(dfbetas).max(axis=1),
        by_chance=_by_chance(1.0 - np.diag(covariance) / step[1] ** 2),
    )


def _by_chance(share: Floats) -> Floats:
    """(J, p) the largest moves that chance explains, in standard errors; NaN where `share` is NaN.

    `share` (J, p) is the group's share of the information on each effect.
    """
    farthest = stdtrit(max(len(share) - 2, 1), 1.0 - CHANCE / (2.0 * share.size))
    return np.asarray(farthest * np.sqrt(np.clip(share, 0.0, 1.0)))


def _refits(products: ModelCrossProducts, fit: PartialPooling) -> tuple[Floats, Floats]:
    """Fixed effects and standard errors (J, p) of the whole model fitted without each group, started from the fit."""
    without, se = np.full((2, len(products.labels), products.p), np.nan)
    usable = np.flatnonzero(has_full_rank(products.xtx.sum(axis=0) - products.xtx))
    if usable.size:
        fewer = [replace(products, gram=_emptied(products.gram, int(j))) for j in usable]
        found = fit_in_blocks(batch_of_several(fewer, fit.varying), fit.cov / fit.sigma**2)
        without[usable] = found.fixef
        se[usable] = np.where(found.fixef_se > 0.0, found.fixef_se, np.nan)  # 0: lost in rounding
    return without, se


def _emptied(gram: Floats, group: int) -> Floats:
    """Without the group's rows."""
    emptied = gram.copy()
    emptied[group] = 0.0
    return emptied


def _one_step(products: ModelCrossProducts, model: MixedModel, fit: PartialPooling) -> tuple[Floats, Floats]:
    """As `_refits`, but with theta and sigma of the fit to all groups: exact generalised least squares, O(J)."""
    at = profile(model, fit.theta)
    weighted = products.gram - np.swapaxes(model.ztw, 1, 2) @ at.m @ model.ztw
    rest = weighted.sum(axis=0) - weighted
    usable = has_full_rank(rest[:, :-1, :-1])
    without, se = np.full((2, len(rest), products.p), np.nan)
    inverse = np.linalg.inv(rest[usable, :-1, :-1])
    without[usable] = (inverse @ rest[usable, :-1, -1:])[..., 0]
    se[usable] = at.sigma * np.sqrt(np.diagonal(inverse, axis1=1, axis2=2))
    return without, se


def beyond(found: Influence, limit: float) -> np.ndarray:
    """Positions of the groups that move a fixed effect by more than `limit` standard errors, the largest move first."""
    size = np.nan_to_num(found.largest, nan=0.0)
    order = np.argsort(-size, kind="stable")
    return order[size[order] > limit]


def influential(found: Influence, limit: float) -> np.ndarray:
    """Positions of the groups that are `beyond` the limit and farther out than chance explains."""
    groups = beyond(found, limit)
    return groups[(_excess(found, limit)[groups] > 1.0).any(axis=1)]


def _excess(found: Influence, limit: float) -> Floats:
    """(J, p) absolute moves, relative to the larger of `limit` and what chance explains; 0 for NaN."""
    return np.nan_to_num(np.abs(found.dfbetas) / np.maximum(limit, found.by_chance), nan=0.0)


def judge_influence(found: Influence | None, limit: float) -> tuple[Judgement, ...]:
    if found is None:
        return ()
    worst = np.unravel_index(_excess(found, limit).argmax(), found.dfbetas.shape)
    value, allowed = float(np.nan_to_num(np.abs(found.dfbetas[worst]))), float(np.fmax(limit, found.by_chance[worst]))
    if influential(found, limit).size:
        return (Judgement("influential_groups", "review", "some", value=value, limit=allowed),)
    case = "few groups" if beyond(found, limit).size else "none"
    return (Judgement("influential_groups", "pass", case, value=value, limit=allowed),)
