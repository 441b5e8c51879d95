"""What the verdict on a counted outcome says in its own words."""

from __future__ import annotations

import numpy as np

from tasks.view.counted.context import MODEL_NAMES, CountedContext
from tasks.view.words import numbers, text
from tasks.view.words.numbers import percent


def recommended_name(context: CountedContext) -> str:
    """The recommended model's name, with what it has that the plain one has not."""
    model = context.findings.verdict.recommended_model
    return extended_name(context) if model == "bayes_extended" else MODEL_NAMES[model]


def extended_name(context: CountedContext) -> str:
    """`the Bayesian model with group size and more spread than chance`"""
    answer = context.findings.screening.answer
    parts = [_added(context, one.kind, one.column) for one in answer.added]
    if answer.is_overdispersed:
        parts.append("rows that vary more than chance")
    return f"the Bayesian model with {numbers.listed(dict.fromkeys(parts))}"


def _added(context: CountedContext, kind: str, column: int) -> str:
    if kind == "size":
        return f"the number of {context.size_noun}" if context.study.size_column else "group size"
    name = context.terms[column]
    return f"a curve in {name}" if kind == "curve" else f"group means of {name}"


def why_trusted(context: CountedContext) -> str:
    flavour = MODEL_NAMES[context.findings.verdict.recommended_model]
    found = context.findings.implied_coverage
    least = min([*(float(found.terms[k]) for k in context.varying), found.smallest])
    return (
        f"{text.sentence_case(flavour)} is regular and converged, and nothing speaks against it. Its intervals hold at "
        f"least {percent(least)} of what the Bayesian fit holds possible.{_widened(context)}"
    )


def _widened(context: CountedContext) -> str:
    most = float(np.max(context.findings.widening[list(context.varying)])) - 1.0
    return f" Where they are quoted, they are wider by up to {percent(most)}, to hold 95 %." if most >= 0.01 else ""


def besides(context: CountedContext) -> str:
    return ""
