"""Findings against thresholds: each check with its value, its limit, what it means and what to do.

pass: nothing to know. review: read this before using the numbers. fail: the thing checked must not be
used. A check judges one thing only; what follows for the report as a whole is `tasks.stats.verdict`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tasks.stats.assumptions import check_equal_spread
from tasks.stats.collinearity import check_collinearity
from tasks.stats.influence import influential_groups
from tasks.stats.pit import loo_pit
from tasks.stats.prior_predictive import check_prior_predictive
from tasks.stats.prior_sensitivity import check_prior_sensitivity
from tasks.stats.records import (
    BayesFit,
    Check,
    Findings,
    Flavour,
    IntervalComparison,
    NoPooling,
    PartialPooling,
    PredictiveCheck,
    SimpsonCheck,
    Status,
)
from tasks.stats.row_checks import row_checks
from tasks.stats.size_trend import check_size_trend
from tasks.stats.study import Study
from tasks.stats.usable_varying import check_group_level
from tasks.stats.variance_test import check_variance_component

# Where more than this share of the groups' medians is off, the model misses the groups themselves.
MISSED_GROUPS_SHARE = 0.25

# Intervals of at least this width relative to calibrated ones cover at least 92 %, not 95 %, of the time.
ABOUT_AS_WIDE = 0.9

FLAVOUR_WORDS: dict[Flavour, str] = {
    "varying_intercept": "varying intercepts",
    "varying_slope": "varying slopes",
    "varying_intercept_slope": "varying intercepts and slopes",
}


def all_checks(study: Study, found: Findings, age_days: float | None = None) -> tuple[Check, ...]:
    """Every check of a report, data first, in the report's order. `age_days` is the age of the newest file."""
    run, fullest, limits = found.run, found.fullest, study.thresholds
    n_set_aside = sum(bool(file.set_aside) for file in run.files)
    return (
        rejected_rows(
            run.n_rows + run.n_rejected,
            run.n_rejected,
            study.rules.max_rejected_share,
            n_set_aside,
            found.notes.reading.hint if found.notes.reading else "",
        ),
        *row_checks(found.notes, study, run.n_rows, run.n_rejected),
        *freshness(age_days, study.notify.max_age_days),
        group_count(found.no_pooling.n.size, limits.few_groups),
        group_sizes(found.no_pooling),
        *(
            _simpson(check, found, study.outcome_unit, float(scale))
            for check, scale in zip(found.simpson, found.scaling.scale, strict=True)
        ),
        *check_collinearity(found.collinearity, found.scaling, study.outcome_unit),
        *check_group_level(found.group_level),
        convergence(found.partial),
        singularity(fullest, study),
        *check_variance_component(found.variance_test),
        *(collapsed_intervals(comparison, limits.collapsed_ratio) for comparison in found.intervals),
        *sampler(found.bayes, study),
        pareto_k(found.bayes),
        predictive_overall(found.predictive, limits.predictive_tail),
        predictive_groups(found.predictive),
        *loo_pit(found.loo_pit),
        *influential_groups(found.influence, found.labels, found.terms, limits.influence),
        *check_size_trend(found, study.outcome_unit),
        *check_prior_predictive(found.prior_predictive),
        *check_prior_sensitivity(found.prior_sensitivity, found.no_pooling.n.size),
        *check_equal_spread(found.assumptions, found.labels),
    )


def rejected_rows(n_read: int, n_rejected: int, limit: float, n_set_aside: int = 0, hint: str = "") -> Check:
    """`hint` says what rejected values look like, and which settings read them."""
    share = n_rejected / n_read
    rows = f"{n_rejected} of {n_read} rows ({share:.1%}) were rejected and left out of every estimate."
    if n_rejected == 0:
        rows = f"All {n_read} rows passed validation."
    if n_rejected == 0 and n_set_aside == 0:
        return Check("rejected_rows", "pass", 0.0, limit, rows, "")
    files = "1 file" if n_set_aside == 1 else f"{n_set_aside} files"
    return Check(
        "rejected_rows",
        "review",
        share,
        limit,
        f"{files} could not be used and {'was' if n_set_aside == 1 else 'were'} set aside. {rows}"
        if n_set_aside
        else rows,
        f"{hint} Look at rejected.csv: if the rejects are not a random few, the estimates describe the rest.".strip(),
    )


def freshness(age_days: float | None, limit: float | None) -> tuple[Check, ...]:
    """Only for a study that sets a limit. It goes by the clock: the same data pass one day and not the next."""
    if age_days is None or limit is None:
        return ()
    age, is_fresh = round(age_days, 1), age_days <= limit
    return (
        Check(
            "freshness",
            "pass" if is_fresh else "review",
            age,
            limit,
            f"The newest file is {age:g} days old; the study allows {limit:g}.",
            "" if is_fresh else "Find out why no newer data have come; the estimates describe the past.",
        ),
    )


