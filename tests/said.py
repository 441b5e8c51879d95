"""What a report says, for tests: its checks by name, one judgement in words, the section of a topic."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tasks.stats.judgement import Judgement
from tasks.stats.rows.data_findings import DataFindings
from tasks.study.model import Study
from tasks.view.checks import Check, checks_of, row_checks_of
from tasks.view.context import Context, context_of
from tasks.view.page import section_of
from tasks.view.records import Fold, Section
from tasks.view.row_context import RowContext
from tasks.view.topic import Topic
from tests.factories import Case
from tests.posteriors import Sampled


def by_name(context: Context) -> dict[str, Check]:
    """Every check of a report; no name stands twice."""
    made = checks_of(context)
    assert len({check.name for check in made}) == len(made)
    return {check.name: check for check in made}


def of_rows(study: Study, found: DataFindings, judged: Judgement) -> Check:
    """One judgement of rows in words."""
    (check,) = row_checks_of(RowContext(study, found), (judged,))
    return check


def context_of_sampled(have: Sampled) -> Context:
    return context_of(have.study, have.findings, have.data, have.draws)


def section(topic: Topic, context: Context) -> Section:
    return section_of(topic, context)


def changed(case: Case, **findings: object) -> Context:
    """The report had parts of its findings been others, judged anew."""
    return replace(case, findings=replace(case.findings, **findings)).judged().context  # type: ignore[arg-type]


def block(made: Section, name: str) -> Any:
    """The block of this id, inside folds too. Raises KeyError."""
    waiting = list(made.blocks)
    while waiting:
        one = waiting.pop()
        if isinstance(one, Fold):
            waiting += one.blocks
        elif getattr(one, "id", "") == name:
            return one
    raise KeyError(name)
