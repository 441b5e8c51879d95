"""The numbers to quote: each group's level and slopes by the model that the verdict recommends, with 95 % intervals.

Partial pooling's are its joint intervals, widened by what the bootstrap says of the variances' own uncertainty.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.stats.bayes.answer import AnswerFit
from tasks.stats.fits.bootstrap import Bootstrap
from tasks.stats.fits.intervals import Z_95
from tasks.stats.judged.implied_coverage import PROMISED, PROMISED_SMALLEST, ImpliedCoverage
from tasks.stats.judgement import Judgement
from tasks.stats.records import Estimate, Floats, PartialPooling


@dataclass(frozen=True)
class Recommended:
    """A group's entries, and the average group's: expected outcome at the predictors' means, then slopes per SD."""

    model: str  # as `Verdict.recommended_model`
    estimate: Floats  # (J, p)
    lower: Floats  # (J, p)
    upper: Floats  # (J, p)
    average_estimate: Floats  # (p,)
    average_lower: Floats  # (p,)
    average_upper: Floats  # (p,)


def recommended(
    model: str,
    fullest: PartialPooling,
    bootstrapped: Bootstrap,
    bayes: tuple[Estimate, Estimate],
    answered: AnswerFit | None,
) -> Recommended:
    """`bayes` are the plain Bayesian fit's groups and its average group."""
    if model == "bayes":
        return _of_posterior(model, *bayes)
    if model == "bayes_extended":
        assert answered is not None
        return _of_posterior(model, answered.groups, answered.average)
    lower, upper = widened(fullest, bootstrapped)
    half = Z_95 * bootstrapped.average_widening * fullest.se
    return Recommended(model, fullest.coef, lower, upper, fullest.fixef, fullest.fixef - half, fullest.fixef + half)


def widened(fit: PartialPooling, bootstrapped: Bootstrap) -> tuple[Floats, Floats]:
    """(J, p) each: limits of the joint intervals, made wide enough for variances that were estimated too."""
    half = Z_95 * bootstrapped.widening * fit.coef_se
    return fit.coef - half, fit.coef + half


def _of_posterior(model: str, groups: Estimate, average: Estimate) -> Recommended:
    return Recommended(model, groups.mean, groups.lower, groups.upper, average.mean, average.lower, average.upper)


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
