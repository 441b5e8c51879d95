"""A run at a glance, for readers of many runs: the answer in a sentence, and the few estimates to follow.

It stands at the top of `summary.json`, before the fits, in raw units, so that a catalogue of thousands of runs
reads only that part.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.view.families import words_of
from tasks.view.plain import number
from tasks.view.report_context import ReportContext
from tasks.view.summary.record import Number, Record
from tasks.view.words import text


class KeyEstimateSummary(Record):
    """One of the recommended model's estimates to follow from run to run."""

    kind: Literal["level", "slope", "group_sd", "icc", "median_ratio"] = Field(
        description=(
            "level: of the average group at the predictors' means; slope: of the average group; group_sd: SD "
            "between groups of the level or a slope; icc: share of the variance between groups; of a counted outcome "
            "level is the average of the groups' rates, slope a difference of rates, and median_ratio the median odds "
            "or rate ratio of two groups"
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


def overview_of(context: ReportContext) -> OverviewSummary:
    freshness, words = (
        next((one for one in context.findings.judgements if one.kind == "freshness"), None),
        words_of(context),
    )
    return OverviewSummary(
        answer=text.sentence_case(words.one_sentence(context)),
        data_age_days=_days(freshness.value if freshness else None),
        data_age_limit_days=_days(freshness.limit if freshness else None),
        estimates=[KeyEstimateSummary(**each) for each in words.key_estimates(context)],
    )


def _days(value: float | None) -> float | None:
    return None if value is None else number(round(value, 1))
