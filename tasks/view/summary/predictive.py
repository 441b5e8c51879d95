"""Simulated data beside the data."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from tasks.stats.records import Floats, PredictiveCheck, PredictiveStatistic
from tasks.view.plain import by_label, listed
from tasks.view.summary.record import ByLabel, Count, Number, Record


class StatisticSummary(Record):
    """One statistic of the data beside its replicates."""

    name: str = Field(description="the statistic")
    observed: Number = Field(description="of the data")
    replicated_median: Number = Field(description="median over replicated data sets")
    replicated_lower: Number = Field(description="2.5 % quantile")
    replicated_upper: Number = Field(description="97.5 % quantile")
    posterior_predictive_p_value: Number = Field(description="share of replicates at or above the observed")


class PredictiveGroupSummary(Record):
    """One group's median beside its replicates."""

    median: Number = Field(description="of the group's rows, in the outcome's unit")
    lower: Number = Field(description="2.5 % quantile of the replicated medians")
    upper: Number = Field(description="97.5 % quantile")
    posterior_predictive_p_value: Number = Field(description="share of replicates at or above the observed")


class PredictiveSummary(Record):
    """Posterior predictive checks."""

    overall: list[StatisticSummary] = Field(description="statistics that the model does not fit by construction")
    n_replicates: Count = Field(description="replicated data sets")
    n_groups_outside: Count = Field(description="groups whose median lies outside its 95 % interval")
    n_groups_outside_by_chance: Number = Field(description="how many are to be expected if the model is right")
    n_groups_outside_limit: Count = Field(
        description="more than this many would be outside in one study of a thousand, were the model right"
    )
    groups: ByLabel[PredictiveGroupSummary] = Field(description="by group label")


def predictive_of(check: PredictiveCheck, labels: tuple[str, ...]) -> PredictiveSummary:
    groups = by_label(
        labels,
        median=listed(check.group_median_observed),
        lower=listed(check.group_median_lower),
        upper=listed(check.group_median_upper),
        posterior_predictive_p_value=listed(check.group_p_value),
    )
    return PredictiveSummary.of(check, overall=[_statistic(statistic) for statistic in check.overall], groups=groups)


def _statistic(statistic: PredictiveStatistic) -> StatisticSummary:
    lower, median, upper = _quantiles(statistic.replicated)
    return StatisticSummary.of(statistic, replicated_lower=lower, replicated_median=median, replicated_upper=upper)


def _quantiles(replicated: Floats) -> list[Any]:
    finite = replicated[np.isfinite(replicated)]
    return [None, None, None] if finite.size == 0 else np.quantile(finite, [0.025, 0.5, 0.975]).tolist()
