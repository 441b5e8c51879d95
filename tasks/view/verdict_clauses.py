"""What the verdict on a normal outcome says in its own words."""

from __future__ import annotations

from tasks.view.context import MODEL_NAMES, Context
from tasks.view.topics.model_words import extended_model
from tasks.view.words import numbers, text


def recommended_name(context: Context) -> str:
    """The recommended model's name, with what it has that the plain one has not."""
    model = context.findings.verdict.recommended_model
    return extended_model(context) if model == "bayes_extended" else MODEL_NAMES[model]


def why_trusted(context: Context) -> str:
    flavour = MODEL_NAMES[context.findings.verdict.recommended_model]
    return (
        f"{text.sentence_case(flavour)} is regular and converged, and nothing speaks against it. Its intervals "
        f"{_as_wide(context)}."
    )


def besides(context: Context) -> str:
    """Of which predictors the look at all rows at once misleads; empty if of none."""
    misleading = [
        text.readable(one.term) for one in context.findings.judgements if one.kind == "simpson" and one.status != "pass"
    ]
    if not misleading:
        return ""
    return f"Looking at all rows at once misleads about {numbers.listed(misleading)} (Simpson’s paradox)."


def _as_wide(context: Context) -> str:
    found = context.findings.implied_coverage
    least = min([*(float(found.terms[k]) for k in context.varying), found.smallest])
    return f"hold at least {numbers.percent(least)} of what the Bayesian fit holds possible"
