"""Findings put in words: the sentences that open sections.

Pure functions of the run's records. A sentence claims no more than its numbers: a group is said to
differ only when its whole interval does. Effects are said to go with the outcome, never to cause it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.stats.checks import ABOUT_AS_WIDE
from tasks.stats.records import Check, Floats, IntervalComparison, SimpsonCheck, Status
from tasks.view import numbers, text
from tasks.view.context import MODEL_NAMES, Context
from tasks.view.numbers import fixed, percent, plural, with_unit

STATUS_LABELS: dict[Status, str] = {"pass": "Pass", "review": "Review", "fail": "Fail"}


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
    copies = f" {plural(run.n_copies, 'copy', 'copies')} of earlier rows {_were(run.n_copies)} dropped." * (
        run.n_copies > 0
    )
    if not run.n_rejected:
        return f"{used}; no row was rejected.{copies}{unusable}"
    share = percent(run.n_rejected / (run.n_rows + run.n_rejected))
    rejected = f"{plural(run.n_rejected, 'row')} ({share}) {_were(run.n_rejected)} rejected"
    return f"{used}; {rejected} and {'is' if run.n_rejected == 1 else 'are'} in no estimate.{copies}{unusable}"


def _were(n: int) -> str:
    return "was" if n == 1 else "were"


def singularity_finding(context: Context) -> str:
    fit = context.findings.fullest
    name = MODEL_NAMES[f"partial_pooling.{fit.flavour}"]
    state = "is singular" if fit.is_singular else "is regular, not singular"
    collapsed = [comparison for comparison in context.findings.intervals if comparison.is_collapsed]
    opening = f"{text.sentence_case(name)} {state}"
    if not collapsed:
        narrowest = min((comparison.ratio for comparison in context.findings.intervals), default=1.0)
        if narrowest < ABOUT_AS_WIDE:
            return f"{opening}; its usual intervals are only {percent(narrowest)} as wide as they should be."
        return f"{opening}, and its usual intervals are about as wide as they should be."
    return f"{opening}. {' '.join(collapsed_words(context, comparison) for comparison in collapsed)}"


def collapsed_words(context: Context, comparison: IntervalComparison) -> str:
    """Names one collapsed interval, with the coverage that its width implies."""
    term = context.findings.terms.index(comparison.term)
    scale = context.raw_scale(term)
    usual = numbers.significant(comparison.conditional / scale, 2)
    places = numbers.decimals_for(comparison.calibrated / scale / 10)
    needed = with_unit(fixed(comparison.calibrated / scale, places), context.raw_unit(term))
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
