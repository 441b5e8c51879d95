"""What reports of the families of outcomes say in their own ways: the first screen, and the names of their models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from tasks.view import answers, counted_answers, hero, verdict_clauses
from tasks.view.checks import Check
from tasks.view.counted import estimates as counted_estimates
from tasks.view.counted import hero as counted_hero
from tasks.view.counted import overview as counted_overview
from tasks.view.counted import verdict_clauses as counted_clauses
from tasks.view.counted.context import CountedContext
from tasks.view.estimates import estimates_csv
from tasks.view.overview import key_estimates
from tasks.view.records import Figure
from tasks.view.report_context import ReportContext
from tasks.view.topic import From


@dataclass(frozen=True)
class FamilyWords(Generic[From]):
    asked: Callable[[From], str]
    one_sentence: Callable[[From], str]
    answers: Callable[[From, Sequence[Check]], Mapping[str, str]]  # by question, in order
    hero: Callable[[From], Figure | None]
    key_estimates: Callable[[From], list[dict[str, Any]]]  # those to follow from run to run
    recommended_name: Callable[[From], str]
    why_trusted: Callable[[From], str]  # of a verdict that trusts partial pooling
    besides: Callable[[From], str]  # what misleads, whatever model is used; may be empty
    estimates: Callable[[From], str]  # `estimates.csv`


NORMAL = FamilyWords(
    answers.asked,
    answers.one_sentence,
    answers.all_answers,
    hero.hero,
    key_estimates,
    verdict_clauses.recommended_name,
    verdict_clauses.why_trusted,
    verdict_clauses.besides,
    lambda context: estimates_csv(context.study, context.findings),
)


COUNTED = FamilyWords(
    counted_answers.asked,
    counted_answers.one_sentence,
    counted_answers.all_answers,
    counted_hero.hero,
    counted_overview.key_estimates,
    counted_clauses.recommended_name,
    counted_clauses.why_trusted,
    counted_clauses.besides,
    counted_estimates.estimates_csv,
)


def words_of(context: ReportContext) -> FamilyWords[Any]:
    return COUNTED if isinstance(context, CountedContext) else NORMAL
