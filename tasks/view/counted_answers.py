"""The first screen of a counted outcome in words: the twin of `tasks.view.answers`.

Rates and differences of rates come before ratios. A group is said to differ only where the data leave little doubt;
effects are said to go with the outcome, never to cause it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tasks.stats.counted.joint_test import JointWald
from tasks.stats.rows.categories import Category
from tasks.view.answers import FIRST_NAMED, FLAT, MOST_NAMED, MOST_STEPS
from tasks.view.checks import WORST_FIRST, Check
from tasks.view.counted.compared import apart_from_average, beyond_target, effect, groups_differ
from tasks.view.counted.context import CountedContext
from tasks.view.topics.model_words import p_value
from tasks.view.words import numbers, text
from tasks.view.words.numbers import percent, plural

MOST_LISTED = 6


def asked(context: CountedContext) -> str:
    groups = f"{plural(context.n_groups, 'group')} ({context.group})"
    cells = context.findings.cells
    counted = f"{numbers.count(round(cells.events.sum()))} {context.outcome} in {_size(context, cells.size.sum())}"
    if len(context.terms) == 1:
        return f"How do rates of {context.outcome} differ between {groups}? Answered from {counted}."
    predictors = numbers.listed(context.predictors)
    asked_of = f"How do rates of {context.outcome} go with {predictors}, and how do they differ between {groups}?"
    return f"{asked_of} From {counted}."


def _size(context: CountedContext, size: float) -> str:
    return f"{numbers.plain(float(size)) if size != round(size) else numbers.count(round(size))} {context.size_noun}"


def one_sentence(context: CountedContext) -> str:
    """The answer in one sentence: how far rates lie apart, and the effect of each predictor; or that there is none."""
    if context.findings.verdict.status == "none":
        return f"No model here answers for {context.outcome}; what holds are the groups’ own rates, as observed."
    return "; ".join([_spread(context), *_effects(context)]) + "."


def _spread(context: CountedContext) -> str:
    average = context.rate_text(float(context.comparison.average.estimate))
    if groups_differ(context):
        return (
            f"Groups differ in {context.outcome}: their rates run from {_reach(context)}, about an average of {average}"
        )
    return f"There is no clear sign that groups differ in {context.outcome}; their average rate is {average}"


def _reach(context: CountedContext) -> str:
    """`8.8 % to 20.9 %`: the lowest and the highest rate of a group."""
    rate = context.comparison.rate.estimate
    return context.rate_interval(float(np.nanmin(rate)), float(np.nanmax(rate)))


def _effects(context: CountedContext) -> Iterator[str]:
    """A clause on each predictor; of a category one on all levels where they are many, or do not clearly differ."""
    many = {
        term: (each, test)
        for each, test in zip(context.rows.categories, context.findings.joint_tests, strict=True)
        if len(each.terms) > 1
        for term in each.terms
    }
    clauses = (
        _of_many(context, *many[term]) if term in many else effect(context, k)
        for k, term in enumerate(context.study.terms[1:], 1)
    )
    yield from dict.fromkeys(clauses)


def _of_many(context: CountedContext, category: Category, test: JointWald) -> str:
    if not test.is_clear:
        return f"the levels of {text.readable(category.column)} do not clearly differ (joint p {p_value(test.p_value)})"
    terms = [context.position(term) for term in category.terms]
    largest = max(terms, key=lambda term: abs(float(context.findings.effects.difference[term - 1])))
    return f"{effect(context, largest)}, the largest difference among its {len(category.levels)} levels"


def all_answers(context: CountedContext, checks: Sequence[Check]) -> dict[str, str]:
    """By question, in the order of the first screen."""
    return {
        "Is there a difference between groups?": is_there_a_difference(context),
        "Which groups?": which_groups(context),
        "Can I trust it?": can_i_trust_it(context, checks),
        "What should I do?": what_should_i_do(context, checks),
        "What could change the answer?": what_could_change_it(context, checks),
    }


def is_there_a_difference(context: CountedContext) -> str:
    if context.findings.verdict.status == "none":
        return "Not answered: no model here can say how much of the differences between the groups’ rates is chance."
    if not groups_differ(context):
        return f"Not clearly. The data do not show that groups differ in {context.outcome}. {_by_how_much(context)}"
    n_apart = sum(part.size for part in apart_from_average(context))
    told = f"Yes: {n_apart:,} of {plural(context.n_groups, 'group')} can be told from their average."
    return f"{told} {_alike(context)} run from {_reach(context)}. {_by_how_much(context)}"


def _alike(context: CountedContext) -> str:
    return "Rates" if len(context.terms) == 1 else "Rates on the same mix of cases"


def _by_how_much(context: CountedContext) -> str:
    """The median odds or rate ratio, in words."""
    found = context.findings.heterogeneity
    middle, lower, upper = (numbers.fixed(float(part), 2) for part in (found.estimate, found.lower, found.upper))
    what = "the odds of" if context.is_binomial else "the rate of"
    return (
        f"Of two groups taken at random, the higher one typically has {middle} times {what} the other (95 % interval "
        f"{lower} to {upper})."
    )


def which_groups(context: CountedContext) -> str:
    if context.findings.verdict.status == "none":
        return "Not answered, for the same reason."
    above, below = apart_from_average(context)
    average = context.rate_text(float(context.comparison.average.estimate))
    parts = [
        f"Above the average of the groups, {average}: {_named(context, above)}." if above.size else "",
        f"Below {'it' if above.size else f'the average of the groups, {average}'}: {_named(context, below)}."
        if below.size
        else "",
        _targets(context),
        _few(context),
    ]
    if not (above.size or below.size):
        parts[0] = f"None stands out: no group can be told from the average of the groups, {average}."
        return " ".join(filter(None, parts))
    rest = np.setdiff1d(np.flatnonzero(~context.too_few), np.concatenate([above, below]))
    if rest.size:
        names = rest.size <= MOST_NAMED and numbers.listed(context.named(j) for j in rest)
        parts.append(f"Too close to call: {names or plural(rest.size, 'group')}.")
    return " ".join(filter(None, parts))


def _named(context: CountedContext, groups: Sequence[int] | np.ndarray) -> str:
    rate = context.comparison.rate.estimate
    return numbers.listed((f"{context.named(j)} ({context.rate_text(float(rate[j]))})" for j in groups), MOST_LISTED)


def _targets(context: CountedContext) -> str:
    """Who is beyond the target that the study gives; empty without one."""
    if np.isnan(context.comparison.target).all():
        return ""
    beyond = beyond_target(context)
    if not beyond.size:
        return "None is above its target with a probability of 97.5 % or more."
    return f"Above {'its' if beyond.size == 1 else 'their'} target: {_named(context, beyond)}."


def _few(context: CountedContext) -> str:
    """Groups with less than the study asks for; empty if there are none."""
    n = int(context.too_few.sum())
    if not n:
        return ""
    has = numbers.be(n, "has", "have")
    return f"{plural(n, 'group')} {has} too few {context.size_noun} or {context.outcome} to be judged."


def can_i_trust_it(context: CountedContext, checks: Sequence[Check]) -> str:
    verdict = context.findings.verdict
    if verdict.status == "none":
        failed = " ".join(text.sentence(check.message) for check in checks if check.status == "fail")
        return f"No, not as it stands. {failed}"
    if all(check.status == "pass" for check in checks):
        return f"Yes, the estimates on this page: all {len(checks)} checks passed."
    yes = f"Yes, the estimates on this page{': they are those of the model to use' * (verdict.status == 'use')}."
    return " ".join(filter(None, [yes, _not_to_trust(context), _passed(context, checks)]))


def _not_to_trust(context: CountedContext) -> str:
    collapsed = [one for one in context.findings.intervals if one.is_collapsed]
    if not collapsed:
        return ""
    effects = numbers.listed(f"the {context.term_name(context.position(one.term))}" for one in collapsed)
    worst = percent(min(one.implied_coverage for one in collapsed))
    return (
        f"Not the intervals that other programs draw for {effects} by group: they would hold the truth about {worst} "
        "of the time, not 95 %, if the Bayesian ones are right."
    )


def _passed(context: CountedContext, checks: Sequence[Check]) -> str:
    n_passed = sum(check.status == "pass" for check in checks)
    ordered = sorted(checks, key=lambda check: WORST_FIRST.index(check.status))
    others = [f"“{context.check_title(check.kind, check.term)}”" for check in ordered if check.status != "pass"]
    return f"{n_passed} of {len(checks)} checks passed; the health card explains {numbers.listed(others, MOST_STEPS)}."


def what_should_i_do(context: CountedContext, checks: Sequence[Check]) -> str:
    verdict = context.findings.verdict
    collapsed = any(check.kind == "intervals" and check.status == "fail" for check in checks)
    open_points = [
        check
        for check in sorted(checks, key=lambda check: WORST_FIRST.index(check.status))
        if check.status != "pass" and not (collapsed and check.kind in ("singularity", "implied_coverage"))
    ]
    steps = list(dict.fromkeys(text.sentence(check.step) for check in open_points))[:MOST_STEPS]
    if verdict.status == "none":
        return " ".join(["Do not act on these numbers yet.", *steps])
    quoted = f"Quote the rates and intervals of this page, “{context.quoted_label}” in tables and figures."
    return " ".join(filter(None, [_look_first(context), *steps, quoted]))


def _look_first(context: CountedContext) -> str:
    """Who stands out, the worse side first where the study says which it is; empty where groups do not differ."""
    if not groups_differ(context):
        return ""
    sides = dict(zip(("high", "low"), apart_from_average(context), strict=True))
    worse = {"higher": ("high",), "lower": ("low",)}.get(context.study.rates.worse or "", ("high", "low"))
    first = {side: numbers.listed(context.named(j) for j in sides[side][:FIRST_NAMED]) for side in worse}
    named = [f"{names} ({side})" for side, names in first.items() if names]
    return f"Look first at {', and at '.join(named)}." if named else ""


def what_could_change_it(context: CountedContext, checks: Sequence[Check]) -> str:
    unclear = [check for check in checks if check.status != "pass"]
    is_flat = context.findings.verdict.status == "use" and any(check.kind in FLAT for check in unclear)
    is_answered = context.findings.verdict.status != "none"
    judged = context.n_groups - int(context.too_few.sum())
    close = is_answered * (judged - sum(part.size for part in apart_from_average(context)))
    more = f"more {context.size_noun}"
    parts = (
        f"more groups, or {more} in them, that show how far groups differ" if is_flat else "",
        "what is to review, once it is settled" if any(check.kind not in FLAT for check in unclear) else "",
        f"{more} in {'the group' if close == 1 else 'groups'} too close to call" if close else "",
    )
    known = "; ".join(filter(None, parts))
    return f"{text.sentence_case(known)}." if known else "Only new rows: nothing is open here."
