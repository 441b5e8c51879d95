"""Do rows scatter around their group's expectation as the model assumes: alike in every group, and normally?

Equal spread: the test of Brown & Forsythe (1974), J. Am. Stat. Assoc. 69(346), on the REML fit's residuals. With
many rows it finds differences that do not matter, so the size of the difference stands beside it: the ratio of the
largest to the smallest group SD once chance is taken out. Normal shape: a Q-Q plot with a simultaneous band.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import betaincinv, chdtrc, chdtri, digamma, fdtrc, ndtri, polygamma

from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.fits.mean_structure import Fitted
from tasks.stats.judged.predictive import group_medians
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, GroupedData, Integers, Scaling
from tasks.study.settings import Thresholds

FEWEST_ROWS = 5  # of a group whose spread is compared; deviations from the median of fewer rows are too regular
QQ_POINTS = 200
BINS = 10  # of the rows, in order of their fitted value or of something else
LEVEL = 0.05
# `local_level` by 60,000 simulations or more; for larger n the asymptotic formula is good.
_SMALL_N = np.array([1, 2, 3, 5, 8, 12, 20, 30, 50, 80])
_SMALL_N_LEVELS = np.array([0.05, 0.0266, 0.0185, 0.0123, 0.00854, 0.00659, 0.00478, 0.00397, 0.00298, 0.00242])


@dataclass(frozen=True)
class QQ:
    """Standardised residuals in order against normal quantiles; QQ_POINTS of them at most, both ends kept."""

    normal: Floats  # (points,)
    residual: Floats  # (points,)
    lower: Floats  # (points,) simultaneous 95 % band
    upper: Floats  # (points,)
    n_outside: int  # of all rows given
    skewness: float  # 0 for a normal
    kurtosis: float  # 3 for a normal


@dataclass(frozen=True)
class ResidualBins:
    """Residuals by what rows are put in order by, in at most BINS bins with about equal numbers of rows."""

    at: Floats  # (bins,) median of what rows are in order by
    median: Floats  # (bins,) of the residuals
    sd: Floats  # (bins,) of the residuals


@dataclass(frozen=True)
class Assumptions:
    n: Integers  # (J,)
    group_sd: Floats  # (J,) residual SD of each group, of all its rows; NaN where it has fewer than FEWEST_ROWS
    group_sd_lower: Floats  # (J,) 95 % interval
    group_sd_upper: Floats  # (J,)
    sigma: float  # the pooled residual SD
    f: float  # Brown-Forsythe, of the rows given; NaN where fewer than two groups can be compared
    df: tuple[int, int]
    p_value: float
    n_compared: int  # groups with at least FEWEST_ROWS rows
    ratio: float  # largest to smallest group SD, chance taken out
    spread_of_log_sd: float  # SD between groups of the logarithm of their SD, chance taken out
    apart: Integers  # positions of groups whose own spread clearly differs, the largest difference first
    qq: QQ
    by_fitted: ResidualBins
    n_rows_used: int
    p_limit: float
    ratio_limit: float

    @property
    def is_unequal(self) -> bool:
        return bool(self.p_value < self.p_limit and self.ratio >= self.ratio_limit)

    @property
    def likeness(self) -> Literal["nearly alike", "hinted", "alike"]:
        """What the test says of groups that are not unequal.

        "nearly alike": they differ, but too little to matter; "hinted": they may differ; "alike": no difference found.
        """
        if self.p_value < self.p_limit:
            return "nearly alike"
        return "hinted" if self.p_value < LEVEL else "alike"


def assumptions(data: GroupedData, fit: Fitted, scaling: Scaling, limits: Thresholds) -> Assumptions:
    """Check both assumptions of a fit.

    `data` are all rows or a sample; the groups' SDs are of all rows, from cross-products.
    """
    expected, residual = fitted_and_residual(data, fit, scaling)
    standardised = residual / expected_sd(data, fit, scaling)
    f, df, p_value = brown_forsythe(standardised, data.group_index, data.n_groups)
    qq = qq_plot(standardised)
    n, sd = group_sd(fit)
    tails = excess_kurtosis(standardised, data.group_index, data.n_groups)
    compared, sigma = np.isfinite(sd), fit.at.sigma
    freedom = np.where(compared, n - 1.0, 1.0) / (1.0 + tails / 2.0)
    spread, shrunken = _without_chance(sd[compared], freedom[compared])
    lower, upper = _sd_interval(sd, freedom)
    return Assumptions(
        n=n.round().astype(np.int64),
        group_sd=sd,
        group_sd_lower=lower,
        group_sd_upper=upper,
        sigma=sigma,
        f=f,
        df=df,
        p_value=p_value,
        n_compared=int(compared.sum()),
        ratio=float(np.exp(np.ptp(shrunken))) if shrunken.size else 1.0,
        spread_of_log_sd=spread,
        apart=_apart(sd, freedom, sigma) if p_value < limits.equal_spread_p else np.empty(0, dtype=np.int64),
        qq=qq,
        by_fitted=residual_bins(expected, residual),
        n_rows_used=data.n_rows,
        p_limit=limits.equal_spread_p,
        ratio_limit=limits.equal_spread_ratio,
    )


def fitted_and_residual(data: GroupedData, fit: Fitted, scaling: Scaling) -> tuple[Floats, Floats]:
    """(N,) each, in the outcome's unit: the fit's expectation of each row in its group, and its residual."""
    x = design_matrix(data, scaling)
    expected = np.einsum("np,np->n", x, fit.coef[data.group_index])
    for at, column in enumerate(fit.structure.squared):
        expected += fit.at.fixef[fit.structure.n_own + at] * x[:, column] ** 2
    return expected, data.y - expected


def expected_sd(data: GroupedData, fit: Fitted, scaling: Scaling) -> Floats:
    """(N,) SD that the model expects of each residual: sigma sqrt(1 - h), h = z' M_j z.

    Small groups' estimates follow their rows, which makes residuals smaller there: Nobre & Singer (2007), Biom. J.
    49(6).
    """
    z = design_matrix(data, scaling)[:, list(fit.varying)]
    leverage = np.einsum("nk,nkl,nl->n", z, fit.at.m[data.group_index], z, optimize=True)
    return np.asarray(fit.at.sigma * np.sqrt(np.maximum(1.0 - leverage, 1e-12)))


def brown_forsythe(residual: Floats, group_index: Integers, n_groups: int) -> tuple[float, tuple[int, int], float]:
    """F, its degrees of freedom and p over the groups with at least FEWEST_ROWS rows; NaN for fewer than two."""
    order = np.argsort(group_index, kind="stable")
    sizes = np.bincount(group_index, minlength=n_groups)
    medians = group_medians(residual[order], sizes)
    kept = (sizes >= FEWEST_ROWS)[group_index]
    _, index, sizes = np.unique(group_index[kept], return_inverse=True, return_counts=True)
    deviation, k, n = np.abs(residual - medians[group_index])[kept], sizes.size, index.size
    if k < 2:
        return float("nan"), (max(k - 1, 0), max(n - k, 0)), float("nan")
    means = np.bincount(index, deviation) / sizes
    between = (sizes * (means - deviation.mean()) ** 2).sum() / (k - 1)
    within = ((deviation - means[index]) ** 2).sum() / (n - k)
    f = float(between / within) if within > 0 else float("nan")
    return f, (k - 1, n - k), float(fdtrc(k - 1, n - k, f))


def group_sd(fit: Fitted) -> tuple[Floats, Floats]:
    """Rows (J,), and SD (J,) of the residuals around their group's own mean residual; NaN below FEWEST_ROWS rows."""
    n, sd = fit.structure.n, fit.residual_sd
    return n, np.where((n >= FEWEST_ROWS) & (sd > 0), sd, np.nan)


