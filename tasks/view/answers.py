"""The first screen in words: what was asked, the answer in a sentence, and four plain questions answered.

Written for readers who know no statistics. A group is said to differ only when its whole interval does;
effects are said to go with the outcome, never to cause it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tasks.stats.fits.intervals import Z_95
from tasks.stats.judged.joint_test import JointTest
from tasks.stats.records import Floats
from tasks.stats.rows.categories import Category
from tasks.view.checks import WORST_FIRST, Check
from tasks.view.context import Bands, Context
from tasks.view.report_context import CLEARLY
from tasks.view.topics.model_words import p_value
from tasks.view.words import numbers, text
from tasks.view.words.numbers import common_decimals, fixed, interval, percent, plural, with_unit

SMALLEST_CLEAR_ICC = 0.01
MOST_STEPS = 3
MOST_NAMED = 3
FIRST_NAMED = 2
MANY_COPIES = 0.05  # as a share of the rows
# Checks that fail where the data tell too little of how far groups differ.
FLAT = ("singularity", "intervals", "implied_coverage")
MOST_DIFFERENCES = 2  # of a category, told one by one


def asked(context: Context) -> str:
    outcome = f"{context.outcome} ({context.unit})" if context.unit else context.outcome
    groups = f"{plural(context.n_groups, 'group')} ({context.group})"
    rows = plural(context.findings.run.n_rows, "row")
    if len(context.terms) == 1:
        return f"How does {outcome} differ between {groups}? Answered from {rows}."
    predictors = numbers.listed(context.predictors)
    return f"How does {outcome} go with {predictors}, and how does it differ between {groups}? From {rows}."


def one_sentence(context: Context) -> str:
    """The answer in one sentence: how much groups differ, and the effect of each predictor; or that there is none."""
    if context.findings.verdict.status == "none":
        return f"No model here answers for {context.outcome}; what holds are the groups’ own means, as observed."
    return "; ".join([_spread(context), *_effects(context)]) + "."


def _effects(context: Context) -> Iterator[str]:
    """A clause on each predictor; of a category one on all levels where they are many, or do not clearly differ."""
    many = {
        term: (each, test)
        for each, test in zip(context.rows.categories, context.findings.joint_tests, strict=True)
        if len(each.terms) > (MOST_DIFFERENCES if test.is_clear else 1)
        for term in each.terms
    }
    clauses = (
        _of_many(context, *many[term]) if term in many else effect(context, k)
        for k, term in enumerate(context.study.terms[1:], 1)
    )
    yield from dict.fromkeys(clauses)


def _of_many(context: Context, category: Category, test: JointTest) -> str:
    if not test.is_clear:
        return f"the levels of {text.readable(category.column)} do not clearly differ (joint p {p_value(test.p_value)})"
    terms = [context.position(term) for term in category.terms]
    largest = max(terms, key=lambda term: abs(float(context.quoted.average.estimate[term])))
    return f"{effect(context, largest)}, the largest difference among its {len(category.levels)} levels"


def _spread(context: Context) -> str:
    size = _typical_distance(context)
    if groups_differ(context):
        return f"Groups differ in {context.outcome}, typically by {size} from their average"
    return f"There is no clear sign that groups differ in {context.outcome} (typical distance {size})"


def _typical_distance(context: Context) -> str:
    """How far groups typically lie from their average, in the outcome's unit."""
    sd = context.quoted.sigma_group
    margin = float(sd.upper[0] - sd.lower[0]) / (2.0 * Z_95)
    return with_unit(numbers.rounded(float(sd.estimate[0]), margin), context.difference_unit)


def groups_differ(context: Context) -> bool:
    """Whether some group is clearly above or below the average, and the ICC's interval is clear of 0."""
    apart = np.concatenate(apart_from_average(context))
    return bool(apart.size and float(context.quoted.icc.lower) >= SMALLEST_CLEAR_ICC)


