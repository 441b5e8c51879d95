"""Findings put in words: the first screen's answers, and the sentence that opens each section.

Pure functions of the run's records. A sentence claims no more than its numbers: a group is said to
differ only when its whole interval does. Effects are said to go with the outcome, never to cause it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.stats.records import Check, Floats, IntervalComparison, SimpsonCheck, Status
from tasks.view import numbers, text
from tasks.view.context import MODEL_NAMES, Bands, Context
from tasks.view.numbers import common_decimals, fixed, interval, percent, plural, with_unit

STATUS_LABELS: dict[Status, str] = {"pass": "Pass", "review": "Review", "fail": "Fail"}
SMALLEST_CLEAR_ICC = 0.01
MOST_STEPS = 3
MOST_NAMED = 3


def asked(context: Context) -> str:
    outcome = f"{context.outcome} ({context.unit})" if context.unit else context.outcome
    groups = f"{plural(context.n_groups, 'group')} ({context.group})"
    rows = plural(context.findings.run.n_rows, "row")
    if len(context.terms) == 1:
        return f"How does {outcome} differ between {groups}? Answered from {rows}."
    predictors = numbers.listed(context.terms[1:])
    return f"How does {outcome} go with {predictors}, and how does it differ between {groups}? From {rows}."


def one_sentence(context: Context) -> str:
    """What holds, in one sentence."""
    return f"{_spread(context)}{''.join(f'; {effect(context, k)}' for k in range(1, len(context.terms)))}."


def _spread(context: Context) -> str:
    sd = context.findings.bayes.sigma_group
    size = with_unit(numbers.estimate(float(sd.mean[0]), float(sd.sd[0])), context.unit)
    if groups_differ(context):
        return f"Groups differ in {context.outcome}, typically by {size} from their average"
    return f"There is no clear sign that groups differ in {context.outcome} (typical distance {size})"


def groups_differ(context: Context) -> bool:
    """Whether some group's interval leaves the average out, and the ICC's interval is clear of 0."""
    apart = np.concatenate(apart_from_average(context))
    return bool(apart.size and float(context.findings.bayes.icc.lower) >= SMALLEST_CLEAR_ICC)


def apart_from_average(context: Context, term: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Groups whose interval lies wholly above, wholly below the average group's value; farthest first."""
    bands, average = context.recommended, context.overall[term]
    above = np.flatnonzero(bands.lower[:, term] > average)
    below = np.flatnonzero(bands.upper[:, term] < average)
    values = bands.coef[:, term]
    return above[np.argsort(-values[above], kind="stable")], below[np.argsort(values[below], kind="stable")]


def effect(context: Context, term: int) -> str:
    """What one predictor goes with, per raw unit, for the average group."""
    fixef, scale = context.findings.bayes.fixef, context.raw_scale(term)
    mean, sd = float(fixef.mean[term]) / scale, float(fixef.sd[term]) / scale
    lower, upper = float(fixef.lower[term]) / scale, float(fixef.upper[term]) / scale
    places = numbers.decimals_for(sd)
    name = context.terms[term]
    if lower <= 0 <= upper:
        return (
            f"no clear effect of {name} ({with_unit(fixed(mean, places), context.raw_unit(term))}; "
            f"95 % interval {interval(lower, upper, places)})"
        )
    more, size = ("more" if mean > 0 else "less"), with_unit(fixed(abs(mean), places), context.unit)
    return (
        f"{context.one_more(term)} goes with {size} {more} {context.outcome} "
        f"(95 % interval {interval(lower, upper, places)})"
    )


def is_there_a_difference(context: Context) -> str:
    """Answers: is there a difference between groups?"""
    icc, sd = context.findings.bayes.icc, context.findings.bayes.sigma_group
    size = with_unit(numbers.estimate(float(sd.mean[0]), float(sd.sd[0])), context.unit)
    share = f"about {percent(float(icc.mean))} of the variation in {context.outcome} lies between groups"
    if groups_differ(context):
        level = f"Yes. A group lies typically {size} above or below the average of all groups; {share}."
    else:
        level = f"Not clearly. The data do not show that groups differ in {context.outcome}; {share}."
    return " ".join([level, *(_slopes_differ(context, k) for k in context.varying if k)])


def _slopes_differ(context: Context, term: int) -> str:
    n_apart = sum(part.size for part in apart_from_average(context, term))
    if n_apart:
        return (
            f"The effect of {context.terms[term]} differs too: in {plural(n_apart, 'group')} it stands apart from "
            "the average effect."
        )
    return f"There is no clear sign that the effect of {context.terms[term]} differs between groups."


def which_groups(context: Context) -> str:
    """Answers: which groups?"""
    above, below = apart_from_average(context)
    places = min(numbers.decimals_for(float(context.findings.bayes.fixef.sd[0])), _places(context.recommended, 0))
    average = with_unit(fixed(context.overall[0], places), context.unit)
    parts = [
        f"Above the average of {average}: {_named(context, above)}." if above.size else "",
        f"Below the average of {average}: {_named(context, below)}." if below.size else "",
    ]
    rest = np.setdiff1d(np.arange(context.n_groups), np.concatenate([above, below]))
    if not (above.size or below.size):
        return f"None stands out: every group’s 95 % interval holds the average of {average}."
    if rest.size:
        names = rest.size <= MOST_NAMED and numbers.listed(context.named(j) for j in rest)
        parts.append(f"Not to be told from the average: {names or plural(rest.size, 'group')}.")
    return " ".join(filter(None, parts))


