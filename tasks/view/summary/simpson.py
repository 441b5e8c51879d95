"""Simpson's paradox."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from tasks.stats.records import SimpsonCheck
from tasks.view.summary.record import Flag, Number, Record


class SimpsonSummary(Record):
    """One predictor's slopes over all rows, within and between groups."""

    term: str = Field(description="the predictor")
    complete: Number = Field(description="slope over all rows, groups ignored, per SD")
    complete_se: Number = Field(description="standard error")
    complete_robust_se: Number = Field(description="standard error clustered by group; null for one group")
    within: Number = Field(description="slope within groups, per SD")
    within_se: Number = Field(description="standard error, where levels alone vary by group")
    between: Number = Field(description="slope between group means, per SD")
    between_se: Number = Field(description="standard error, where levels alone vary by group")
    contextual: Number = Field(description="between minus within; its limits are where slopes may vary by group")
    contextual_lower: Number = Field(description="95 % limit")
    contextual_upper: Number = Field(description="95 % limit")
    is_blend: Flag = Field(
        description="the slope over all rows lies outside the 95 % interval of the one within groups"
    )
    is_misleading: Flag = Field(
        description=(
            "ignoring groups misleads: the slopes differ in truth, in their sign or in whether they are 0 at all"
        )
    )
    is_reversed: Flag = Field(description="and has the opposite sign")


def simpson_of(found: Sequence[SimpsonCheck]) -> list[SimpsonSummary]:
    return [SimpsonSummary.of(check) for check in found]
