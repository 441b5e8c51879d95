"""The run at a glance; what it says is found in `tasks.view.overview`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.view import overview
from tasks.view.context import Context
from tasks.view.summary.record import Number, Record


class KeyEstimateSummary(Record):
    """One of the recommended model's estimates to follow from run to run."""

    kind: Literal["level", "slope", "group_sd", "icc"] = Field(
        description=(
            "level: of the average group at the predictors' means; slope: of the average group; group_sd: SD "
            "between groups of the level or a slope; icc: share of the variance between groups"
        )
    )
    term: str = Field(description="intercept or a predictor; empty for the ICC")
    unit: str = Field(description="outcome's unit, per raw unit of the predictor; may be empty")
    estimate: Number = Field(
        description=(
            "by the recommended model: a REML estimate, or a posterior mean; of SDs and the ICC, whose posteriors are "
            "skewed, the posterior median"
        )
    )
    lower: Number = Field(description="lower limit of the 95 % interval")
    upper: Number = Field(description="upper limit of the 95 % interval")


class OverviewSummary(Record):
    """The run at a glance, for readers of many runs; it stands before the fits."""

    answer: str = Field(description="what was found, in one sentence")
    data_age_days: Number = Field(
        description="days since the newest file was modified, when the run started; null where the study sets no limit"
    )
    data_age_limit_days: Number = Field(
        description="how many days the data may be old (notify.max_age_days); null where the study sets no limit"
    )
    estimates: list[KeyEstimateSummary] = Field(
        description="estimates to follow from run to run, in raw units: level, slopes, group SDs, ICC"
    )


def overview_of(context: Context) -> OverviewSummary:
    return OverviewSummary(**overview.overview_of(context))
