"""Checks as readers see them: each judgement with the words of its topic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.stats.judgement import Judgement, Status
from tasks.view.chapters import topics_of
from tasks.view.report_context import ReportContext
from tasks.view.row_context import RowContext
from tasks.view.topic import Case, CheckSpec, From, Topic, worded
from tasks.view.topics.data import ROW_CHECKS
from tasks.view.words import numbers

ROW_SPECS: dict[str, CheckSpec[RowContext]] = {spec.kind: spec for spec in ROW_CHECKS}
STATUS_LABELS: dict[Status, str] = {"pass": "Pass", "review": "Review", "fail": "Fail"}
WORST_FIRST: tuple[Status, ...] = ("fail", "review", "pass")


@dataclass(frozen=True)
class Check:
    """`advice` and `step` are empty where there is nothing to do."""

    name: str
    kind: str
    term: str
    status: Status
    value: float | None
    threshold: float | None
    message: str
    advice: str
    step: str  # the advice in plain words, for the first screen
    measure: str  # the value beside its limit; empty if the check has no value, or no format for it


def specs_of(context: ReportContext) -> dict[str, CheckSpec[Any]]:
    """The words of every kind of judgement of the context's family."""
    return {spec.kind: spec for topic in topics_of(context) for spec in topic.checks}


def topic_of_kind(context: ReportContext) -> dict[str, Topic[Any]]:
    """The topic that has the words of a kind of judgement."""
    return {spec.kind: topic for topic in topics_of(context) for spec in topic.checks}


def titles_of(context: ReportContext) -> dict[str, str]:
    return {kind: spec.title for kind, spec in specs_of(context).items()}


def checks_of(context: ReportContext) -> tuple[Check, ...]:
    """Every check of a report, in the order of the judgements."""
    specs = specs_of(context)
    return tuple(_check(context, judged, specs[judged.kind]) for judged in context.findings.judgements)


def row_checks_of(context: RowContext, judgements: Iterable[Judgement]) -> tuple[Check, ...]:
    """The checks that need no fit, in the order of `judgements`."""
    return tuple(_check(context, judged, ROW_SPECS[judged.kind]) for judged in judgements)


def _check(context: From, judged: Judgement, spec: CheckSpec[From]) -> Check:
    case: Case[From] = spec.cases[judged.case]
    advice = worded(case.advice, context, judged)
    return Check(
        name=judged.name,
        kind=judged.kind,
        term=judged.term,
        status=judged.status,
        value=judged.value,
        threshold=judged.limit,
        message=worded(case.message, context, judged),
        advice=advice,
        step=worded(case.step, context, judged) or advice,
        measure=_measure(judged, spec.measure),
    )


def _measure(judged: Judgement, form: str) -> str:
    limit = judged.limit
    if judged.value is None:
        return ""
    return form.format(
        value=numbers.plain(judged.value),
        share=numbers.percent(judged.value),
        limit="" if limit is None else numbers.plain(limit),
        limit_share="" if limit is None else numbers.percent(limit),
    )


def count_by_status(checks: Sequence[Check] | Sequence[Judgement]) -> dict[Status, int]:
    return {status: sum(check.status == status for check in checks) for status in STATUS_LABELS}


def health_summary(checks: Sequence[Check]) -> str:
    """`21 passed, 2 to review`"""
    counts, words = count_by_status(checks), {"pass": "passed", "review": "to review", "fail": "failed"}
    return ", ".join(f"{n} {words[status]}" for status, n in counts.items() if n)
