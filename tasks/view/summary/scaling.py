"""Centres and scales, with which any estimate can be brought to raw units."""

from __future__ import annotations

from pydantic import Field

from tasks.stats.records import Scaling
from tasks.view.summary.record import Number, Record


class ScalingSummary(Record):
    """How a predictor was centred and scaled."""

    center: Number = Field(
        description="mean that was subtracted, in the predictor's unit; of a level, its share of the rows"
    )
    scale: Number = Field(
        description="SD (n - 1) that was divided by, in the predictor's unit; 1 of a level, which is not scaled"
    )


class OutcomeScalingSummary(Record):
    """For reference: fits are in the outcome's unit."""

    center: Number = Field(description="mean of the outcome, in its unit")
    scale: Number = Field(description="SD (n - 1) of the outcome, in its unit")


def scaling_of(scaling: Scaling) -> dict[str, ScalingSummary]:
    """By predictor."""
    return {
        name: ScalingSummary(center=center, scale=scale)
        for name, center, scale in zip(scaling.predictors, scaling.center, scaling.scale, strict=True)
    }


def outcome_scaling_of(scaling: Scaling) -> OutcomeScalingSummary:
    return OutcomeScalingSummary(center=scaling.outcome_center, scale=scaling.outcome_scale)
