"""Whether rows scatter as the model assumes."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from tasks.stats.judged.assumptions import Assumptions
from tasks.stats.records import Integers
from tasks.view.plain import by_label, listed
from tasks.view.summary.record import ByLabel, Count, Flag, Number, Record, Vector


class QqSummary(Record):
    """Q-Q plot: standardised residuals in order; at most 200 points."""

    normal: Vector = Field(description="quantiles of a standard normal")
    residual: Vector = Field(description="in SDs")
    lower: Vector = Field(description="simultaneous 95 % band")
    upper: Vector = Field(description="simultaneous 95 % band")
    n_outside: Count = Field(description="of all rows used, outside the band")
    skewness: Number = Field(description="0 for a normal")
    kurtosis: Number = Field(description="3 for a normal")


class ByFittedSummary(Record):
    """Tenths of the rows by fitted value."""

    fitted: Vector = Field(description="median fitted value, in the outcome's unit")
    median: Vector = Field(description="median residual")
    sd: Vector = Field(description="SD of the residuals")


class GroupSpreadSummary(Record):
    """One group."""

    n: Count = Field(description="rows")
    sd: Number = Field(description="residual SD, in the outcome's unit; null for fewer than 5 rows")
    lower: Number = Field(description="95 % limit")
    upper: Number = Field(description="95 % limit")


class AssumptionsSummary(Record):
    """Whether rows scatter as the model assumes."""

    sigma: Number = Field(description="posterior median of the residual SD, in the outcome's unit")
    f: Number = Field(description="Brown-Forsythe statistic of the standardised residuals")
    df: list[int] = Field(description="its degrees of freedom, between and within groups")
    p_value: Number = Field(description="of the Brown-Forsythe test")
    p_limit: Number = Field(description="a smaller p may call for review")
    ratio: Number = Field(description="largest to smallest group SD, chance taken out")
    ratio_limit: Number = Field(description="from which on the ratio matters")
    spread_of_log_sd: Number = Field(
        description="SD between groups of the logarithm of their residual SD, chance taken out"
    )
    is_unequal: Flag = Field(description="p is below and ratio at or above its limit")
    n_compared: Count = Field(description="groups with at least 5 rows")
    n_rows_used: Count = Field(description="rows that the test and the Q-Q plot are of")
    qq: QqSummary = Field(description="Q-Q plot: standardised residuals in order; at most 200 points")
    by_fitted: ByFittedSummary = Field(description="tenths of the rows by fitted value")
    apart: list[str] = Field(
        description="groups whose SD clearly differs from the pooled one, the largest difference first"
    )
    n_own_outside: Count = Field(description="groups whose own 95 % interval leaves out the SD of all")
    n_own_outside_by_chance: Number = Field(description="how many are to be expected if all scatter alike")
    groups: ByLabel[GroupSpreadSummary] = Field(description="by group label")


def assumptions_of(found: Assumptions, labels: tuple[str, ...]) -> AssumptionsSummary:
    groups = by_label(
        labels,
        n=found.n.tolist(),
        sd=listed(found.group_sd),
        lower=listed(found.group_sd_lower),
        upper=listed(found.group_sd_upper),
    )
    return AssumptionsSummary.of(
        found,
        apart=[labels[j] for j in found.apart],
        n_own_outside=own_outside(found).size,
        n_own_outside_by_chance=0.05 * found.n_compared,
        by_fitted=ByFittedSummary.of(found.by_fitted, fitted=found.by_fitted.at),
        groups=groups,
    )


def own_outside(found: Assumptions) -> Integers:
    """Positions of the groups whose own 95 % interval, taken by itself, leaves out the SD of all."""
    return np.flatnonzero((found.group_sd_lower > found.sigma) | (found.group_sd_upper < found.sigma))