def group_count(n_groups: int, few: int) -> Check:
    if n_groups >= few:
        rough = 1.0 / np.sqrt(2.0 * (n_groups - 1))  # of a normal's SD from as many values, were they known exactly
        message = f"{n_groups} groups can tell how much groups differ, at best to within about {rough:.0%} of it."
        return Check("group_count", "pass", n_groups, few, message, "")
    return Check(
        "group_count",
        "review",
        n_groups,
        few,
        f"With only {n_groups} groups the data say little about how much groups differ; the prior decides much of it.",
        "Do not read the spread between groups as measured; compare groups by their own intervals.",
    )


def group_sizes(no_pooling: NoPooling) -> Check:
    unfitted = int((~no_pooling.is_fitted).sum())
    without_interval = sum(bool(g) for g in no_pooling.gap) - unfitted
    smallest = int(no_pooling.n.min())
    if not unfitted and not without_interval:
        return Check("group_sizes", "pass", smallest, None, "Every group can carry a fit of its own.", "")
    parts = [
        f"{unfitted} of {no_pooling.n.size} groups cannot carry a fit of their own" if unfitted else "",
        f"{without_interval} have one without an interval" if without_interval else "",
    ]
    return Check(
        "group_sizes",
        "review",
        smallest,
        None,
        " and ".join(filter(None, parts)) + f"; the smallest group has {smallest} rows.",
        "Their no-pooling estimates are gaps, on purpose. Use a pooled estimate for them.",
    )


def _simpson(check: SimpsonCheck, found: Findings, unit: str, scale: float) -> Check:
    """No slope of predictors that go together can be compared with another."""
    close = found.collinearity
    if close is None or not close.is_close or found.terms.index(check.term) not in close.columns:
        return simpson_paradox(check, unit, scale)
    message = f"{check.term} goes too closely with other predictors for its slopes to be compared."
    return Check(f"simpson_{check.term}", "pass", check.complete, check.within, message, "")


def simpson_paradox(check: SimpsonCheck, unit: str = "", scale: float = 1.0) -> Check:
    """`scale` is one SD of the predictor: words are per raw unit, the check's values per SD."""
    name = f"simpson_{check.term}"
    if np.isnan(check.within):
        message = f"{check.term} is the same throughout each group, so there is no slope within groups to compare."
        return Check(name, "pass", None, None, message, "")
    if not check.is_misleading:
        message = f"The slope of {check.term} over all rows tells about the same as the slope within groups."
        return Check(name, "pass", check.complete, check.within, message, "")
    per_unit = f"{unit} per unit of {check.term}".strip()
    how = "has the opposite sign of" if check.is_reversed else "is not the answer to"
    return Check(
        name,
        "fail" if check.is_reversed else "review",
        check.complete,
        check.within,
        f"Simpson's paradox: the slope of {check.term} over all rows, {check.complete / scale:.3g} {per_unit}, {how} "
        f"the slope within groups, {check.within / scale:.3g}. Groups differ both in {check.term} and in the outcome.",
        "Do not use complete pooling for this predictor; read the within-group slope.",
    )


def convergence(partial: Mapping[Flavour, PartialPooling]) -> Check:
    failed = [FLAVOUR_WORDS[f] for f, fit in partial.items() if not fit.converged]
    if not failed:
        return Check("convergence", "pass", None, None, "Every partial-pooling fit reached a proven minimum.", "")
    return Check(
        "convergence",
        "fail",
        ", ".join(failed),
        None,
        f"The search for the REML optimum did not end in a proven minimum for {' and '.join(failed)}.",
        "Do not use these fits; the Bayesian fit does not depend on them.",
    )


def singularity(fit: PartialPooling, study: Study) -> Check:
    smallest = float(np.min(np.abs(_diagonal(fit))))
    tolerance = study.thresholds.singular_tolerance
    words = FLAVOUR_WORDS[fit.flavour]
    if not fit.is_singular:
        return Check("singularity", "pass", smallest, tolerance, f"The model with {words} is not singular.", "")
    return Check(
        "singularity",
        "review",
        smallest,
        tolerance,
        f"The model with {words} is singular: the best fit has no variance at all between groups in "
        f"{_flat_direction(fit, study)}. The data cannot tell that variance from 0; it need not be 0.",
        "Do not use this fit's intervals. Use the Bayesian fit, which keeps the uncertainty about that variance.",
    )


def _diagonal(fit: PartialPooling) -> np.ndarray:
    """Singular values of the relative factor: SDs of the varying effects' principal directions over sigma."""
    return np.sqrt(np.maximum(np.linalg.eigvalsh(fit.cov), 0.0)) / fit.sigma


def flat_terms(fit: PartialPooling, study: Study) -> list[str]:
    """Varying terms whose spread between groups is estimated as 0; none where only a correlation is at its limit."""
    limit = study.thresholds.singular_tolerance * fit.sigma
    return [study.terms[k] for k, sd in zip(fit.varying, fit.sigma_group, strict=True) if sd < limit]


def _flat_direction(fit: PartialPooling, study: Study) -> str:
    flat = flat_terms(fit, study)
    return " and ".join(flat) if flat else "one combination of its effects (their correlation is at its limit)"


