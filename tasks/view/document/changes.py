"""This report beside the previous one."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tasks.stats.judgement import Status
from tasks.stats.past.changes import Changes, EstimateChanges
from tasks.stats.records import Estimate, VerdictStatus
from tasks.view.plain import by_label, listed
from tasks.view.summary.record import ByLabel, Count, EstimateSummary, Flag, Number, Record, Vector
from tasks.view.topics.change_words import in_words


class PreviousSummary(Record):
    """The report compared with: the study's newest when this run was written."""

    id: str = Field(description="its run id")
    started_at: str = Field(json_schema_extra={"format": "date-time"}, description="ISO 8601, UTC")


class TextsThenNow(Record):
    """A text in the previous report and in this one."""

    then: str = Field(description="in the previous report")
    now: str = Field(description="in this report")


class StatusesThenNow(Record):
    """A verdict's status in the previous report and in this one."""

    then: VerdictStatus = Field(description="in the previous report")
    now: VerdictStatus = Field(description="in this report")


class VerdictChangeSummary(Record):
    """The two verdicts."""

    direction: Literal["better", "worse", "same"] = Field(
        description="by status: trust is better than use, use better than none"
    )
    status: StatusesThenNow = Field(description="trust, use or none, as under `verdict`")
    recommended_model: TextsThenNow = Field(description="paths under `fits`")
    headline: TextsThenNow = Field(description="one sentence for everybody")


class CheckChangeSummary(Record):
    """A check whose status is not what it was."""

    name: str = Field(description="as under `checks`")
    kind: str = Field(description="as under `checks`")
    term: str = Field(description="as under `checks`")
    then: Status | None = Field(description="in the previous report")
    now: Status | None = Field(description="in this report")


class CountsThenNow(Record):
    """A number in the previous report and in this one."""

    then: Count = Field(description="in the previous report")
    now: Count = Field(description="in this report")


class NamesThenNow(Record):
    """Names in the previous report and in this one."""

    then: list[str] = Field(description="in the previous report")
    now: list[str] = Field(description="in this report")


class EstimatesThenNow(Record):
    """Bayesian estimates of p terms, both on this run's centre-scaled predictors."""

    then: EstimateSummary = Field(
        description="as the previous report gave them, in this run's basis; see level_is_exact"
    )
    now: EstimateSummary = Field(description="as under fits.bayes")


class GroupChangeSummary(Record):
    """One group in both reports."""

    n: CountsThenNow = Field(description="rows used")
    then: EstimateSummary = Field(description="p terms, in this run's basis")
    now: EstimateSummary = Field(description="p terms, as under fits.bayes")
    shift: Vector = Field(
        description=(
            "(now - then) / sqrt(sd then squared + sd now squared), per term; beyond 1.96 the report calls it changed"
        )
    )


class EstimateChangesSummary(Record):
    """Bayesian estimates then and now, of the groups in both reports."""

    level_is_exact: Flag = Field(
        description=(
            "whether SDs and limits of the intercepts in `then` are exact; else they are the widest they can be, "
            "since the predictors' means have moved"
        )
    )
    level_widening: Number = Field(
        description="by how much an interval of the level became wider by that, at most, as a share"
    )
    fixef: EstimatesThenNow = Field(description="the average group")
    groups: ByLabel[GroupChangeSummary] = Field(description="by group label")


class ChangesSummary(Record):
    """This report beside the previous one."""

    previous: PreviousSummary = Field(
        description="the report compared with: the study's newest when this run was written"
    )
    causes: list[Literal["data", "study", "program", "engine"]] = Field(
        description="what was not the same; empty when a run was forced"
    )
    verdict: VerdictChangeSummary = Field(description="the two verdicts")
    checks: list[CheckChangeSummary] = Field(
        description="checks whose status is not what it was; null where one was not made"
    )
    rows: CountsThenNow = Field(description="rows used, after rejection")
    n_groups: CountsThenNow = Field(description="groups in the rows used")
    rejected: CountsThenNow = Field(description="rows rejected")
    groups_added: list[str] = Field(description="groups that only this report has")
    groups_gone: list[str] = Field(description="groups that only the previous report has")
    varying: NamesThenNow = Field(description="predictors whose slope may differ by group")
    not_comparable: list[str] = Field(description="why estimates are not compared; empty when they are")
    estimates: EstimateChangesSummary | None = Field(description="null where the question was another one")


def changes_of(changes: Changes | None, headline: str) -> ChangesSummary | None:
    """`None` on a study's first run. `headline` is this report's."""
    if changes is None:
        return None
    headlines = TextsThenNow(then=changes.verdict.headline_then, now=headline)
    return ChangesSummary.of(
        changes,
        previous=PreviousSummary(id=changes.previous_id, started_at=changes.previous_started_at),
        verdict=VerdictChangeSummary.of(changes.verdict, headline=headlines),
        checks=[CheckChangeSummary.of(check) for check in changes.checks],
        not_comparable=[in_words(reason) for reason in changes.not_comparable],
        estimates=None if changes.estimates is None else _estimates(changes.estimates),
    )


def _estimates(found: EstimateChanges) -> EstimateChangesSummary:
    groups = by_label(
        found.labels,
        n=_beside(found.n.then.tolist(), found.n.now.tolist()),
        then=_rows(found.groups.then),
        now=_rows(found.groups.now),
        shift=listed(found.shift),
    )
    return EstimateChangesSummary.of(found, groups=groups)


def _beside(then: list[int], now: list[int]) -> list[dict[str, int]]:
    return [{"then": before, "now": after} for before, after in zip(then, now, strict=True)]


def _rows(estimate: Estimate) -> list[dict[str, Any]]:
    parts = {name: listed(getattr(estimate, name)) for name in ("mean", "sd", "lower", "upper")}
    return [dict(zip(parts, entries, strict=True)) for entries in zip(*parts.values(), strict=True)]
