"""The numbers to quote: each group's level and slopes by the model that the verdict recommends, with 95 % intervals.

Partial pooling's are its joint intervals, widened by what the bootstrap says of the variances' own uncertainty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.bayes.answer import AnswerFit
from tasks.stats.fits.bootstrap import Bootstrap
from tasks.stats.fits.intervals import Z_95
from tasks.stats.judged.implied_coverage import PROMISED, PROMISED_SMALLEST, ImpliedCoverage
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, PartialPooling, PlainBayes


@dataclass(frozen=True)
class WithInterval:
    """Estimates with 95 % intervals, arrays of one shape."""

    estimate: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Recommended:
    """Entries of a group and of the average group: expected outcome at the predictors' means, then slopes per SD."""

    model: str  # as `Verdict.recommended_model`
    groups: WithInterval  # (J, p)
    average: WithInterval  # (p,)
    sigma_group: WithInterval  # (q,) how far groups lie apart in each varying effect, as an SD; of posteriors medians
    sigma: WithInterval  # () residual SD, of the typical group where groups differ; the scale of Student-t rows
    icc: WithInterval  # () share of the variance between groups, at the predictors' means


def recommended(
    model: str, fullest: PartialPooling, bootstrapped: Bootstrap, bayes: PlainBayes, answered: AnswerFit | None
) -> Recommended:
    """`bootstrapped` is the bootstrap of `fullest`."""
    if model == "bayes":
        return _of_posterior(model, bayes)
    if model == "bayes_extended":
        assert answered is not None
        return _of_posterior(model, answered)
    half, icc = Z_95 * bootstrapped.average_widening * fullest.se, fullest.cov[0, 0]
    sds = WithInterval(fullest.sigma_group, bootstrapped.sigma_group_lower, bootstrapped.sigma_group_upper)
    share = (icc / (icc + fullest.sigma**2), bootstrapped.icc_lower, bootstrapped.icc_upper)
    return Recommended(
        model,
        WithInterval(fullest.coef, *widened(fullest, bootstrapped)),
        WithInterval(fullest.fixef, fullest.fixef - half, fullest.fixef + half),
        sds,
        WithInterval(*map(np.asarray, (fullest.sigma, bootstrapped.sigma_lower, bootstrapped.sigma_upper))),
        WithInterval(*map(np.asarray, share)),
    )


def widened(fit: PartialPooling, bootstrapped: Bootstrap) -> tuple[Floats, Floats]:
    """(J, p) each: limits of the joint intervals, made wide enough for variances that were estimated too."""
    half = Z_95 * bootstrapped.widening * fit.coef_se
    return fit.coef - half, fit.coef + half


def _of_posterior(model: str, fit: PlainBayes | AnswerFit) -> Recommended:
    apart = fit.spread_of_groups if isinstance(fit, AnswerFit) else fit.sigma_group
    means = (WithInterval(each.mean, each.lower, each.upper) for each in (fit.groups, fit.average))
    medians = (WithInterval(each.median, each.lower, each.upper) for each in (apart, fit.sigma, fit.icc))
    return Recommended(model, *means, *medians)


def judge_implied_coverage(
    found: ImpliedCoverage, terms: tuple[str, ...], varying: tuple[int, ...]
) -> tuple[Judgement, ...]:
    """One judgement per varying term: do partial pooling's intervals cover what they promise, by the Bayesian fit?

    The intercept's is also of the smallest groups.
    """
    return tuple(_judgement(found, terms[k], k) for k in varying)


def _judgement(found: ImpliedCoverage, term: str, k: int) -> Judgement:
    kind, value = "implied_coverage", float(found.terms[k])
    if value < PROMISED:
        return Judgement(kind, "review", "short", term, value, PROMISED, against="partial_pooling")
    if k == 0 and found.smallest < PROMISED_SMALLEST:
        return Judgement(
            kind, "review", "short for small groups", term, found.smallest, PROMISED_SMALLEST, against="partial_pooling"
        )
    return Judgement(kind, "pass", "kept", term, value, PROMISED)
