"""What bears on the verdict, and nothing else: by simulation it is this that is held to its promise.

`tasks.stats.findings` adds what a report tells besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.stats.bayes.answer import AnswerFit, AnswerModel, answer_fit
from tasks.stats.bayes.posterior import estimate, intraclass_correlation
from tasks.stats.fits.bootstrap import Bootstrap, bootstrap
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.group_sizes import judge_groups
from tasks.stats.fits.intervals import compare_intervals, judge_intervals
from tasks.stats.fits.mean_structure import with_terms
from tasks.stats.fits.partial_pooling import judge_convergence
from tasks.stats.fits.second_opinion import SecondOpinion, judge_second_opinion, second_opinion
from tasks.stats.fits.singularity import judge_singularity
from tasks.stats.judged.assumptions import judge_equal_spread
from tasks.stats.judged.implied_coverage import ImpliedCoverage, by_draws
from tasks.stats.judged.predictive import judge_predictive, predictive_check
from tasks.stats.judged.recommended import Recommended, judge_implied_coverage, recommended, widened
from tasks.stats.judged.screening import Screening, judge_screening
from tasks.stats.judged.size_trend import judge_size_trend
from tasks.stats.judged.verdict import verdict
from tasks.stats.judgement import Judgement
from tasks.stats.records import (
    CompletePooling,
    Flavour,
    GroupedData,
    IntervalComparison,
    NoPooling,
    PartialPooling,
    PlainBayes,
    PosteriorDraws,
    PredictiveCheck,
    SamplingAttempt,
    Scaling,
    Verdict,
)
from tasks.study.settings import Thresholds


@dataclass(frozen=True)
class Posterior:
    """The sampler's draws, the attempts that led to them, and the engine."""

    draws: PosteriorDraws
    attempts: tuple[SamplingAttempt, ...]
    engine: str


@dataclass(frozen=True)
class Answered:
    """The model that answers what was found, and its posterior: None if it could not be sampled well enough."""

    model: AnswerModel
    posterior: Posterior | None

    @property
    def own_draws(self) -> PosteriorDraws | None:
        """The draws of the study's own terms."""
        return self.model.on_own_terms(self.posterior.draws) if self.posterior else None


@dataclass(frozen=True)
class LeastSquaresFits:
    """The fits that need no sampler."""

    complete: CompletePooling
    no_pooling: NoPooling
    partial: Mapping[Flavour, PartialPooling]

    @property
    def fullest(self) -> PartialPooling:
        """The partial-pooling fit with all of the study's varying terms."""
        return self.partial.get("varying_intercept_slope") or self.partial["varying_intercept"]


@dataclass(frozen=True)
class Weighed:
    """The fits, and the analyses from which the verdict follows."""

    terms: tuple[str, ...]
    no_pooling: NoPooling
    partial: dict[Flavour, PartialPooling]
    plain_bayes: PlainBayes
    screening: Screening
    second_opinion: SecondOpinion | None  # on the fullest fit; None where data are too many
    bootstrap: Bootstrap  # of the fullest fit
    implied_coverage: ImpliedCoverage  # of the fullest fit's widened intervals, by the Bayesian fit
    intervals: tuple[IntervalComparison, ...]
    predictive: PredictiveCheck  # of the answer, if there is one; else of the plain Bayesian fit
    answer: AnswerFit | None  # None where nothing had to be answered, or no model here could
    answer_attempts: tuple[SamplingAttempt, ...]  # to sample `answer`; none where there is none
    answer_failed: bool  # the model that answers could not be sampled well enough

    @property
    def fullest(self) -> PartialPooling:
        """The partial-pooling fit with all of the study's varying terms."""
        return self.partial.get("varying_intercept_slope") or self.partial["varying_intercept"]


def weigh(
    limits: Thresholds,
    data: GroupedData,
    products: ModelCrossProducts,
    scaling: Scaling,
    fits: LeastSquaresFits,
    posterior: Posterior,
    screening: Screening,
    answered: Answered | None,
    seed: int,
) -> Weighed:
    """Run every analysis that bears on the verdict. `data` are all rows or a sample of them."""
    fullest, draws = fits.fullest, posterior.draws
    groups = estimate(draws.group_coef)
    replicated = bootstrap(products, fullest, seed, singular_tolerance=limits.singular_tolerance)
    sampled = answered.posterior if answered else None
    return Weighed(
        terms=products.terms,
        no_pooling=fits.no_pooling,
        partial=dict(fits.partial),
        plain_bayes=PlainBayes(
            groups,
            estimate(draws.beta),
            estimate(draws.sigma_group),
            estimate(draws.sigma),
            estimate(intraclass_correlation(draws)),
        ),
        screening=screening,
        second_opinion=second_opinion(data, scaling, fullest) if data.n_rows == products.n_rows else None,
        bootstrap=replicated,
        implied_coverage=by_draws(*widened(fullest, replicated), draws.group_coef, fits.no_pooling.n),
        intervals=compare_intervals(fullest, groups, products.terms, limits.collapsed_ratio),
        predictive=predictive_check(*replicating(data, scaling, draws, answered), limits.predictive_tail, seed),
        answer=answer_fit(answered.model, sampled.draws) if answered and sampled else None,
        answer_attempts=sampled.attempts if sampled else (),
        answer_failed=answered is not None and sampled is None,
    )


def replicating(
    data: GroupedData, scaling: Scaling, draws: PosteriorDraws, answered: Answered | None
) -> tuple[GroupedData, PosteriorDraws, Scaling]:
    """What replicates are made from: of the answer, if there is one; else of the plain Bayesian fit."""
    if answered is None or answered.posterior is None:
        return data, draws, scaling
    wide, wide_scaling = with_terms(data, scaling, answered.model.structure)
    return wide, answered.posterior.draws, wide_scaling


def judge_fits(found: Weighed, limits: Thresholds) -> tuple[Judgement, ...]:
    """Can the fits be trusted, as far as they go?"""
    return (
        *judge_groups(found.no_pooling, limits.few_groups),
        *judge_convergence(found.partial),
        *judge_second_opinion(found.second_opinion),
        *judge_singularity(found.fullest, limits.singular_tolerance),
        *judge_intervals(found.intervals, limits.collapsed_ratio),
        *judge_implied_coverage(found.implied_coverage, found.terms, found.fullest.varying),
    )


def judge_model(found: Weighed, limits: Thresholds) -> tuple[Judgement, ...]:
    """Is the model one of these rows?"""
    return (
        *judge_screening(found.screening, found.terms),
        *judge_size_trend(found.screening.size, found.no_pooling.n),
        *judge_equal_spread(found.screening.assumptions),
        *judge_answer(found),
        *judge_predictive(found.predictive, limits.predictive_tail),
    )


def judge_answer(found: Weighed) -> tuple[Judgement, ...]:
    """One judgement if what was found asked for another model: is there one, and could it be sampled?"""
    if not found.screening.answer.is_possible:
        return (Judgement("answer", "fail", "none", against="every model"),)
    if found.answer_failed:
        return (Judgement("answer", "fail", "not sampled", against="every model"),)
    return (Judgement("answer", "pass", "sampled"),) if found.answer else ()


def conclude(found: Weighed, judgements: tuple[Judgement, ...]) -> tuple[Verdict, Recommended | None]:
    """The verdict that follows from the judgements, and the numbers to quote: None where no model can be trusted."""
    fullest = found.fullest
    drawn = verdict(judgements, fullest.flavour, is_answered=found.answer is not None)
    if drawn.status == "none":
        return drawn, None
    return drawn, recommended(drawn.recommended_model, fullest, found.bootstrap, found.plain_bayes, found.answer)
