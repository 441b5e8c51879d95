"""Everything a report says, from the fits and the posterior: each analysis, each judgement, the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tasks.stats.bayes.bayes_fit import bayes_fit, variance_components
from tasks.stats.bayes.diagnostics import judge_sampler
from tasks.stats.bayes.loo import judge_pareto_k, loo
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.group_sizes import judge_groups
from tasks.stats.fits.intervals import compare_intervals, judge_intervals
from tasks.stats.fits.likelihood_profile import LikelihoodProfile, likelihood_profiles
from tasks.stats.fits.partial_pooling import judge_convergence
from tasks.stats.fits.singularity import judge_singularity
from tasks.stats.judged.assumptions import Assumptions, assumptions, judge_equal_spread
from tasks.stats.judged.cross_validation import CrossValidation, cross_validation
from tasks.stats.judged.funnel import Funnel, funnel
from tasks.stats.judged.held_out import LeaveOneGroupOut, leave_one_group_out
from tasks.stats.judged.influence import Influence, influence, judge_influence
from tasks.stats.judged.likelihood_ratio_test import LikelihoodRatioTest, judge_likelihood_ratio, likelihood_ratio_test
from tasks.stats.judged.pit import LooPit, judge_loo_pit, loo_pit
from tasks.stats.judged.predictive import judge_predictive, predictive_check
from tasks.stats.judged.prior_predictive import PriorPredictive, judge_prior_predictive, prior_predictive
from tasks.stats.judged.prior_sensitivity import PriorSensitivity, judge_prior_sensitivity, prior_sensitivity
from tasks.stats.judged.ranks import Ranks, ranks
from tasks.stats.judged.remedies import Remedies, remedies
from tasks.stats.judged.simpson import judge_simpson, simpson_checks
from tasks.stats.judged.size_trend import SizeTrend, judge_size_trend, size_trend
from tasks.stats.judged.verdict import verdict
from tasks.stats.judgement import Judgement
from tasks.stats.records import (
    BayesFit,
    CompletePooling,
    Flavour,
    GroupedData,
    Integers,
    IntervalComparison,
    NoPooling,
    PartialPooling,
    PosteriorDraws,
    PredictiveCheck,
    SamplingAttempt,
    Scaling,
    SimpsonCheck,
    VarianceComponents,
    Verdict,
)
from tasks.stats.rows.data_findings import DataFindings, judge_data
from tasks.study.model import Study
from tasks.study.run import RunRecord

UNJUDGED = Verdict("use", "bayes")


@dataclass(frozen=True)
class Posterior:
    """The sampler's draws, the attempts that led to them, and the engine."""

    draws: PosteriorDraws
    attempts: tuple[SamplingAttempt, ...]
    engine: str


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
class Findings:
    """Everything a report says, before it is put in words and pictures. An analysis is None if data are too few."""

    run: RunRecord
    rows: DataFindings
    labels: tuple[str, ...]
    group_sizes: Integers  # (J,)
    terms: tuple[str, ...]
    scaling: Scaling
    complete: CompletePooling
    no_pooling: NoPooling
    partial: dict[Flavour, PartialPooling]
    bayes: BayesFit
    variance_components: VarianceComponents
    simpson: tuple[SimpsonCheck, ...]
    intervals: tuple[IntervalComparison, ...]
    predictive: PredictiveCheck
    ranks: Ranks
    funnel: Funnel
    size_trend: SizeTrend | None  # `size_trend.why_no_trend` says why it is None
    prior_predictive: PriorPredictive
    prior_sensitivity: PriorSensitivity
    assumptions: Assumptions
    likelihood_ratio_test: LikelihoodRatioTest
    likelihood_profiles: tuple[LikelihoodProfile, ...]  # one per varying effect of the fullest fit
    cross_validation: CrossValidation | None
    leave_one_group_out: LeaveOneGroupOut | None
    loo_pit: LooPit | None
    influence: Influence | None
    remedies: Remedies | None  # None where the fullest fit is regular
    judgements: tuple[Judgement, ...] = ()
    verdict: Verdict = UNJUDGED
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def fullest(self) -> PartialPooling:
        """The partial-pooling fit with all of the study's varying terms."""
        return self.partial.get("varying_intercept_slope") or self.partial["varying_intercept"]


