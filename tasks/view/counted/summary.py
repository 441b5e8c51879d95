"""`summary.json` of a counted outcome: what it has in place of the normal family's fits and recommended numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from tasks.stats.counted.findings import CountedFindings
from tasks.stats.counted.fits import CountedAnswerFit
from tasks.stats.counted.partial_pooling import CountedPartialPooling
from tasks.stats.records import Flavour
from tasks.view.plain import by_label, listed
from tasks.view.summary.bayes import AttemptSummary, BayesGroupSummary, DiagnosticsSummary
from tasks.view.summary.record import (
    ByLabel,
    Count,
    Flag,
    Matrix,
    MedianEstimateSummary,
    Number,
    Record,
    Vector,
)

ENTRIES = (
    "p values in the order of `terms`: the probability per trial, or the rate per unit of exposure, at the predictors' "
    "means over all rows, then the effect of one SD of each predictor (see `scaling`), or of a level beside its "
    "reference, on the link's scale: log odds, or log rate"
)
LINK = "p values, intercept first, on centre-scaled predictors and on the link's scale: log odds, or log rate"


class CountedRecommendedEstimates(Record):
    """Estimates with 95 % intervals."""

    estimate: Vector = Field(description=ENTRIES)
    lower: Vector = Field(description="lower limits of 95 % intervals, in the same order")
    upper: Vector = Field(description="upper limits of 95 % intervals, in the same order")


class GroupRateSummary(Record):
    """What one group is compared by: probabilities per trial, or counts per unit of exposure."""

    events: Number = Field(description="events counted")
    size: Number = Field(description="trials, or exposure")
    observed: Number = Field(description="events by size")
    observed_lower: Number = Field(description="exact 95 % interval: Clopper and Pearson's, or Garwood's")
    observed_upper: Number = Field(description="exact 95 % interval: Clopper and Pearson's, or Garwood's")
    expected: Number = Field(description="events that complete pooling expects of the group's own cases; may be null")
    observed_expected: Number = Field(description="observed by expected events")
    observed_expected_lower: Number = Field(description="exact 95 % interval")
    observed_expected_upper: Number = Field(description="exact 95 % interval")
    predicted_expected: Number = Field(
        description="events that the recommended model predicts for it, by those expected"
    )
    predicted_expected_lower: Number = Field(description="95 % interval")
    predicted_expected_upper: Number = Field(description="95 % interval")
    above_margin: Number = Field(description="probability that predicted by expected is above the study's margin")
    below_margin: Number = Field(description="probability that it is below one by the margin")
    rate: Number = Field(description="directly standardised: the group's own model on the case mix of all groups")
    rate_lower: Number = Field(description="95 % interval")
    rate_upper: Number = Field(description="95 % interval")
    above_average: Number = Field(description="probability that this rate is above the average of the groups' rates")
    target: Number = Field(description="the rate that the study sets for the group; null without one")
    above_target: Number = Field(description="probability that the rate is above the target")
    too_few: Flag = Field(description="whether it has fewer events, or less size, than the study asks for")


class RatesSummary(Record):
    """How groups compare on the outcome's own scale, by the recommended model (`bayes` where none is)."""

    overall: Number = Field(description="all events by all trials or exposure")
    average: Number = Field(description="average of the groups' standardised rates, each group counted once")
    average_lower: Number = Field(description="95 % interval")
    average_upper: Number = Field(description="95 % interval")
    margin: Number = Field(description="the ratio of predicted to expected beyond which groups are told")
    per: Number = Field(description="the report shows rates per so many; the numbers here are per one")
    groups: ByLabel[GroupRateSummary] = Field(description="by group label")


class EffectSummary(Record):
    """One predictor's effect per raw unit, by the recommended Bayesian model."""

    difference: Number = Field(description="of the probability or rate, averaged over all cases")
    difference_lower: Number = Field(description="95 % interval")
    difference_upper: Number = Field(description="95 % interval")
    ratio: Number = Field(description="odds ratio, or rate ratio, in the average group")
    ratio_lower: Number = Field(description="95 % interval")
    ratio_upper: Number = Field(description="95 % interval")


class CountedRecommendedSummary(Record):
    """The numbers to quote: a posterior's medians, or partial pooling's estimates with their joint intervals."""

    model: str = Field(description="as `verdict.recommended_model`")
    terms: list[str] = Field(description="the p terms, in the order of every list here")
    groups: ByLabel[CountedRecommendedEstimates] = Field(description="by group label")
    average: CountedRecommendedEstimates = Field(description="the average group")
    widened: Vector = Field(
        description="p shares by which groups' intervals are wider than partial pooling's own, to hold 95 % of what "
        "the Bayesian fit holds possible; 0 of a posterior"
    )