def _named(context: Context, groups: Sequence[int] | np.ndarray) -> str:
    values, places = context.recommended.coef[:, 0], _places(context.recommended, 0) - 1
    return numbers.listed(
        (f"{context.named(j)} ({with_unit(fixed(values[j], places), context.unit)})" for j in groups), limit=4
    )


def _places(bands: Bands, term: int) -> int:
    return common_decimals(bands.se[:, term])


def can_i_trust_it(context: Context) -> str:
    """Answers: can I trust it?"""
    verdict, checks = context.findings.verdict, context.findings.checks
    open_points = [check for check in checks if check.status != "pass"]
    if verdict.status == "fail":
        return f"No, not as it stands. {_messages(open_points, ('fail',))}"
    name = MODEL_NAMES.get(verdict.recommended_model, verdict.recommended_model)
    if not open_points:
        return f"Yes: all {len(checks)} checks passed. This holds for the estimates of {name}."
    return " ".join(filter(None, [f"Yes, the estimates of {name}.", _not_to_trust(context), _passed(checks)]))


def _not_to_trust(context: Context) -> str:
    """What a reader might otherwise quote: intervals that have collapsed, with what they are worth."""
    collapsed = [comparison for comparison in context.findings.intervals if comparison.is_collapsed]
    if not collapsed:
        return ""
    effects = numbers.listed(
        "the level" if comparison.term == "intercept" else f"the effect of {text.readable(comparison.term)}"
        for comparison in collapsed
    )
    worst = percent(min(comparison.implied_coverage for comparison in collapsed))
    return (
        f"Not the intervals that other tools give for {effects} by group: here they would hold the truth about {worst} "
        "of the time, not 95 %."
    )


def _passed(checks: Sequence[Check]) -> str:
    n_passed = sum(check.status == "pass" for check in checks)
    rest = len(checks) - n_passed
    others = "the others mean" if rest > 1 else "the other means"
    return f"{n_passed} of {len(checks)} checks passed; the health card says what {others}."


def _messages(checks: Sequence[Check], statuses: tuple[str, ...]) -> str:
    return " ".join(text.clean(check.message) for check in checks if check.status in statuses)


def what_should_i_do(context: Context) -> str:
    """Answers: what should I do?"""
    verdict = context.findings.verdict
    worst_first = sorted(context.findings.checks, key=lambda check: check.status != "fail")
    collapsed = any(comparison.is_collapsed for comparison in context.findings.intervals)
    said_otherwise = {"singularity"} if collapsed else set()
    steps = [_step(context, c) for c in worst_first if c.status != "pass" and c.name not in said_otherwise]
    if verdict.status == "fail":
        return " ".join(["Do not act on these numbers yet.", *steps[:MOST_STEPS]])
    name = MODEL_NAMES.get(verdict.recommended_model, verdict.recommended_model)
    mark = context.recommended_mark
    use = f"Use the estimates and intervals of {name}, marked “{mark}” in tables and figures."
    return " ".join([use, *dict.fromkeys(steps[:MOST_STEPS])])


def _step(context: Context, check: Check) -> str:
    """What to do about one check; its own advice where that can stand alone."""
    kind, _, term = check.name.partition("_")
    effect_of = "the level" if term == "intercept" else f"the effect of {text.readable(term)}"
    steps = {
        "intervals": f"Do not quote the usual intervals for {effect_of} by group: they are far too narrow.",
        "simpson": f"Do not ignore the groups when you ask about {text.readable(term)}: compare within groups.",
        "singularity": "Do not quote the usual intervals of the singular fit.",
        "group_sizes": "Do not compare the smallest groups by their own rows alone.",
        "rejected_rows": "Look at the rejected rows.",
        "prior_predictive": "Look at the priors in the study file: they all but rule out the data.",
        "prior_sensitivity": "Name the prior where you quote how far groups lie apart.",
        "equal_spread": "Look at the rows of the groups that scatter most.",
        "pareto_k": f"Look at the rows that the model finds odd ({context.findings.bayes.loo.n_high_pareto_k:,}).",
    }
    return steps.get(check.name) or steps.get(kind) or text.clean(check.advice)


def health_summary(checks: Sequence[Check]) -> str:
    counts = {status: sum(check.status == status for check in checks) for status in STATUS_LABELS}
    words = {"pass": "passed", "review": "to review", "fail": "failed"}
    return ", ".join(f"{counts[status]} {words[status]}" for status in STATUS_LABELS if counts[status])