def _without_chance(sd: Floats, freedom: Floats) -> tuple[float, Floats]:
    """SD between groups of the log SD, and each group's log SD shrunk to the average as far as chance explains it.

    log s^2 estimates log sigma^2 with bias digamma(v / 2) - log(v / 2) and variance trigamma(v / 2) for v degrees of
    freedom (Bartlett & Kendall 1946). Moments between groups: DerSimonian & Laird (1986), Control. Clin. Trials 7(3).
    """
    if sd.size < 2:
        return 0.0, np.zeros(sd.size)
    value = np.log(sd) - 0.5 * (digamma(freedom / 2.0) - np.log(freedom / 2.0))
    noise = 0.25 * polygamma(1, freedom / 2.0)
    w = 1.0 / noise
    mean = (w * value).sum() / w.sum()
    excess = (w * (value - mean) ** 2).sum() - (sd.size - 1)
    between = max(float(excess / (w.sum() - (w**2).sum() / w.sum())), 0.0)
    mean = np.average(value, weights=1.0 / (between + noise))
    return float(np.sqrt(between)), mean + between / (between + noise) * (value - mean)


def _sd_interval(sd: Floats, freedom: Floats) -> tuple[Floats, Floats]:
    """Chi-square interval (J,), on degrees of freedom that heavy tails have cut (Layard 1973; Shoemaker 2003)."""
    return sd * np.sqrt(freedom / chdtri(freedom, LEVEL / 2)), sd * np.sqrt(freedom / chdtri(freedom, 1 - LEVEL / 2))


