"""The verdict in words: a headline, and why."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.stats.fits.intervals import ABOUT_AS_WIDE
from tasks.stats.judgement import Judgement
from tasks.stats.past.earlier import ReportedVerdict
from tasks.view.checks import SPECS
from tasks.view.context import MODEL_NAMES, Context
from tasks.view.topic import Case, worded
from tasks.view.words import numbers, text


def verdict_of(context: Context) -> ReportedVerdict:
    found = context.findings.verdict
    return ReportedVerdict(found.status, _headline(context), _reason(context), found.recommended_model)


def _headline(context: Context) -> str:
    found = context.findings.verdict
    if found.status == "none":
        return "No model here can be trusted as it stands."
    if found.recommended_model == "bayes":
        return "Use the Bayesian fit: partial pooling by REML cannot be trusted here."
    if any(one.status != "pass" for one in context.findings.judgements):
        return "Partial pooling can be trusted here; read the points marked review first."
    return "Partial pooling can be trusted here."


def _reason(context: Context) -> str:
    found = context.findings.verdict
    if found.status == "none":
        return " ".join(worded(_case(one).message, context, one) for one in _against(context, "every model"))
    simpson = _simpson(context)
    if found.recommended_model == "bayes":
        against = _against(context, "partial_pooling")
        reasons = ", and ".join(worded(_case(one).reason, context, one) for one in against)
        instead = "The Bayesian fit keeps that uncertainty and has intervals for every group."
        return f"{text.sentence_case(reasons)}. {simpson}{instead}"
    flavour = MODEL_NAMES[f"partial_pooling.{context.findings.fullest.flavour}"]
    return (
        f"{text.sentence_case(flavour)} is regular, converged, and its intervals {_as_wide(context)}. {simpson}".strip()
    )


def _case(judged: Judgement) -> Case[Context]:
    return SPECS[judged.kind].cases[judged.case]


def _against(context: Context, what: str) -> Iterator[Judgement]:
    return (one for one in context.findings.judgements if one.against == what)


def _as_wide(context: Context) -> str:
    narrowest = min((one.ratio for one in context.findings.intervals), default=1.0)
    if narrowest >= ABOUT_AS_WIDE:
        return "are about as wide as the Bayesian ones"
    return f"have not collapsed, though they are only {numbers.percent(narrowest)} as wide as the Bayesian ones"


def _simpson(context: Context) -> str:
    misleading = [
        text.readable(one.term) for one in context.findings.judgements if one.kind == "simpson" and one.status != "pass"
    ]
    if not misleading:
        return ""
    return f"Looking at all rows at once misleads about {numbers.listed(misleading)} (Simpson’s paradox). "