def data_finding(context: Context) -> str:
    run, sizes = context.findings.run, context.findings.group_sizes
    same = int(sizes.min()) == int(sizes.max())
    spread = f"{plural(int(sizes.min()), 'row')} each" if same else f"{sizes.min():,} to {sizes.max():,} rows each"
    used = f"{plural(run.n_rows, 'row')} in {plural(run.n_groups, 'group')} were used, {spread}"
    n_unusable = sum(bool(file.set_aside) for file in run.files)
    unusable = f" {plural(n_unusable, 'file')} could not be used at all." if n_unusable else ""
    if not run.n_rejected:
        return f"{used}; no row was rejected.{unusable}"
    share = percent(run.n_rejected / (run.n_rows + run.n_rejected))
    return f"{used}; {plural(run.n_rejected, 'row')} ({share}) were rejected and are in no estimate.{unusable}"


def singularity_finding(context: Context) -> str:
    fit = context.findings.fullest
    name = MODEL_NAMES[f"partial_pooling.{fit.flavour}"]
    state = "is singular" if fit.is_singular else "is regular, not singular"
    collapsed = [comparison for comparison in context.findings.intervals if comparison.is_collapsed]
    opening = f"{text.sentence_case(name)} {state}"
    if not collapsed:
        return f"{opening}, and its usual intervals are about as wide as they should be."
    return f"{opening}. {' '.join(collapsed_words(context, comparison) for comparison in collapsed)}"


def collapsed_words(context: Context, comparison: IntervalComparison) -> str:
    """Names one collapsed interval, with the coverage that its width implies."""
    term = context.findings.terms.index(comparison.term)
    places = numbers.decimals_for(comparison.calibrated / 10)
    usual = numbers.significant(comparison.conditional, 2)
    needed = with_unit(fixed(comparison.calibrated, places), context.term_unit(term))
    what = "level" if term == 0 else f"effect of {context.terms[term]}"
    return (
        f"The conditional intervals for the {what} by group have collapsed: typically {usual} wide where {needed} "
        f"are needed. They would hold the truth about {percent(comparison.implied_coverage)} of the time, not 95 %."
    )


def simpson_finding(context: Context) -> str:
    return " ".join(simpson_sentence(context, check) for check in context.findings.simpson)


def simpson_sentence(context: Context, check: SimpsonCheck) -> str:
    term = context.findings.terms.index(check.term)
    name, unit, scale = context.terms[term], context.raw_unit(term), context.raw_scale(term)
    if not np.isfinite(check.within):
        return f"{text.sentence_case(name)} does not vary within groups, so there is no slope within them to compare."
    pooled = with_unit(numbers.estimate(check.complete / scale, check.complete_se / scale), unit)
    within = with_unit(numbers.estimate(check.within / scale, check.within_se / scale), unit)
    slopes = f"Over all rows the slope of {name} is {pooled}; within groups it is {within}"
    if check.is_reversed:
        return f"{slopes}: the sign turns round (Simpson’s paradox). Ignoring the groups would mislead."
    if check.is_misleading:
        return f"{slopes}: ignoring the groups would mislead (Simpson’s paradox)."
    return f"{slopes}: there is no sign that ignoring the groups misleads here."


def predictive_finding(context: Context) -> str:
    check, tail = context.findings.predictive, context.study.thresholds.predictive_tail
    each = tail / max(len(check.overall), 1)
    off = [s.name for s in check.overall if not each <= s.posterior_predictive_p_value <= 1 - each]
    overall = (
        f"Data simulated from the Bayesian model do not reproduce the {numbers.listed(off)} of the data"
        if off
        else "Data simulated from the Bayesian model look like the data in every statistic compared"
    )
    n_looked_at = int(np.isfinite(check.group_p_value).sum())
    groups = f"{check.n_groups_outside:,} of {plural(n_looked_at, 'group')} have a median outside what it expects"
    return f"{overall}; {groups} (up to {check.n_groups_outside_limit:,} would be chance)."


def sampler_finding(context: Context) -> str:
    found, attempts = context.findings.bayes.diagnostics, context.findings.bayes.attempts
    runs = "at the first attempt" if len(attempts) == 1 else f"at attempt {len(attempts)}"
    if found.failures:
        return f"The sampler did not reach its thresholds: {numbers.listed(map(text.clean, found.failures))}."
    return (
        f"The sampler reached every threshold {runs}: the largest R-hat is {found.rhat_max:.3f} and the draws are "
        f"worth at least {numbers.count(int(min(found.ess_bulk_min, found.ess_tail_min)))} independent ones."
    )


def models_finding(context: Context) -> str:
    findings = context.findings
    pooled = fixed(findings.complete.rmse, rmse_places(context))
    others: Floats = np.array([findings.fullest.rmse, findings.bayes.rmse])
    partial, bayes = (fixed(float(value), rmse_places(context)) for value in others)
    return (
        f"On the rows they were fitted to, complete pooling is typically off by {with_unit(pooled, context.unit)}, "
        f"partial pooling by {partial} and Bayes by {with_unit(bayes, context.unit)}."
    )


def rmse_places(context: Context) -> int:
    """Two significant digits of the standard error of an RMSE, about RMSE / sqrt(2 N)."""
    return numbers.decimals_for(context.findings.fullest.rmse / np.sqrt(2 * context.findings.run.n_rows))