def _apart(sd: Floats, freedom: Floats, sigma: float) -> Integers:
    """Positions of groups whose interval, at LEVEL over all groups (Bonferroni), excludes the pooled SD.

    The largest difference comes first.
    """
    compared = np.flatnonzero(np.isfinite(sd))
    above = chdtrc(freedom[compared], freedom[compared] * (sd[compared] / sigma) ** 2)
    apart = compared[np.minimum(above, 1.0 - above) < LEVEL / 2 / max(compared.size, 1)]
    return apart[np.argsort(-np.abs(np.log(sd[apart] / sigma)), kind="stable")].astype(np.int64)


def excess_kurtosis(residual: Floats, group_index: Integers, n_groups: int) -> float:
    """Excess kurtosis within groups of at least FEWEST_ROWS rows, each in units of its own SD; never below 0.

    Groups are weighted by rows, and the bias of small samples is taken out: for normal rows, the fourth moment over the
    squared second moment has the expectation 3 (n - 1) / (n + 1).
    """
    n = np.bincount(group_index, minlength=n_groups)
    mean = np.bincount(group_index, residual, n_groups) / np.maximum(n, 1)
    square = (residual - mean[group_index]) ** 2
    second, fourth = (np.bincount(group_index, square**k, n_groups) / np.maximum(n, 1) for k in (1, 2))
    kept = (n >= FEWEST_ROWS) & (second > 0)
    if not kept.any():
        return 0.0
    n, ratio = n[kept], fourth[kept] / second[kept] ** 2
    return max(float(np.average(ratio - 3.0 * (n - 1) / (n + 1), weights=n)), 0.0)


def qq_plot(standardised: Floats) -> QQ:
    """The Q-Q plot of residuals (N,) that the model expects to be standard normal."""
    ordered = np.sort(standardised)
    n = ordered.size
    lower, upper = qq_band(n)
    shown = np.unique(np.linspace(0, n - 1, min(QQ_POINTS, n)).round().astype(int))
    deviation = ordered - ordered.mean()
    spread = float(np.sqrt(np.mean(deviation**2)))
    return QQ(
        normal=ndtri((shown + 0.5) / n),
        residual=ordered[shown],
        lower=lower[shown],
        upper=upper[shown],
        n_outside=int(((ordered < lower) | (ordered > upper)).sum()),
        skewness=float(np.mean(deviation**3) / spread**3),
        kurtosis=float(np.mean(deviation**4) / spread**4),
    )


def qq_band(n: int) -> tuple[Floats, Floats]:
    """(n,) each: simultaneous 95 % band for n standard normal values in order.

    The i-th smallest of n uniforms is beta(i, n + 1 - i), and each is held to the same local level.
    """
    rank, local = np.arange(1.0, n + 1), local_level(n)
    return ndtri(betaincinv(rank, n + 1 - rank, local / 2)), ndtri(betaincinv(rank, n + 1 - rank, 1 - local / 2))


def local_level(n: int) -> float:
    """The local level that gives 95 % overall: Gontscharuk, Landwehr & Finner (2016), Bernoulli 22(3).

    For small n it was simulated.
    """
    if n <= _SMALL_N[-1]:
        return float(np.exp(np.interp(np.log(n), np.log(_SMALL_N), np.log(_SMALL_N_LEVELS))))
    log2 = np.log(np.log(n))
    return float(-np.log(1.0 - LEVEL) / (2.0 * log2 * np.log(n)) * (1.0 - 1.3 * np.log(log2) / log2))


def residual_bins(order_by: Floats, residual: Floats) -> ResidualBins:
    """Rows with equal values of `order_by` (N,) are in one bin, so that a predictor of two values has two."""
    _, value, n_equal = np.unique(order_by, return_inverse=True, return_counts=True)
    middle = (np.cumsum(n_equal) - n_equal / 2)[value] / order_by.size
    place = np.floor(middle * min(BINS, order_by.size)).astype(int)
    parts = [np.flatnonzero(place == k) for k in np.unique(place)]
    return ResidualBins(
        at=np.array([np.median(order_by[part]) for part in parts]),
        median=np.array([np.median(residual[part]) for part in parts]),
        sd=np.array([residual[part].std() for part in parts]),
    )


def judge_equal_spread(found: Assumptions) -> tuple[Judgement, ...]:
    kind, limit = "equal_spread", found.ratio_limit
    if found.n_compared < 2:
        return (Judgement(kind, "pass", "not compared", limit=limit),)
    if found.is_unequal:
        return (Judgement(kind, "review", "unequal", value=found.ratio, limit=limit, against="partial_pooling"),)
    # A ratio above the limit may be due to chance here, so it is not given as the value.
    value = found.ratio if found.ratio < limit else None
    return (Judgement(kind, "pass", found.likeness, value=value, limit=limit),)
