"""What the priors expect, and how much they matter."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.stats.judged.prior_predictive import PriorPredictive
from tasks.stats.judged.prior_sensitivity import PriorSensitivity
from tasks.view.summary.record import Count, Flag, Matrix, Number, Record, Vector


class ExpectedSummary(Record):
    """One quantity."""

    name: Literal["outcome", "level", "slope", "icc"] = Field(
        description="a row's outcome, a group's level or slope, the ICC"
    )
    term: str = Field(description="of a slope; else empty")
    quantiles: Vector = Field(
        description="2.5, 25, 50, 75 and 97.5 %; slopes in outcome units per unit of the raw predictor"
    )


class PriorStatisticSummary(Record):
    """One statistic."""

    name: Literal["median", "SD", "slope"] = Field(description="slope: least squares over all rows")
    term: str = Field(description="of a slope; else empty")
    observed: Number = Field(description="of the rows used; slopes in raw units")
    lower: Number = Field(description="2.5 % quantile over simulated data sets")
    upper: Number = Field(description="97.5 % quantile")
    tail_probability: Number = Field(
        description="share of simulated data sets at least as far out, on the nearer side; of the SD: above"
    )
    is_excluded: Flag = Field(description="tail_probability is below `tail`")


class PriorPredictiveSummary(Record):
    """Data simulated from the priors alone, in the outcome's unit."""

    expected: list[ExpectedSummary] = Field(description="what the priors expect")
    statistics: list[PriorStatisticSummary] = Field(
        description="of the data, beside their prior predictive distribution"
    )
    share_wild: Number = Field(
        description="share of simulated outcomes more than 10 SDs of the data from the data's mean"
    )
    outcome_grid: Vector = Field(description="values of the outcome for the two curves below")
    share_below: Matrix = Field(
        description=(
            "share of a data set's rows at or below each value: 2.5, 25, 50, 75 and 97.5 % quantiles over data sets"
        )
    )
    share_below_observed: Vector = Field(description="the same of the data")
    n_draws: Count = Field(description="data sets simulated")
    n_rows_used: Count = Field(description="rows simulated in each")
    tail: Number = Field(description="a smaller tail probability calls for review")


class SensitivitySummary(Record):
    """One quantity."""

    kind: Literal["fixef", "sigma_group", "correlation", "sigma", "icc", "group"] = Field(
        description=(
            "what it is: an average effect, an SD between groups, a correlation of group effects, the residual "
            "SD, the ICC, or a group's estimate"
        )
    )
    terms: list[str] = Field(description="the terms that it is about")
    group: str | None = Field(description="label of a group's estimate")
    prior: Number = Field(description="sensitivity to the prior")
    likelihood: Number = Field(description="sensitivity to the likelihood")
    diagnosis: Literal["conflict", "strong prior"] | None = Field(description="null: the prior hardly matters")


class PriorSensitivitySummary(Record):
    """Power-scaling sensitivity (Kallioinen et al. 2024), 0 = unmoved."""

    threshold: Number = Field(description="from which on the prior matters")
    n_groups_used: Count = Field(description="groups whose estimates were looked at, evenly spread")
    n_draws_used: Count = Field(description="posterior draws used")
    quantities: list[SensitivitySummary] = Field(description="parameters, then group estimates")


def prior_predictive_of(found: PriorPredictive) -> PriorPredictiveSummary:
    return PriorPredictiveSummary.of(found)


def prior_sensitivity_of(found: PriorSensitivity, labels: tuple[str, ...]) -> PriorSensitivitySummary:
    quantities = [
        SensitivitySummary.of(one, group=labels[one.group] if one.group >= 0 else None, diagnosis=one.diagnosis or None)
        for one in found.quantities
    ]
    return PriorSensitivitySummary.of(found, quantities=quantities)
