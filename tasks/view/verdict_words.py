"""The verdict in words: a headline, and why."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.stats.judgement import Judgement
from tasks.stats.past.earlier import ReportedVerdict
from tasks.view.checks import SPECS
from tasks.view.context import MODEL_NAMES, Context
from tasks.view.topic import Case, worded
from tasks.view.topics.model_words import extended_model
from tasks.view.words import numbers, text


def verdict_of(context: Context) -> ReportedVerdict:
    found = context.findings.verdict
    return ReportedVerdict(found.status, _headline(context), _reason(context), found.recommended_model)


def recommended_name(context: Context) -> str:
    """The recommended model's name, with what it has that the plain one has not."""
    model = context.findings.verdict.recommended_model
    return extended_model(context) if model == "bayes_extended" else MODEL_NAMES[model]


def _headline(context: Context) -> str:
    found = context.findings.verdict
    if found.status == "none":
        return "No model here can be trusted as it stands."
    if found.status == "use":
        return f"Use {recommended_name(context)}: plain partial pooling cannot be trusted here."
    return "Partial pooling can be trusted here."


def _reason(context: Context) -> str:
    found = context.findings.verdict
    if found.status == "none":
        return " ".join(worded(_case(one).message, context, one) for one in _against(context, "every model"))
    simpson = _simpson(context)
    if found.status == "use":
        reasons = [worded(_case(one).reason, context, one) for one in _not_said_twice(context)]
        listed = ", and ".join(dict.fromkeys(reasons))
        return f"{text.sentence_case(listed)}. {simpson}{_instead(found.recommended_model)}"
    flavour = MODEL_NAMES[found.recommended_model]
    return (
        f"{text.sentence_case(flavour)} is regular and converged, and nothing speaks against it. Its intervals "
        f"{_as_wide(context)}. {simpson}"
    ).strip()


def _instead(model: str) -> str:
    if model == "bayes":
        return "The Bayesian fit keeps that uncertainty and has intervals for every group."
    return "The recommended model takes that into account."


def _case(judged: Judgement) -> Case[Context]:
    return SPECS[judged.kind].cases[judged.case]


def _against(context: Context, what: str) -> Iterator[Judgement]:
    return (one for one in context.findings.judgements if one.against == what)


def _not_said_twice(context: Context) -> list[Judgement]:
    """What speaks against partial pooling; intervals that have collapsed are too short besides."""
    against = list(_against(context, "partial_pooling"))
    collapsed = {one.term for one in against if one.kind == "intervals"}
    return [one for one in against if one.kind != "implied_coverage" or one.term not in collapsed]


def _as_wide(context: Context) -> str:
    found = context.findings.implied_coverage
    least = min([*(float(found.terms[k]) for k in context.varying), found.smallest])
    return f"hold at least {numbers.percent(least)} of what the Bayesian fit holds possible"


def _simpson(context: Context) -> str:
    misleading = [
        text.readable(one.term) for one in context.findings.judgements if one.kind == "simpson" and one.status != "pass"
    ]
    if not misleading:
        return ""
    return f"Looking at all rows at once misleads about {numbers.listed(misleading)} (Simpson’s paradox). "
