"""The test of differences between groups of a counted outcome, in words."""

from __future__ import annotations

from tasks.view.counted.context import CountedContext
from tasks.view.topic import Case, CheckSpec
from tasks.view.topics.model_words import p_value
from tasks.view.words import numbers


def _tested(context: CountedContext) -> str:
    names = numbers.listed(
        f"the {context.term_name(context.position(term))}" for term in context.findings.group_sd_test.terms
    )
    return f"{names} {numbers.be(len(context.findings.group_sd_test.terms), 'differs', 'differ')} between groups"


def _how_tested(context: CountedContext) -> str:
    found = context.findings.group_sd_test
    p = p_value(found.p_value)
    if found.is_asymptotic:
        return f"likelihood ratio {numbers.fixed(found.statistic, 1)}, p {p} by a mixture of chi-squared"
    return f"likelihood ratio {numbers.fixed(found.statistic, 1)}, p {p} by {found.n_replicates:,} simulated data sets"


VARIANCE: CheckSpec[CountedContext] = CheckSpec(
    kind="variance_component",
    title="Test of differences between groups",
    measure="p {value}, shown below {limit}",
    cases={
        "shown": Case(lambda context, judged: f"The data show that {_tested(context)} ({_how_tested(context)})."),
        "not shown": Case(
            lambda context, judged: (
                f"The data do not show that {_tested(context)} ({_how_tested(context)}). They need not be alike."
            )
        ),
    },
)
