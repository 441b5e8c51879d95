"""The verdict in words: a headline, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tasks.stats.judgement import Judgement
from tasks.stats.past.earlier import ReportedVerdict
from tasks.view.checks import specs_of
from tasks.view.families import words_of
from tasks.view.report_context import ReportContext
from tasks.view.topic import Case, worded
from tasks.view.words import text


def verdict_of(context: ReportContext) -> ReportedVerdict:
    found = context.findings.verdict
    return ReportedVerdict(found.status, _headline(context), _reason(context), found.recommended_model)


def recommended_name(context: ReportContext) -> str:
    """The recommended model's name, with what it has that the plain one has not."""
    return words_of(context).recommended_name(context)


def _headline(context: ReportContext) -> str:
    found = context.findings.verdict
    if found.status == "none":
        return "No model here can be trusted as it stands."
    if found.status == "use":
        return f"Use {recommended_name(context)}: plain partial pooling cannot be trusted here."
    return "Partial pooling can be trusted here."


def _reason(context: ReportContext) -> str:
    found, words = context.findings.verdict, words_of(context)
    if found.status == "none":
        return " ".join(worded(_case(context, one).message, context, one) for one in _against(context, "every model"))
    if found.status == "trust":
        return _joined(words.why_trusted(context), words.besides(context))
    reasons = [worded(_case(context, one).reason, context, one) for one in _not_said_twice(context)]
    listed = text.sentence_case(", and ".join(dict.fromkeys(reasons)))
    return _joined(f"{listed}.", words.besides(context), _instead(found.recommended_model))


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _instead(model: str) -> str:
    if model == "bayes":
        return "The Bayesian fit keeps that uncertainty and has intervals for every group."
    return "The recommended model takes that into account."


def _case(context: ReportContext, judged: Judgement) -> Case[Any]:
    return specs_of(context)[judged.kind].cases[judged.case]


def _against(context: ReportContext, what: str) -> Iterator[Judgement]:
    return (one for one in context.findings.judgements if one.against == what)


def _not_said_twice(context: ReportContext) -> list[Judgement]:
    """What speaks against partial pooling; intervals that have collapsed are too short besides."""
    against = list(_against(context, "partial_pooling"))
    collapsed = {one.term for one in against if one.kind == "intervals"}
    return [one for one in against if one.kind != "implied_coverage" or one.term not in collapsed]
