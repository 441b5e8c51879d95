"""This report beside the previous one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from tasks.stats.judgement import Status
from tasks.stats.past.changes import Changes, EstimateChanges
from tasks.stats.past.moves import Moves
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
            "(now - then) / sqrt(sd then squared + sd now squared), per term: by it groups are put in order. Reports "
            "share rows, so it is no test; see `increments`"
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


class IncrementSummary(Record):
    """One group's new rows beside what its earlier rows foretold: in the outcome's unit; of counts, rates."""

    n_before: Count = Field(description="earlier rows that foretell; after an alarm, those that came later")
    n_new: Count = Field(description="new rows")
    shift: Number = Field(
        description="mean or rate of the new rows less what the earlier ones foretold, same predictors"
    )
    se: Number = Field(description="standard error of the shift")
    df: Number = Field(description="degrees of freedom of its Student's distribution; null if normal")
    lower: Number = Field(description="95 % interval of the shift")
    upper: Number = Field(description="95 % interval of the shift")
    evidence: Number = Field(description="gathered over reports; at 1 the alarm rings")
    moved: Flag = Field(description="whether it rang")


class GroupEvidenceSummary(Record):
    """What the next report has to know of a group."""

    values: Vector = Field(description="evidence by effect, as in tasks/stats/past/evidence.py; 0 after an alarm")
    since: str = Field(description="id of the run in which the group's alarm rang last; empty if never")


class IncrementsSummary(Record):
    """Whether groups moved since the previous report, from their new rows alone."""

    is_comparable: Flag = Field(description="whether the previous report's rows are all among this one's")
    lost: list[str] = Field(description="files of the previous report that are gone or changed, where these are why")
    margin: Number = Field(
        description="moves up to this do not matter, in the outcome's unit; of counts, at the overall rate"
    )
    n_new_rows: Count = Field(description="new rows in all groups")
    groups: ByLabel[IncrementSummary] = Field(description="by label, of groups with new and earlier rows")
    evidence: ByLabel[GroupEvidenceSummary] = Field(description="by label, for the next report")


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
    increments: IncrementsSummary | None = Field(description="whether groups moved; null where rows were not compared")


def changes_of(changes: Changes | None, headline: str, labels: Sequence[str]) -> ChangesSummary | None:
    """`None` on a study's first run. `headline` and `labels` are this report's."""
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
        increments=None if changes.moves is None else _increments(changes.moves, labels),
    )


def _increments(moves: Moves, labels: Sequence[str]) -> IncrementsSummary:
    found = moves.found
    groups = by_label(
        [labels[position] for position in found.positions],
        n_before=found.n_before.tolist(),
        n_new=found.n_new.tolist(),
        **{name: listed(getattr(found, name)) for name in ("shift", "se", "df")},
        lower=listed(moves.lower),
        upper=listed(moves.upper),
        evidence=listed(moves.total),
        moved=moves.rings.tolist(),
    )
    evidence = {
        label: {"values": [float(f"{value:.4g}") for value in each.values], "since": each.since}
        for label, each in moves.evidence.items()
    }
    return IncrementsSummary.of(moves, groups=groups, evidence=evidence)


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
