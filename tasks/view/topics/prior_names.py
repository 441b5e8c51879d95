"""Names of parameters and statistics in the section on priors, and the priors' expected ranges."""

from __future__ import annotations

from tasks.stats.judged.prior_predictive import Expected
from tasks.stats.judged.prior_sensitivity import Sensitivity
from tasks.view.context import Context
from tasks.view.words import numbers, text
from tasks.view.words.numbers import interval


def expected_range(one: Expected, share: float = 0.95) -> str:
    """The middle 95 % or 50 % of the values that the priors expect."""
    first = 0 if share > 0.5 else 1
    low, high = float(one.quantiles[first]), float(one.quantiles[-1 - first])
    return interval(low, high, numbers.decimals_for((high - low) / 4))


def quantity_name(context: Context, one: Sensitivity) -> str:
    return named(context, one.kind, one.terms)


def named(context: Context, kind: str, terms: tuple[str, ...]) -> str:
    """A parameter's name in tables."""
    effects = [context.term_name(context.findings.terms.index(term)) for term in terms]
    return {
        "fixef": f"average {' '.join(effects)}",
        "sigma_group": f"SD between groups ({' '.join(effects)})",
        "correlation": f"correlation of {' with '.join(effects)}",
        "sigma": "residual SD",
        "icc": "ICC",
        "group": " ".join(effects),
    }[kind]


def short_name(context: Context, one: Sensitivity) -> str:
    """A shorter name, for the axis of a figure."""
    if one.kind == "correlation":
        return "Correlation" if len(context.varying) == 2 else f"Corr. {' with '.join(map(text.readable, one.terms))}"
    if one.kind == "sigma_group":
        return f"SD: {context.term_name(context.findings.terms.index(one.terms[0]))}"
    return text.sentence_case(quantity_name(context, one))


def statistic_name(context: Context, name: str, term: str) -> str:
    return f"slope of {text.readable(term)}" if term else name


def raw_unit_of(context: Context, term: str) -> str:
    """The unit of the slope of `term`, or of the outcome if `term` is empty."""
    return context.raw_unit(context.findings.terms.index(term)) if term else context.unit
