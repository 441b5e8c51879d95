"""Does the level of a group go with its size?"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field

from tasks.stats.findings import Findings
from tasks.stats.judged.size_trend import GroupLevels
from tasks.view.plain import by_label, listed
from tasks.view.summary.record import ByLabel, Flag, Number, Positive, Record

SIDES = {1: "above", 0: "neither", -1: "below"}


class MeanErrorSummary(Record):
    """Observed less predicted, mean over rows, in the outcome's unit."""

    mean: Number = Field(description="its mean")
    se: Number = Field(description="its standard error, clustered by group; null for one group")
    lower: Number = Field(description="lower end of its 95 % t interval")
    upper: Number = Field(description="upper end of its 95 % t interval")


class SizeClassSummary(Record):
    """Groups of similar size."""

    smallest: Positive = Field(description="rows of the smallest group")
    largest: Positive = Field(description="rows of the largest group")
    n_groups: Positive = Field(description="groups")
    n_rows: Positive = Field(description="rows predicted")
    plain: MeanErrorSummary = Field(
        description="partial pooling: observed less predicted, mean over rows, in the outcome's unit"
    )
    with_size: MeanErrorSummary = Field(
        description=(
            "with log rows as a group-level predictor: observed less predicted, mean over rows, in the outcome's unit"
        )
    )


class LevelSummary(Record):
    """A group's level, in the outcome's unit."""

    level: Number = Field(description="estimate")
    lower: Number = Field(description="lower end of the joint 95 % interval")
    upper: Number = Field(description="upper end of the joint 95 % interval")
    side: Literal["above", "neither", "below"] = Field(description="where the whole interval lies to the average group")


class FlippedSummary(Record):
    """One group before and after."""

    plain: LevelSummary = Field(description="fullest mixed model: level, in the outcome's unit")
    with_size: LevelSummary = Field(description="with log rows: level, in the outcome's unit")


class SizeTrendSummary(Record):
    """Does the level of a group go with its number of rows? In the outcome's unit, per doubling of that number."""

    per_doubling: Number = Field(description="change of the level per doubling (random-effects meta-regression, REML)")
    per_doubling_se: Number = Field(description="its standard error (Knapp-Hartung)")
    per_doubling_lower: Number = Field(description="lower end of its 95 % t interval")
    per_doubling_upper: Number = Field(description="upper end of its 95 % t interval")
    center: Number = Field(description="level on the trend for a group of typical_size rows")
    center_se: Number = Field(description="its standard error")
    covariance: Number = Field(description="of center and per_doubling")
    typical_size: Number = Field(description="geometric average of the groups' numbers of rows")
    df: Positive = Field(description="degrees of freedom of the t intervals")
    tau: Number = Field(description="SD of the groups' levels about the average")
    tau_left: Number = Field(description="SD of the groups' levels about the trend")
    small_size: Number = Field(description="rows of a small group (10th percentile)")
    large_size: Number = Field(description="rows of a large group (90th percentile)")
    difference: Number = Field(description="level of a large group less that of a small one, on the trend")
    is_clear: Flag = Field(description="whether the 99 % interval of per_doubling leaves out 0")
    is_material: Flag = Field(description="whether the difference reaches the study's threshold, in group SDs")
    calibration: list[SizeClassSummary] = Field(
        description="rows left out and predicted from all others, by size of their group, smallest first"
    )
    average: Number = Field(description="level of the average group in the fullest mixed model")
    average_with_size: Number = Field(
        description="the same with log rows as a group-level predictor, at the groups' mean of it"
    )
    flipped: ByLabel[FlippedSummary] = Field(
        description="by group label: groups whose side changes when log rows join the model"
    )


def size_trend_of(findings: Findings) -> SizeTrendSummary | None:
    """`None` where that cannot be told."""
    trend = findings.size_trend
    if trend is None:
        return None
    flipped = by_label(
        [findings.labels[j] for j in trend.flipped],
        plain=_levels(trend.plain, trend.flipped),
        with_size=_levels(trend.with_size, trend.flipped),
    )
    return SizeTrendSummary.of(
        trend, average=trend.plain.average, average_with_size=trend.with_size.average, flipped=flipped
    )


def _levels(levels: GroupLevels, chosen: np.ndarray) -> list[dict[str, Any]]:
    columns = [listed(part[chosen]) for part in (levels.level, levels.lower, levels.upper)]
    sides = [SIDES[code] for code in levels.side[chosen].tolist()]
    return [
        {"level": level, "lower": lower, "upper": upper, "side": side}
        for level, lower, upper, side in zip(*columns, sides, strict=True)
    ]
