"""Unintended shrinkage: do small groups differ, so that the average they are pulled to does not suit them?

Partial pooling draws a group with few rows towards the average of all groups. If a group's level depends on its size
– small hospitals with worse outcomes, say – that average is wrong for small groups, and so are their estimates
(Silber et al. 2010, *Health Serv. Res.* 45; George et al. 2017, arXiv:1510.00842). Here:

- the trend: a random-effects meta-regression (REML, Knapp-Hartung) of the adjusted levels on log n_j;
- the refit: the fullest mixed model with log n_j as a group-level predictor, and the groups whose side of the average
  it changes;
- the calibration: rows left out in turn, and their mean error of prediction, by group size
  (`tasks.stats.judged.size_calibration`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tasks.stats.fits.cross_products import ModelCrossProducts, with_group_columns
from tasks.stats.fits.intervals import Z_95
from tasks.stats.fits.meta_regression import meta_regression
from tasks.stats.fits.pooling import has_full_rank
from tasks.stats.fits.reml import fit, mixed_model, profile
from tasks.stats.judged.funnel import Funnel
from tasks.stats.judged.missing_terms import MissingTerm
from tasks.stats.judged.size_calibration import FittedModel, SizeBin, calibration_by_size
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, GroupedData, Integers, PartialPooling, Scaling

FEWEST_GROUPS = 5
HINTED = 0.05  # as by chance in one study of twenty
CHANCE = 0.01  # share of studies without a trend in which a trend may be called clear
LOG_2 = float(np.log(2.0))

WhyNone = Literal["few groups", "one size", "told by predictor"]


@dataclass(frozen=True)
class GroupLevels:
    """Each group's level under one fit, its joint 95 % interval, and the level of the average group."""

    average: float
    level: Floats  # (J,)
    lower: Floats  # (J,)
    upper: Floats  # (J,)

    @property
    def side(self) -> Integers:
        """(J,) 1: the whole interval lies above the average, -1: below, 0: neither."""
        return (self.lower > self.average).astype(np.int64) - (self.upper < self.average)


@dataclass(frozen=True)
class SizeTrend:
    """Levels are in the outcome's unit; the trend is per doubling of the number of rows."""

    per_doubling: float
    per_doubling_se: float
    per_doubling_lower: float
    per_doubling_upper: float
    center: float  # level on the trend at a group of `typical_size`
    center_se: float
    covariance: float  # of center and per_doubling
    typical_size: float  # geometric mean of the numbers of rows
    df: int
    tau: float  # SD of the levels about the average
    tau_left: float  # SD of the levels about the trend
    small_size: float  # rows of a small group: a tenth of the groups have fewer
    large_size: float  # rows of a large group: a tenth of the groups have more
    plain: GroupLevels  # of the fullest mixed model
    with_size: GroupLevels  # of the same model with log n_j added
    calibration: tuple[SizeBin, ...]
    is_clear: bool  # the trend's 99 % interval excludes 0
    is_material: bool  # the trend is large enough to matter

    @property
    def is_hinted(self) -> bool:
        """Not clear, but the 95 % interval excludes 0, as it does by chance in one study of twenty."""
        return not self.is_clear and self.per_doubling_lower * self.per_doubling_upper > 0

    @property
    def flipped(self) -> Integers:
        """Positions of the groups whose `side` the refit changes."""
        return np.flatnonzero(self.plain.side != self.with_size.side)

    @property
    def difference(self) -> float:
        """Level of a large group less that of a small one, on the trend."""
        return float(self.per_doubling * np.log2(self.large_size / self.small_size))

    def at(self, n: Floats) -> tuple[Floats, Floats]:
        """The trend's level at groups of `n` rows, and its standard error."""
        doublings = np.log2(n / self.typical_size)
        variance = self.center_se**2 + 2.0 * doublings * self.covariance + (doublings * self.per_doubling_se) ** 2
        return self.center + self.per_doubling * doublings, np.sqrt(np.maximum(variance, 0.0))


def why_no_trend(sizes: Integers | Floats) -> WhyNone:
    """Why `size_trend` gave None for groups of these sizes (J,)."""
    if sizes.size < FEWEST_GROUPS:
        return "few groups"
    return "one size" if sizes.min() == sizes.max() else "told by predictor"