def apart_from_average(context: Context, term: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(groups above, groups below) the average of these groups with a probability of 97.5 %; farthest first."""
    probability = _above(context, term)
    above, below = np.flatnonzero(probability >= CLEARLY), np.flatnonzero(probability <= 1 - CLEARLY)
    values = context.recommended.coef[:, term]
    return above[np.argsort(-values[above], kind="stable")], below[np.argsort(values[below], kind="stable")]


def _above(context: Context, term: int) -> Floats:
    """(J,) probability of a value above the average; judged by the intervals if groups were not ranked."""
    for one in context.findings.ranks.terms:
        if one.term == context.findings.terms[term]:
            return one.above
    bands, average = context.recommended, average_of_groups(context, term)
    is_above, is_below = bands.lower[:, term] > average, bands.upper[:, term] < average
    return np.where(is_above, 1.0, np.where(is_below, 0.0, 0.5))


def average_of_groups(context: Context, term: int = 0) -> float:
    """The average of the groups' recommended estimates, each group counted once."""
    return float(np.nanmean(context.recommended.coef[:, term]))


def average_in_words(context: Context) -> str:
    """The same, with its unit."""
    places = min(_places_of_average(context), _places(context.recommended, 0))
    return with_unit(fixed(average_of_groups(context), places), context.unit)


def effect(context: Context, term: int) -> str:
    """A clause on one predictor's effect in the average group, per raw unit."""
    average, scale = context.quoted.average, context.raw_scale(term)
    mean, lower, upper = (float(part[term]) / scale for part in (average.estimate, average.lower, average.upper))
    sd = (upper - lower) / (2.0 * Z_95)
    places = min(numbers.decimals_for(sd), numbers.decimals_for(abs(mean), 3))
    if lower <= 0 <= upper and (names := _together(context, term)):
        return f"{names} go together so closely that their effects cannot be told apart"
    if lower <= 0 <= upper:
        return (
            f"no clear effect of {context.compared(term)} ({with_unit(fixed(mean, places), context.raw_unit(term))}; "
            f"95 % interval {interval(lower, upper, places)})"
        )
    more, size = ("more" if mean > 0 else "less"), with_unit(fixed(abs(mean), places), context.difference_unit)
    return (
        f"{context.one_more(term)} goes with {size} {more} {context.outcome} "
        f"(95 % interval {interval(lower, upper, places)})"
    )


def is_there_a_difference(context: Context) -> str:
    """Answers: is there a difference between groups?"""
    if context.findings.verdict.status == "none":
        return "Not answered: no model here can say how much of the differences between the groups’ means is chance."
    icc = context.quoted.icc
    at = f"at {_averages(context)}, " if len(context.terms) > 1 else ""
    share = (
        f"{at}about {percent(float(icc.estimate))} of the variation in {context.outcome} lies between groups (95 % "
        f"interval {percent(float(icc.lower))} to {percent(float(icc.upper))})."
    )
    if groups_differ(context):
        n_apart = sum(part.size for part in apart_from_average(context))
        told = f"Yes: {n_apart:,} of {plural(context.n_groups, 'group')} can be told from their average."
        level = f"{told} The estimates run from {_extreme(context, np.nanmin)} to {_extreme(context, np.nanmax)}."
    else:
        level = f"Not clearly. The data do not show that groups differ in {context.outcome}."
    level = f"{level} {text.sentence_case(share)}"
    slopes = dict.fromkeys(_slopes_differ(context, k) for k in context.varying if k)
    return " ".join(filter(None, [level, *slopes, _same_for_all(context)]))


def _averages(context: Context) -> str:
    """Where the share is told: `the average age`, `the mix of channel`, or both."""
    numbers_named = [context.terms[term] for term in context.numeric_terms]
    mixed = [text.readable(each.column) for each in context.rows.categories]
    average = f"the average {numbers.listed(numbers_named)}" if numbers_named else ""
    mix = f"the mix of {numbers.listed(mixed)}" if mixed else ""
    return " and ".join(filter(None, [average, mix]))


def _extreme(context: Context, which: Callable[[Floats], float]) -> str:
    places = max(_places(context.recommended, 0) - 1, 0)
    return with_unit(fixed(float(which(context.recommended.coef[:, 0])), places), context.unit)


def _together(context: Context, term: int) -> str:
    """The names of the predictors that this one goes together with too closely; empty where there are none."""
    close = context.rows.collinearity
    if close is None or not close.is_close or term not in close.columns:
        return ""
    return numbers.listed(context.terms[k] for k in close.columns)


def _same_for_all(context: Context) -> str:
    names = [text.readable(name) for name in context.rows.group_level if name not in context.rows.level_terms]
    if not names:
        return ""
    return (
        f"The {'effect' if len(names) == 1 else 'effects'} of {numbers.listed(names)} cannot differ between groups, as "
        f"{'it has' if len(names) == 1 else 'they have'} one value in each."
    )


def _slopes_differ(context: Context, term: int) -> str:
    n_apart = sum(part.size for part in apart_from_average(context, term))
    if n_apart:
        return (
            f"The {context.term_name(term)} differs too: in {plural(n_apart, 'group')} it is clearly larger or "
            "smaller than the average of the groups."
        )
    if names := _together(context, term):
        return f"Whether the effects of {names} differ between groups cannot be told."
    return f"There is no clear sign that the {context.term_name(term)} differs between groups."


def which_groups(context: Context) -> str:
    """Answers: which groups?"""
    if context.findings.verdict.status == "none":
        return "Not answered, for the same reason."
    above, below = apart_from_average(context)
    average = average_in_words(context)
    parts = [
        f"Above the average of the groups, {average}: {_named(context, above)}." if above.size else "",
        f"Below {'it' if above.size else f'the average of the groups, {average}'}: {_named(context, below)}."
        if below.size
        else "",
    ]
    rest = np.setdiff1d(np.arange(context.n_groups), np.concatenate([above, below]))
    if not (above.size or below.size):
        return f"None stands out: no group can be told from the average of the groups, {average}."
    if rest.size:
        names = rest.size <= MOST_NAMED and numbers.listed(context.named(j) for j in rest)
        parts.append(f"Too close to call: {names or plural(rest.size, 'group')}.")
    return " ".join(filter(None, parts))


def _places_of_average(context: Context) -> int:
    average = context.quoted.average
    return numbers.decimals_for(float(average.upper[0] - average.lower[0]) / (2.0 * Z_95))


def _named(context: Context, groups: Sequence[int] | np.ndarray) -> str:
    values, places = context.recommended.coef[:, 0], _places(context.recommended, 0) - 1
    return numbers.listed(
        (f"{context.named(j)} ({with_unit(fixed(values[j], places), context.unit)})" for j in groups), limit=6
    )


def _places(bands: Bands, term: int) -> int:
    return common_decimals(bands.se[:, term])


def can_i_trust_it(context: Context, checks: Sequence[Check]) -> str:
    """Answers: can I trust it?"""
    verdict = context.findings.verdict
    if verdict.status == "none":
        failed = " ".join(text.sentence(check.message) for check in checks if check.status == "fail")
        return f"No, not as it stands. {failed}"
    if all(check.status == "pass" for check in checks):
        return f"Yes, the estimates on this page: all {len(checks)} checks passed."
    is_other = verdict.status == "use"
    yes = f"Yes, the estimates on this page{': they are those of the model to use' if is_other else ''}."
    return " ".join(filter(None, [yes, _not_to_trust(context), _counted_twice(context), _passed(context, checks)]))


def what_could_change_it(context: Context, checks: Sequence[Check]) -> str:
    """Answers: what could change the answer?"""
    unclear = [check for check in checks if check.status != "pass"]
    is_flat = context.findings.verdict.status == "use" and any(check.kind in FLAT for check in unclear)
    is_answered = context.findings.verdict.status != "none"
    close = is_answered * (context.n_groups - sum(part.size for part in apart_from_average(context)))
    parts = (
        "more groups, or more rows in them, that show how far groups differ" if is_flat else "",
        "what is to review, once it is settled" if any(check.kind not in FLAT for check in unclear) else "",
        f"more rows in {'the group' if close == 1 else 'groups'} too close to call" if close else "",
    )
    known = "; ".join(filter(None, parts))
    return f"{text.sentence_case(known)}." if known else "Only new rows: nothing is open here."


def all_answers(context: Context, checks: Sequence[Check]) -> dict[str, str]:
    """By question, in the order of the first screen."""
    return {
        "Is there a difference between groups?": is_there_a_difference(context),
        "Which groups?": which_groups(context),
        "Can I trust it?": can_i_trust_it(context, checks),
        "What should I do?": what_should_i_do(context, checks),
        "What could change the answer?": what_could_change_it(context, checks),
    }


def _counted_twice(context: Context) -> str:
    """How many rows are copies; empty if they are few or the study keeps them."""
    found, n_rows = context.rows.notes.copies, context.findings.run.n_rows
    if found is None or context.study.rules.copies == "keep" or found.n_rows < MANY_COPIES * n_rows:
        return ""
    return f"But {percent(min(found.n_rows / n_rows, 1.0))} of the rows are copies of others: margins are too narrow."


def _not_to_trust(context: Context) -> str:
    """A warning of collapsed intervals, with their implied coverage; empty if none has collapsed."""
    collapsed = [comparison for comparison in context.findings.intervals if comparison.is_collapsed]
    if not collapsed:
        return ""
    effects = numbers.listed(f"the {context.term_name(context.position(one.term))}" for one in collapsed)
    worst = percent(min(comparison.implied_coverage for comparison in collapsed))
    return (
        f"Not the intervals that other programs draw for {effects} by group: they would hold the truth about {worst} "
        "of the time, not 95 %, if the Bayesian ones are right."
    )


def _passed(context: Context, checks: Sequence[Check]) -> str:
    n_passed = sum(check.status == "pass" for check in checks)
    ordered = sorted(checks, key=lambda check: WORST_FIRST.index(check.status))
    others = [f"“{context.check_title(check.kind, check.term)}”" for check in ordered if check.status != "pass"]
    return f"{n_passed} of {len(checks)} checks passed; the health card explains {numbers.listed(others, MOST_STEPS)}."


def what_should_i_do(context: Context, checks: Sequence[Check]) -> str:
    """Answers: what should I do?"""
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
    quoted = f"Quote the estimates and intervals of this page, “{context.recommended_mark}” in tables and figures."
    return " ".join(filter(None, [_look_first(context), *steps, quoted]))


def _look_first(context: Context) -> str:
    """Who stands out; empty where groups are not seen to differ."""
    if not groups_differ(context):
        return ""
    sides = zip(("high", "low"), apart_from_average(context), strict=True)
    first = {side: numbers.listed(context.named(j) for j in groups[:FIRST_NAMED]) for side, groups in sides}
    return f"Look first at {', and at '.join(f'{names} ({side})' for side, names in first.items() if names)}."