class CountedCompletePoolingSummary(Record):
    """A logistic or Poisson regression of all rows: groups are ignored."""

    problem: str = Field(description="why there are no estimates: no spread, separated, not converged; else empty")
    coef: Vector = Field(description=LINK)
    se: Vector = Field(description="standard errors that take the family's variance for granted")
    robust_se: Vector = Field(description="clustered by group; null for a single one")
    lower: Vector = Field(description="95 % interval, of `se`")
    upper: Vector = Field(description="95 % interval, of `se`")
    dispersion: Number = Field(description="Pearson's chi-squared by its degrees of freedom, over cells")
    log_lik: Number = Field(description="log likelihood of the rows, constant included")
    aic: Number = Field(description="Akaike's information criterion; comparable with those of partial pooling")


class CountedOwnSummary(Record):
    """One group by itself."""

    n: Count = Field(description="rows")
    coef: Vector = Field(description=LINK)
    se: Vector = Field(description="standard errors")
    gap: str = Field(description="why there are no estimates; empty where there are")


class CountedNoPoolingSummary(Record):
    """A regression per group: the other groups are ignored."""

    groups: ByLabel[CountedOwnSummary] = Field(description="by group label")


class CountedFlavourSummary(Record):
    """A generalised linear mixed model by maximum likelihood, with adaptive Gauss–Hermite quadrature."""

    varying: list[str] = Field(description="the q terms whose effect differs by group")
    n_points: Count = Field(description="quadrature points per group; 1 is the Laplace approximation")
    log_lik: Number = Field(description="log likelihood at the maximum, constant included")
    aic: Number = Field(description="Akaike's information criterion; variances and covariances count as parameters")
    theta: Vector = Field(description="lower triangle, by column, of the Cholesky factor of `cov`")
    fixef: Vector = Field(description=LINK)
    se: Vector = Field(description="standard errors of `fixef`, by the observed information")
    fixef_cov: Matrix = Field(description="(p, p) covariance of `fixef`")
    cov: Matrix = Field(description="(q, q) covariance of the varying effects")
    sd_group: Vector = Field(description="q SDs of the varying effects")
    correlation: Matrix = Field(description="(q, q) correlation of the varying effects; null beside an SD of 0")
    is_singular: Flag = Field(description="a varying effect, or a combination of them, has no variance")
    converged: Flag = Field(description="whether the certificate of the maximum holds")
    is_unbounded: Flag = Field(description="whether the likelihood rises for ever: separation")
    decrement: Number = Field(description="the score's length in standard errors; the maximum's is 0")


class CountedFlavoursSummary(Record):
    """The generalised linear mixed model in three flavours."""

    varying_intercept: CountedFlavourSummary = Field(description="levels differ between groups")
    varying_slope: CountedFlavourSummary | None = Field(description="null for a study in which no slope varies")
    varying_intercept_slope: CountedFlavourSummary | None = Field(
        description="null for a study in which no slope varies"
    )


class FullestGroupSummary(Record):
    """One group by the fullest fit of partial pooling."""

    coef: Vector = Field(description=LINK)
    conditional_sd: Vector = Field(description="SD of the group's effect, all parameters taken as known")
    se: Vector = Field(description="standard error with the uncertainty of all parameters")


class CountedBayesSummary(Record):
    """The mixed model with priors, by Hamiltonian Monte Carlo or importance resampling."""

    engine: str = Field(description="what drew from the posterior: a Stan engine, or importance resampling")
    fixef: MedianEstimateSummary = Field(description=LINK)
    sd_group: Vector = Field(description="q posterior medians of the varying effects' SDs")
    sd_group_posterior: MedianEstimateSummary = Field(description="the same with mean, SD and interval")
    correlation_posterior: MedianEstimateSummary = Field(description="(q, q) correlation of the varying effects")
    diagnostics: DiagnosticsSummary = Field(description="What the sampler's draws are worth")
    attempts: list[AttemptSummary] = Field(description="every run of the sampler in order; the last one is reported")
    groups: ByLabel[BayesGroupSummary] = Field(description="by group label")


class CountedExtendedSummary(Record):
    """The Bayesian model with what was found missing."""

    extensions: list[str] = Field(
        description="what it has that `bayes` has not: size; context: PREDICTOR; curve: PREDICTOR; overdispersion"
    )
    terms: list[str] = Field(description="of `fixef`: the p terms, then those that were added")
    fixef: MedianEstimateSummary = Field(description="fixed effects in the order of `terms`, on the link's scale")
    sd_group_posterior: MedianEstimateSummary = Field(description="q SDs of the varying effects")
    dispersion_posterior: MedianEstimateSummary | None = Field(
        description="of rows that vary more than the family says; null where they do not"
    )
    diagnostics: DiagnosticsSummary = Field(description="What the sampler's draws are worth")
    attempts: list[AttemptSummary] = Field(description="every run of the sampler in order; the last one is reported")
    groups: ByLabel[BayesGroupSummary] = Field(description="by group label, on the study's own terms")