def size_trend(
    found: Funnel,
    fullest: PartialPooling,
    data: GroupedData,
    products: ModelCrossProducts,
    scaling: Scaling,
    matters: float,
    seed: int,
) -> SizeTrend | None:
    """The trend of group levels with size; None if there is none to fit (`why_no_trend` says why).

    `data` are all rows or a sample, for the calibration. The trend matters when it sets large groups (90th
    percentile of size) at least `matters` group SDs apart from small ones (10th).
    """
    log_size = _log_size(products.n)
    extended = with_group_columns(products, ("log n",), log_size[:, None])
    if found.n.size < FEWEST_GROUPS or not has_full_rank(extended.xtx.sum(axis=0)[None])[0]:
        return None
    fits = FittedModel(products, fullest.varying, fullest.theta), _fitted(extended, fullest.varying)
    trend = meta_regression(
        found.level, found.sigma**2 / found.n, np.column_stack([np.ones(found.n.size), log_size / LOG_2])
    )
    lower, upper = trend.interval()
    surely = trend.interval(1.0 - CHANCE)
    small, large = _small_and_large(products.n)
    return SizeTrend(
        per_doubling=float(trend.coef[1]),
        per_doubling_se=float(trend.se[1]),
        per_doubling_lower=float(lower[1]),
        per_doubling_upper=float(upper[1]),
        center=float(trend.coef[0]),
        center_se=float(trend.se[0]),
        covariance=float(trend.cov[0, 1]),
        typical_size=float(np.exp(np.log(products.n).mean())),
        df=trend.df,
        tau=found.tau,
        tau_left=trend.tau,
        small_size=small,
        large_size=large,
        plain=group_levels(fits[0]),
        with_size=group_levels(fits[1], log_size[:, None]),
        calibration=calibration_by_size(data, *fits, scaling, seed),
        is_clear=bool(surely[0][1] * surely[1][1] > 0),
        is_material=bool(abs(trend.coef[1]) * np.log2(large / small) >= matters * found.tau),
    )


def _log_size(n: Floats) -> Floats:
    """(J,) log n_j about its mean over the groups."""
    return np.asarray(np.log(n) - np.log(n).mean())


def _fitted(products: ModelCrossProducts, varying: tuple[int, ...]) -> FittedModel:
    return FittedModel(products, varying, fit(mixed_model(products, varying)).theta)


def _small_and_large(n: Floats) -> tuple[float, float]:
    """10th and 90th percentile of the sizes; the smallest and the largest where these are the same."""
    small, large = np.quantile(n, [0.1, 0.9])
    return (float(small), float(large)) if small < large else (float(n.min()), float(n.max()))


def group_levels(fitted: FittedModel, columns: Floats | None = None) -> GroupLevels:
    """Levels where the predictors are average, with joint intervals.

    `columns` (J, k) are the values of the model's last k columns, constant in a group. With c_j = [1, 0 .., columns_j]
    the level is c_j'beta + b_j0, and the variance of its error sigma^2 [k_j' C^-1 k_j + (M_j)_00],
    k_j' = c_j' - (M_j Z_j'X_j)_0, as in `tasks.stats.fits.intervals.joint_se`.
    """
    products = fitted.products
    model = mixed_model(products, fitted.varying)
    at = profile(model, fitted.theta)
    c = np.tile(np.eye(products.p)[0], (len(products.labels), 1))
    if columns is not None:
        c[:, -columns.shape[1] :] = columns
    effect = at.m[:, 0, None] @ model.ztw
    level = products.outcome_center + c @ at.fixef + effect[:, 0, -1] - effect[:, 0, :-1] @ at.fixef
    keep = c - effect[:, 0, :-1]
    variance = np.einsum("ja,ab,jb->j", keep, at.unscaled_cov, keep, optimize=True) + at.m[:, 0, 0]
    half = Z_95 * at.sigma * np.sqrt(np.maximum(variance, 0.0))
    return GroupLevels(float(at.fixef[0] + products.outcome_center), level, level - half, level + half)


def judge_size_trend(missing: MissingTerm | None, sizes: Integers | Floats) -> tuple[Judgement, ...]:
    """Judge whether partial pooling draws small groups to an average that does not suit them.

    `missing` is size as a term of the mixed model, None if the data cannot tell it; `sizes` (J,) are numbers of rows.
    """
    kind = "size_trend"
    if missing is None:
        return (Judgement(kind, "pass", why_no_trend(sizes)),)
    if missing.is_missing:
        return (Judgement(kind, "review", "clear", value=missing.coef, against="partial_pooling"),)
    case = "little" if missing.is_clear else "hinted" if missing.p_value < HINTED else "none"
    return (Judgement(kind, "pass", case, value=missing.coef),)
