"""Calibration of predictions of single rows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.stats.judged.pit import LooPit
from tasks.view.summary.record import Count, Number, Record, Vector


class HeldSummary(Record):
    """How many rows lie in their central intervals of one level."""

    level: Number = Field(description="level of the intervals")
    share: Number = Field(description="share of the rows that lie in theirs")
    width: Literal["too narrow", "about right", "too wide"] = Field(
        description="the share is more than two standard errors below the level, or above it, or neither"
    )


class LooPitSummary(Record):
    """Calibration of the Bayesian model's predictions of single rows: ECDF of LOO-PIT values less the uniform one."""

    n_values: Count = Field(description="rows")
    at: Vector = Field(description="PIT values at which the curve is evaluated")
    difference: Vector = Field(description="share of rows with a smaller PIT value, less that PIT value")
    lower: Vector = Field(description="lower edge of the simultaneous band")
    upper: Vector = Field(description="upper edge of the simultaneous band")
    band_probability: Number = Field(description="that the band holds the whole curve if predictions are calibrated")
    share_outside: Number = Field(description="share of the points outside the band")
    shape: Literal["calibrated", "too_narrow", "too_wide", "too_high", "too_low", "other"] = Field(
        description=(
            "what is wrong with the predictions, by the curve's shape; too_high, too_low: rows are skewed, so that "
            "most lie below, or above, what is expected of them; other: neither a shift nor a scale"
        )
    )
    held: list[HeldSummary] = Field(description="rows within their intervals, level by level")
    share_above: Number = Field(description="share of the rows above the middle of their prediction")


def loo_pit_of(found: LooPit | None) -> LooPitSummary | None:
    """`None` below ten rows."""
    return None if found is None else LooPitSummary.of(found)
