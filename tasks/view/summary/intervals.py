"""Widths of the groups' intervals."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from tasks.stats.records import IntervalComparison
from tasks.view.summary.record import Flag, Number, Record


class IntervalWidthsSummary(Record):
    """Widths of three 95 % intervals for the groups' estimates of one term."""

    term: str = Field(description="the varying term")
    conditional: Number = Field(description="median width of the conditional intervals")
    joint: Number = Field(description="median width of the joint intervals")
    calibrated: Number = Field(description="median width of the posterior intervals")
    ratio: Number = Field(description="conditional / calibrated")
    implied_coverage: Number = Field(description="of the conditional interval, if the posterior one covers 95 %")
    is_collapsed: Flag = Field(description="the conditional interval is too narrow to be believed")


def intervals_of(found: Sequence[IntervalComparison]) -> list[IntervalWidthsSummary]:
    return [IntervalWidthsSummary.of(comparison) for comparison in found]
