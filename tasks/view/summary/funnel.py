"""Group levels against group size."""

from __future__ import annotations

from pydantic import Field

from tasks.stats.findings import Findings
from tasks.stats.judged.funnel import ALARM, WARNING, Funnel
from tasks.view.plain import by_label, listed
from tasks.view.summary.record import ByLabel, Count, Number, Record


class BeyondLimitsSummary(Record):
    """Groups beyond the limits."""

    outside_95: Count = Field(alias="95", description="outside the two-sided 95 % limits")
    outside_99_8: Count = Field(alias="99.8", description="outside the two-sided 99.8 % limits")


class OutsideSummary(Record):
    """Groups beyond the limits."""

    chance: BeyondLimitsSummary = Field(description="limits from sigma / sqrt(n)")
    between: BeyondLimitsSummary = Field(description="limits from sqrt(tau^2 + sigma^2 / n)")


class FunnelGroupSummary(Record):
    """One group's level."""

    level: Number = Field(description="adjusted level, in the outcome's unit")
    z: Number = Field(description="distance from the average in units of sigma / sqrt(n)")
    z_between: Number = Field(description="distance from the average in units of sqrt(tau^2 + sigma^2 / n)")


class FunnelSummary(Record):
    """Groups' mean outcomes at the predictors' averages, and the limits around the average group."""

    average: Number = Field(description="level of the average group, in the outcome's unit")
    average_se: Number = Field(description="its standard error (Knapp-Hartung)")
    sigma: Number = Field(description="SD of a row about its group's level, in the outcome's unit")
    tau: Number = Field(description="SD of the groups' levels about the average, in the outcome's unit")
    slopes: dict[str, Number] = Field(
        description="by predictor: slope along which means are moved, in outcome units per SD of the predictor"
    )
    n_outside: OutsideSummary = Field(description="groups beyond the limits")
    groups: ByLabel[FunnelGroupSummary] = Field(description="by group label")


def funnel_of(findings: Findings) -> FunnelSummary:
    found = findings.funnel
    groups = by_label(findings.labels, level=listed(found.level), z=listed(found.z), z_between=listed(found.z_between))
    return FunnelSummary.of(
        found,
        slopes=dict(zip(findings.terms[1:], listed(found.slopes), strict=True)),
        n_outside=OutsideSummary(chance=_beyond(found, between=False), between=_beyond(found, between=True)),
        groups=groups,
    )


def _beyond(found: Funnel, *, between: bool) -> BeyondLimitsSummary:
    n_beyond = {f"{100 * limit:g}": found.outside(limit, between=between).sum() for limit in (WARNING, ALARM)}
    return BeyondLimitsSummary(**n_beyond)