def collapsed_intervals(comparison: IntervalComparison, limit: float) -> Check:
    name = f"intervals_{comparison.term}"
    if not comparison.is_collapsed:
        what = f"The usual intervals for the {_effect(comparison.term)} by group are"
        message = f"{what} about as wide as they should be."
        if comparison.ratio < ABOUT_AS_WIDE:
            message = (
                f"{what} {comparison.ratio:.0%} as wide as calibrated ones: somewhat too narrow, they would cover the "
                f"truth about {comparison.implied_coverage:.0%} of the time, not 95%."
            )
        return Check(name, "pass", comparison.ratio, limit, message, "")
    return Check(
        name,
        "fail",
        comparison.ratio,
        limit,
        f"The usual intervals for the {_effect(comparison.term)} by group have collapsed: they are "
        f"{comparison.ratio:.0%} as wide as calibrated ones, and would cover the truth about "
        f"{comparison.implied_coverage:.0%} of the time, not 95%.",
        f"Do not plot or quote the usual intervals for the {_effect(comparison.term)}; use the Bayesian ones.",
    )


def _effect(term: str) -> str:
    return "level" if term == "intercept" else f"effect of {term}"


def sampler(bayes: BayesFit, study: Study) -> Iterator[Check]:
    """A report is published only when these hold, so they pass; their values are what matters."""
    found, limits = bayes.diagnostics, study.thresholds
    least_ess = limits.ess_per_chain * bayes.attempts[-1].chains
    ess = min(found.ess_bulk_min, found.ess_tail_min)
    yield _sampler_check("rhat", found.rhat_max, limits.rhat, found.rhat_max < limits.rhat, "The chains agree.")
    yield _sampler_check("ess", ess, least_ess, ess >= least_ess, "There are enough independent draws.")
    yield _sampler_check(
        "divergences",
        found.n_divergent,
        0,
        found.n_divergent == 0,
        "The sampler followed the posterior everywhere.",
    )
    yield _sampler_check(
        "treedepth", found.n_max_treedepth, 0, found.n_max_treedepth == 0, "No trajectory was cut short."
    )
    yield _sampler_check(
        "ebfmi", found.ebfmi_min, limits.ebfmi, found.ebfmi_min >= limits.ebfmi, "The tails were explored."
    )


def _sampler_check(name: str, value: float, limit: float, holds: bool, message: str) -> Check:
    if holds:
        return Check(name, "pass", value, limit, message, "")
    return Check(name, "fail", value, limit, f"The sampler missed its threshold: {name}.", "Do not use the posterior.")


def pareto_k(bayes: BayesFit) -> Check:
    loo = bayes.loo
    if loo.n_high_pareto_k == 0:
        message = "No single row decides the predictive score."
        return Check("pareto_k", "pass", loo.pareto_k_max, loo.pareto_k_threshold, message, "")
    is_one = loo.n_high_pareto_k == 1
    return Check(
        "pareto_k",
        "review",
        loo.pareto_k_max,
        loo.pareto_k_threshold,
        f"{loo.n_high_pareto_k} of {loo.n_rows_used} rows looked at {'is' if is_one else 'are'} so unusual for the "
        f"model that its predictive score hangs on {'it' if is_one else 'them'}.",
        "Look at the unusual rows: mistakes, or a spread that the model does not know of.",
    )


def predictive_overall(predictive: PredictiveCheck, tail: float) -> Check:
    """The four statistics share one error rate: each is held to a quarter of `tail` (Bonferroni)."""
    each = tail / len(predictive.overall)
    extreme = {
        s.name: min(s.posterior_predictive_p_value, 1 - s.posterior_predictive_p_value) for s in predictive.overall
    }
    off = [name for name, p in extreme.items() if p < each]
    value = min(extreme.values())
    if not off:
        message = "Data simulated from the model look like the data: median, skewness and extremes."
        return Check("posterior_predictive", "pass", value, each, message, "")
    return Check(
        "posterior_predictive",
        "review",
        value,
        each,
        f"Data simulated from the model do not reproduce the {' and the '.join(off)} of the data.",
        "Averages and group estimates can still hold; do not use the model to predict single rows.",
    )


def predictive_groups(predictive: PredictiveCheck) -> Check:
    outside, limit, n = (
        predictive.n_groups_outside,
        predictive.n_groups_outside_limit,
        int(np.isfinite(predictive.group_p_value).sum()),
    )
    if outside <= limit:
        message = (
            f"The model reproduces the groups' medians: {outside} of {n} are outside, up to {limit} would be chance."
        )
        return Check("predictive_groups", "pass", outside, limit, message, "")
    status: Status = "fail" if outside > MISSED_GROUPS_SHARE * n else "review"
    return Check(
        "predictive_groups",
        status,
        outside,
        limit,
        f"The model misses the median of {outside} of {n} groups; chance explains at most {limit}.",
        "Rows within groups are not spread as the model assumes. Look at those groups' rows before using estimates.",
    )