class CountedFitsSummary(Record):
    """Every model, on centre-scaled predictors and on the link's scale."""

    complete_pooling: CountedCompletePoolingSummary = Field(description="One regression of all rows")
    no_pooling: CountedNoPoolingSummary = Field(description="One regression per group")
    partial_pooling: CountedFlavoursSummary = Field(description="The generalised linear mixed model in three flavours")
    partial_pooling_groups: ByLabel[FullestGroupSummary] = Field(
        description="by group label, of the flavour with all varying terms"
    )
    bayes: CountedBayesSummary = Field(description="The mixed model with priors")
    bayes_extended: CountedExtendedSummary | None = Field(
        description="The Bayesian model with what was found missing; null where no model here answers it"
    )


def counted_recommended_of(findings: CountedFindings) -> CountedRecommendedSummary | None:
    """`None` where no model can be trusted."""
    numbers = findings.recommended
    if numbers is None:
        return None
    labelled = by_label(findings.labels, **{name: listed(part) for name, part in vars(numbers.groups).items()})
    return CountedRecommendedSummary.given(
        model=numbers.model,
        terms=findings.terms,
        groups=labelled,
        average=CountedRecommendedEstimates.given(**vars(numbers.average)),
        widened=np.zeros(len(findings.terms)) if numbers.model.startswith("bayes") else findings.widening - 1.0,
    )


def counted_fits_of(findings: CountedFindings) -> CountedFitsSummary:
    fits, estimates = findings.fits, findings.estimates
    own = by_label(
        findings.labels,
        n=findings.group_sizes.tolist(),
        coef=listed(fits.own.coef),
        se=listed(fits.own.se),
        gap=list(fits.own.gap),
    )
    return CountedFitsSummary.given(
        complete_pooling=CountedCompletePoolingSummary.of(fits.complete, log_lik=fits.complete.log_likelihood),
        no_pooling=CountedNoPoolingSummary.given(groups=own),
        partial_pooling=CountedFlavoursSummary.given(
            varying_intercept=_flavour(findings, "varying_intercept"),
            varying_slope=_flavour(findings, "varying_slope"),
            varying_intercept_slope=_flavour(findings, "varying_intercept_slope"),
        ),
        partial_pooling_groups=by_label(
            findings.labels, **{name: listed(getattr(estimates, name)) for name in FullestGroupSummary.model_fields}
        ),
        bayes=_bayes(findings),
        bayes_extended=_extended(findings),
    )


def _flavour(findings: CountedFindings, flavour: Flavour) -> CountedFlavourSummary | None:
    fit: CountedPartialPooling | None = findings.fits.partial.get(flavour)
    if fit is None:
        return None
    return CountedFlavourSummary.of(
        fit,
        varying=[findings.terms[position] for position in fit.varying],
        sd_group=fit.sigma_group,
        converged=fit.is_converged,
        decrement=fit.certificate.decrement,
    )


def _bayes(findings: CountedFindings) -> CountedBayesSummary:
    fit = findings.bayes
    return CountedBayesSummary.of(
        fit,
        sd_group=fit.sigma_group.median,
        sd_group_posterior=fit.sigma_group,
        correlation_posterior=fit.correlation,
        attempts=list(fit.attempts),
        groups=_posterior_groups(findings.labels, fit.groups),
    )


def _extended(findings: CountedFindings) -> CountedExtendedSummary | None:
    fit = findings.answer
    if fit is None:
        return None
    return CountedExtendedSummary.of(
        fit,
        extensions=list(_extensions(fit, findings.terms)),
        sd_group_posterior=fit.sigma_group,
        dispersion_posterior=fit.dispersion,
        diagnostics=findings.answer_attempts[-1].diagnostics,
        attempts=list(findings.answer_attempts),
        groups=_posterior_groups(findings.labels, fit.groups),
    )


def _extensions(fit: CountedAnswerFit, terms: tuple[str, ...]) -> list[str]:
    added = [f"{one.kind}: {terms[one.column]}" if one.column else one.kind for one in fit.added]
    return [*added, *(["overdispersion"] if fit.is_overdispersed else [])]


def _posterior_groups(labels: tuple[str, ...], groups: Any) -> dict[str, Any]:
    return by_label(labels, **{name: listed(getattr(groups, name)) for name in BayesGroupSummary.model_fields})