def find(
    study: Study,
    run: RunRecord,
    rows: DataFindings,
    data: GroupedData,
    products: ModelCrossProducts,
    scaling: Scaling,
    fits: LeastSquaresFits,
    posterior: Posterior,
) -> Findings:
    """Analyse the fits and the posterior, judge the findings, and draw the verdict.

    `rows` holds the findings made before the fits; `data` are all rows or a sample of them.
    """
    found = analysed(study, run, rows, data, products, scaling, fits, posterior)
    return concluded(study, found)


def concluded(study: Study, found: Findings) -> Findings:
    """`found` with its judgements and the verdict that follows from them."""
    judgements = judge(study, found)
    return replace(found, judgements=judgements, verdict=verdict(judgements, found.fullest.flavour))


def judge(study: Study, found: Findings) -> tuple[Judgement, ...]:
    """Every judgement of a report, data first."""
    limits, bayes = study.thresholds, found.bayes
    return (
        *judge_data(found.rows, study),
        *judge_groups(found.no_pooling, limits.few_groups),
        *judge_simpson(found.simpson, found.rows.collinearity),
        *judge_convergence(found.partial),
        *judge_singularity(found.fullest, limits.singular_tolerance),
        *judge_likelihood_ratio(found.likelihood_ratio_test),
        *judge_intervals(found.intervals, limits.collapsed_ratio),
        *judge_sampler(bayes.diagnostics, limits, bayes.attempts[-1].chains),
        *judge_pareto_k(bayes.loo),
        *judge_predictive(found.predictive, limits.predictive_tail),
        *judge_loo_pit(found.loo_pit),
        *judge_influence(found.influence, limits.influence),
        *judge_size_trend(found.size_trend, found.group_sizes),
        *judge_prior_predictive(found.prior_predictive),
        *judge_prior_sensitivity(found.prior_sensitivity),
        *judge_equal_spread(found.assumptions),
    )


def analysed(
    study: Study,
    run: RunRecord,
    rows: DataFindings,
    data: GroupedData,
    products: ModelCrossProducts,
    scaling: Scaling,
    fits: LeastSquaresFits,
    posterior: Posterior,
) -> Findings:
    """Run every analysis, one line each. Nothing is judged yet."""
    limits, seed, draws = study.thresholds, run.seed, posterior.draws
    fullest, complete, partial = fits.fullest, fits.complete, dict(fits.partial)
    varying, priors = fullest.varying, resolve_priors(study, scaling)
    row_scores = loo(data, products, varying, draws, scaling, limits.pareto_k, seed)
    bayes = bayes_fit(draws, products, posterior.attempts, row_scores, posterior.engine)
    simpson = simpson_checks(products, complete)
    levels = funnel(products, simpson, partial)
    return Findings(
        run=run,
        rows=rows,
        labels=products.labels,
        group_sizes=fits.no_pooling.n,
        terms=products.terms,
        scaling=scaling,
        complete=complete,
        no_pooling=fits.no_pooling,
        partial=partial,
        bayes=bayes,
        variance_components=variance_components(fullest, bayes, products.terms),
        simpson=simpson,
        intervals=compare_intervals(fullest, bayes, products.terms, limits.collapsed_ratio),
        predictive=predictive_check(data, draws, scaling, limits.predictive_tail, seed),
        ranks=ranks(draws, products, varying, limits.rankability),
        funnel=levels,
        size_trend=size_trend(levels, fullest, data, products, scaling, limits.size_trend, seed),
        prior_predictive=prior_predictive(data, varying, priors, scaling, limits.prior_predictive_tail, seed),
        prior_sensitivity=prior_sensitivity(products, varying, draws, priors, limits.prior_sensitivity),
        assumptions=assumptions(data, products, varying, bayes, scaling, limits),
        likelihood_ratio_test=likelihood_ratio_test(products, partial, seed),
        likelihood_profiles=likelihood_profiles(products, fullest),
        cross_validation=cross_validation(data, products, scaling, partial, draws, limits.pareto_k, seed),
        leave_one_group_out=leave_one_group_out(data, products, scaling, varying, draws, limits.pareto_k, seed),
        loo_pit=loo_pit(bayes.loo.pit, seed),
        influence=influence(products, fullest),
        remedies=remedies(products, complete, partial, bayes, seed, limits.singular_tolerance),
    )
