"""Do rows scatter more where more is expected, within groups? So do outcomes whose errors are multiplied, not added.

Absolute residuals, each in units of its group's own mean, against the fitted value about its group's mean (Glejser
1969, J. Am. Stat. Assoc. 64, studentised as by Koenker 1981, J. Econometrics 17): within groups, so that a residual SD
for each group is no answer to what it finds. Errors that multiply are skewed too: where rows are, weaker signs of
growth count. For a positive outcome the logarithm is an answer: the same model is fitted to it, and asked again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import chdtrc

from tasks.stats.fits.cross_products import centre_scaled, cross_products, scaling_of
from tasks.stats.fits.intervals import root_or_nan
from tasks.stats.fits.mean_structure import Fitted, mean_structure, refit
from tasks.stats.judged.assumptions import FEWEST_ROWS, expected_sd, fitted_and_residual
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, GroupedData, Scaling

CHANCE = 0.01
CHANCE_IF_SKEWED = 0.05
GROWTH = 1.25  # ratio of SDs that matters


@dataclass(frozen=True)
class Evenness:
    p_value: float  # NaN where fitted values do not differ within groups
    growth: float  # scatter of rows at the 90th percentile of their group's fitted values, over that at the 10th
    limit: float = CHANCE  # of the p-value

    @property
    def is_lacking(self) -> bool:
        return self.p_value < self.limit and max(self.growth, 1.0 / self.growth) >= GROWTH


@dataclass(frozen=True)
class Logarithm:
    """The same mixed model of the outcome's logarithm, by REML."""

    evenness: Evenness
    fixef: Floats  # (p + added,) per SD of each predictor
    se: Floats  # (p + added,)


@dataclass(frozen=True)
class MeanSpread:
    evenness: Evenness
    logarithm: Logarithm | None  # fitted where rows scatter unevenly and the outcome is positive

    @property
    def is_cured(self) -> bool:
        """Whether the logarithm of the outcome scatters evenly."""
        return self.logarithm is not None and not self.logarithm.evenness.is_lacking


def mean_spread(data: GroupedData, fit: Fitted, scaling: Scaling, *, is_skewed: bool = False) -> MeanSpread:
    """`data` are all rows or a sample of them; `is_skewed` if they scatter farther upwards than downwards."""
    found = _tested(data, fit, scaling)
    if is_skewed and found.growth > 1:
        found = replace(found, limit=CHANCE_IF_SKEWED)
    is_asked = found.is_lacking and data.y.min() > 0
    return MeanSpread(found, _of_logarithm(data, fit, scaling) if is_asked else None)


def _of_logarithm(data: GroupedData, fit: Fitted, scaling: Scaling) -> Logarithm:
    logged = replace(data, y=np.log(data.y))
    sums = cross_products(logged)
    own = scaling_of(sums)
    scaling = replace(scaling, outcome_center=own.outcome_center, outcome_scale=own.outcome_scale)
    made = refit(mean_structure(centre_scaled(sums, scaling), fit.structure.added), fit.varying)
    se = made.at.sigma * root_or_nan(np.diag(made.at.unscaled_cov))
    return Logarithm(_tested(logged, made, scaling), made.at.fixef, se)


def _tested(data: GroupedData, fit: Fitted, scaling: Scaling) -> Evenness:
    expected, residual = fitted_and_residual(data, fit, scaling)
    size = np.abs(residual / expected_sd(data, fit, scaling))
    enough = np.bincount(data.group_index, minlength=data.n_groups)[data.group_index] >= FEWEST_ROWS
    index, expected, size = data.group_index[enough], expected[enough], size[enough]
    mean = _means(size, index, data.n_groups)
    away = expected - _means(expected, index, data.n_groups)
    information = float(away @ away)
    if information <= 1e-12 * float(expected @ expected) or not mean.all():
        return Evenness(np.nan, 1.0)
    relative = size / mean - 1.0
    slope = float(away @ relative) / information
    statistic = slope**2 * information / float(relative.var())
    low, high = (max(1.0 + slope * end, 0.01) for end in np.quantile(away, [0.1, 0.9]))
    return Evenness(float(chdtrc(1, statistic)), float(high / low))


def _means(values: Floats, index: np.ndarray, n_groups: int) -> Floats:
    """(N,) the mean of each row's group."""
    n = np.maximum(np.bincount(index, minlength=n_groups), 1)
    return (np.bincount(index, weights=values, minlength=n_groups) / n)[index]


def judge_mean_spread(found: MeanSpread) -> tuple[Judgement, ...]:
    kind, value, limit = "mean_spread", found.evenness.growth, GROWTH
    if not found.evenness.is_lacking:
        return (Judgement(kind, "pass", "even", value=value, limit=limit),)
    case = "logarithm" if found.is_cured else "uneven"
    return (Judgement(kind, "fail", case, value=value, limit=limit, against="every model"),)
