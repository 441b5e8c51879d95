"""The Bayesian fit."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tasks.stats.findings import Findings
from tasks.stats.records import BayesFit, Estimate, Scaling
from tasks.view.plain import by_label, listed
from tasks.view.raw_units import coef_in_raw_units, interval_in_raw_units
from tasks.view.summary.record import (
    COEFFICIENTS,
    ByLabel,
    Count,
    MedianEstimateSummary,
    Number,
    Positive,
    Record,
    Vector,
)

LOO_TARGET = "a new row in a known group"


class LooSummary(Record):
    """Leave-one-row-out by Pareto-smoothed importance sampling."""

    target: str = Field(description="what is predicted")
    elpd_loo: Number = Field(description="expected log predictive density, summed over rows")
    se: Number = Field(description="its standard error")
    p_loo: Number = Field(description="effective number of parameters")
    pareto_k_max: Number = Field(description="largest Pareto k over rows")
    n_high_pareto_k: Count = Field(description="rows above the threshold")
    pareto_k_threshold: Number = Field(description="above it the row's own estimate is unreliable")
    n_rows_used: Count = Field(description="rows used; fewer than all when rows were thinned")


class DiagnosticsSummary(Record):
    """What the sampler's draws are worth."""

    rhat_max: Number = Field(description="largest rank-normalised split R-hat; null where draws were resampled")
    ess_bulk_min: Number = Field(description="smallest bulk effective sample size, all chains together")
    ess_tail_min: Number = Field(description="smallest tail effective sample size, all chains together")
    n_divergent: Count = Field(description="divergent transitions after warm-up")
    n_max_treedepth: Count = Field(description="transitions that reached the largest tree depth")
    ebfmi_min: Number = Field(description="smallest E-BFMI over chains; null where draws were resampled")
    worst: str = Field(description="the quantity with the largest R-hat; of resampled draws, with the smallest ESS")
    n_quantities: Count = Field(description="quantities for which R-hat and ESS were computed")
    n_reported: Count = Field(description="quantities reported in all")
    failures: list[str] = Field(description="thresholds that do not hold, in words; empty when all do")


class AttemptSummary(Record):
    """One run of the sampler; of resampled draws, no warm-up and no acceptance."""

    chains: Positive = Field(description="chains")
    warmup: Count = Field(description="iterations per chain that are thrown away")
    draws: Positive = Field(description="draws kept per chain")
    adapt_delta: Number = Field(description="target acceptance of the step-size adaptation; null if resampled")
    seed: Count = Field(description="seed of the sampler")
    diagnostics: DiagnosticsSummary = Field(description="What the sampler's draws are worth")


class RawPosteriorSummary(Record):
    """Fixed effects in outcome units per unit of the raw predictor."""

    mean: Vector = Field(
        description=(
            "posterior means of the fixed effects on the predictors as they came; the intercept stands where "
            "every predictor is 0"
        )
    )
    sd: Vector = Field(description="null for an intercept beside slopes")
    lower: Vector = Field(description="null for an intercept beside slopes")
    upper: Vector = Field(description="null for an intercept beside slopes")


class BayesGroupSummary(Record):
    """One group's posterior."""

    mean: Vector = Field(description=COEFFICIENTS)
    sd: Vector = Field(description="posterior SDs")
    lower: Vector = Field(description="2.5 % quantiles")
    upper: Vector = Field(description="97.5 % quantiles")


class BayesSummary(Record):
    """The same model with priors, by Hamiltonian Monte Carlo or, of many groups, importance resampling.

    Group effects are integrated out and drawn afterwards.
    """

    engine: str = Field(description="what drew from the posterior: a Stan engine, or importance resampling")
    fixef: MedianEstimateSummary = Field(
        description=(
            "fixed effects: p values, intercept first, on centre-scaled predictors: the intercept in the "
            "outcome's unit at the predictors' means, slopes in outcome units per SD of their predictor"
        )
    )
    sd_group: Vector = Field(
        description="q posterior medians of the varying effects' SDs, in units of the coefficients"
    )
    sd_group_posterior: MedianEstimateSummary = Field(description="the same with mean, SD and interval")
    correlation_posterior: MedianEstimateSummary = Field(description="(q, q) correlation of the varying effects")
    sigma: Number = Field(description="posterior median of the residual SD, in the outcome's unit")
    sigma_posterior: MedianEstimateSummary = Field(description="the same with mean, SD and interval")
    icc_posterior: MedianEstimateSummary = Field(
        description="share of the variance that lies between groups, at the predictors' means"
    )
    rmse: Number = Field(
        description="root mean squared residual of the posterior means over all rows, in the outcome's unit"
    )
    elpd_loo: Number = Field(description="expected log predictive density for a new row in a known group; see `loo`")
    loo: LooSummary = Field(description="Leave-one-row-out by Pareto-smoothed importance sampling")
    diagnostics: DiagnosticsSummary = Field(description="What the sampler's draws are worth")
    attempts: list[AttemptSummary] = Field(description="every run of the sampler in order; the last one is reported")
    raw_units: RawPosteriorSummary = Field(description="Fixed effects in outcome units per unit of the raw predictor")
    groups: ByLabel[BayesGroupSummary] = Field(description="by group label")


def bayes_of(findings: Findings) -> BayesSummary:
    fit = findings.bayes
    return BayesSummary.of(
        fit,
        sd_group=fit.sigma_group.median,
        sd_group_posterior=fit.sigma_group,
        correlation_posterior=fit.correlation,
        sigma=fit.sigma.median,
        sigma_posterior=fit.sigma,
        icc_posterior=fit.icc,
        elpd_loo=fit.loo.elpd_loo,
        loo=LooSummary.of(fit.loo, target=LOO_TARGET),
        raw_units=_in_raw_units(fit.fixef, findings.scaling),
        groups=_groups(fit, findings.labels),
    )


def _in_raw_units(fixef: Estimate, scaling: Scaling) -> RawPosteriorSummary:
    """Means change basis whole; SDs and limits only for slopes (see `tasks.view.raw_units`)."""
    return RawPosteriorSummary.given(
        mean=coef_in_raw_units(scaling, fixef.mean),
        sd=interval_in_raw_units(scaling, fixef.sd),
        lower=interval_in_raw_units(scaling, fixef.lower),
        upper=interval_in_raw_units(scaling, fixef.upper),
    )


def _groups(fit: BayesFit, labels: tuple[str, ...]) -> dict[str, Any]:
    groups = fit.groups
    return by_label(
        labels,
        mean=listed(groups.mean),
        sd=listed(groups.sd),
        lower=listed(groups.lower),
        upper=listed(groups.upper),
    )
