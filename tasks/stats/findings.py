"""Everything a report says, from the fits and the posterior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tasks.stats.assumptions import assumptions
from tasks.stats.bayes import bayes_fit, variance_components
from tasks.stats.checks import all_checks
from tasks.stats.collinearity import collinearity
from tasks.stats.cross_products import ModelCrossProducts
from tasks.stats.cross_validation import cross_validation
from tasks.stats.funnel import funnel
from tasks.stats.held_out import leave_one_group_out
from tasks.stats.influence import influence
from tasks.stats.intervals import compare_intervals
from tasks.stats.likelihood_profile import likelihood_profiles
from tasks.stats.loo import loo
from tasks.stats.pit import pit_check
from tasks.stats.predictive import predictive_check
from tasks.stats.prior_predictive import prior_predictive
from tasks.stats.prior_sensitivity import prior_sensitivity
from tasks.stats.priors import resolve_priors
from tasks.stats.ranks import ranks
from tasks.stats.records import (
    NOTHING_NOTED,
    CompletePooling,
    DataNotes,
    Findings,
    Flavour,
    GroupedData,
    NoPooling,
    PartialPooling,
    PosteriorDraws,
    RunRecord,
    SamplingAttempt,
    Scaling,
)
from tasks.stats.remedies import remedies
from tasks.stats.simpson import simpson_checks
from tasks.stats.size_trend import size_trend
from tasks.stats.study import Study
from tasks.stats.usable_varying import group_level_terms
from tasks.stats.variance_test import variance_test
from tasks.stats.verdict import verdict


@dataclass(frozen=True)
class Posterior:
    """What sampling left: the draws, how they were made, by which engine."""

    draws: PosteriorDraws
    attempts: tuple[SamplingAttempt, ...]
    engine: str


@dataclass(frozen=True)
class LeastSquaresFits:
    """The fits that need no sampler."""

    complete: CompletePooling
    no_pooling: NoPooling
    partial: Mapping[Flavour, PartialPooling]


def find(
    study: Study,
    run: RunRecord,
    data: GroupedData,
    products: ModelCrossProducts,
    scaling: Scaling,
    fits: LeastSquaresFits,
    posterior: Posterior,
    age_days: float | None = None,
    notes: DataNotes = NOTHING_NOTED,
) -> Findings:
    """Check the fits against each other, against thresholds and against replicated data.

    `data` are all rows or a sample of them.
    """
    found = _fits_and_posterior(study, run, data, products, scaling, fits, posterior)
    found = _looked_closer(found, study, data, products, posterior.draws)
    found = replace(found, notes=notes)
    checks = all_checks(study, found, age_days)
    return replace(found, checks=checks, verdict=verdict(study, found, checks))


def _fits_and_posterior(
    study: Study,
    run: RunRecord,
    data: GroupedData,
    products: ModelCrossProducts,
    scaling: Scaling,
    fits: LeastSquaresFits,
    posterior: Posterior,
) -> Findings:
    """What the report is about, not yet judged."""
    partial = dict(fits.partial)
    fullest, draws, limits = list(partial.values())[-1], posterior.draws, study.thresholds
    row_scores = loo(data, products, fullest.varying, draws, scaling, limits.pareto_k, run.seed)
    bayes = bayes_fit(draws, products, posterior.attempts, row_scores, posterior.engine)
    return Findings(
        run=run,
        labels=products.labels,
        group_sizes=fits.no_pooling.n,
        terms=products.terms,
        scaling=scaling,
        complete=fits.complete,
        no_pooling=fits.no_pooling,
        partial=partial,
        bayes=bayes,
        variance_components=variance_components(fullest, bayes, products.terms),
        simpson=simpson_checks(products, fits.complete),
        intervals=compare_intervals(fullest, bayes, products.terms, limits.collapsed_ratio),
        predictive=predictive_check(data, draws, scaling, limits.predictive_tail, run.seed),
    )


def _looked_closer(
    found: Findings, study: Study, data: GroupedData, products: ModelCrossProducts, draws: PosteriorDraws
) -> Findings:
    """With the analyses that go beyond the fits: one line each."""
    limits, seed = study.thresholds, found.run.seed
    levels = funnel(products, found.simpson, found.partial)
    varying, priors = found.fullest.varying, resolve_priors(study, found.scaling)
    return replace(
        found,
        cross_validation=cross_validation(data, products, found.scaling, found.partial, draws, limits.pareto_k, seed),
        leave_one_group_out=leave_one_group_out(products, found.fullest.varying, draws, limits.pareto_k),
        loo_pit=pit_check(found.bayes.loo.pit, seed),
        influence=influence(products, found.fullest),
        remedies=remedies(products, found.complete, found.partial, found.bayes, seed, limits.singular_tolerance),
        likelihood_profiles=likelihood_profiles(products, found.fullest),
        variance_test=variance_test(products, found.partial, seed),
        ranks=ranks(draws, products, found.fullest.varying, limits.rankability),
        funnel=levels,
        size_trend=size_trend(levels, found.fullest, data, products, found.scaling, limits.size_trend, seed),
        prior_predictive=prior_predictive(data, varying, priors, found.scaling, limits.prior_predictive_tail, seed),
        prior_sensitivity=prior_sensitivity(products, varying, draws, priors, limits.prior_sensitivity),
        collinearity=collinearity(products),
        group_level=group_level_terms(products),
        assumptions=assumptions(data, products, varying, found.bayes, found.scaling, limits),
    )
