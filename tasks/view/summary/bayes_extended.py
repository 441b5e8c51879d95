"""The Bayesian model with what was found missing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydantic import Field

from tasks.stats.bayes.answer import AnswerFit
from tasks.stats.findings import Findings
from tasks.view.plain import by_label, listed
from tasks.view.summary.bayes import AttemptSummary, BayesGroupSummary, DiagnosticsSummary
from tasks.view.summary.record import ByLabel, Count, MedianEstimateSummary, Number, Record, Vector


class BayesExtendedSummary(Record):
    """The Bayesian model with what was found missing."""

    extensions: list[str] = Field(
        description=(
            "what it has that `bayes` has not: size; context: PREDICTOR; curve: PREDICTOR; unequal spread; heavy "
            "tails; serial correlation"
        )
    )
    terms: list[str] = Field(description="of `fixef`: the p terms, then those that were added")
    fixef: MedianEstimateSummary = Field(
        description=(
            "fixed effects in the order of `terms`; added ones per doubling of a group's rows (size), per unit of a "
            "centre-scaled predictor's group mean (context) or square (curve)"
        )
    )
    sd_group: Vector = Field(description="q posterior medians of the varying effects' SDs")
    sd_group_posterior: MedianEstimateSummary = Field(description="the same with mean, SD and interval")
    sigma_posterior: MedianEstimateSummary = Field(
        description="residual SD of the typical group, in the outcome's unit; of Student-t rows the scale"
    )
    icc_posterior: MedianEstimateSummary = Field(
        description="share of the variance that lies between groups, at the predictors' means"
    )
    spread_posterior: MedianEstimateSummary | None = Field(
        description="SD of the groups' log residual SDs; null where all groups share one"
    )
    degrees_of_freedom_posterior: MedianEstimateSummary | None = Field(
        description="of Student-t rows; null for normal ones"
    )
    serial_correlation: Number = Field(description="of a row with the one before; 0 where there is none")
    diagnostics: DiagnosticsSummary = Field(description="What the sampler's draws are worth")
    attempts: list[AttemptSummary] = Field(description="every run of the sampler in order; the last one is reported")
    rmse: Number = Field(description="root mean squared residual over the rows at hand, in the outcome's unit")
    elpd_loo: Number = Field(
        description="expected log predictive density by PSIS-LOO; null where rows follow one another"
    )
    elpd_loo_se: Number = Field(description="its standard error")
    n_high_pareto_k: Count | None = Field(description="rows above the Pareto k limit; null without `elpd_loo`")
    elpd_difference: Number = Field(description="`elpd_loo` less that of `bayes`; above 0 new rows are foretold better")
    elpd_difference_se: Number = Field(description="its standard error, from paired rows")
    groups: ByLabel[BayesGroupSummary] = Field(
        description="by group label: expected outcome at the predictors' means, then slopes there, per SD"
    )


def bayes_extended_of(findings: Findings) -> BayesExtendedSummary | None:
    fit, scores = findings.answer, findings.answer_scores
    if fit is None or scores is None:
        return None
    row_scores = scores.loo
    parts = {name: listed(getattr(fit.groups, name)) for name in ("mean", "sd", "lower", "upper")}
    return BayesExtendedSummary.of(
        fit,
        extensions=list(extensions(fit, findings.terms)),
        sd_group=fit.sigma_group.median,
        sd_group_posterior=fit.sigma_group,
        sigma_posterior=fit.sigma,
        icc_posterior=fit.icc,
        spread_posterior=fit.spread,
        degrees_of_freedom_posterior=fit.nu,
        serial_correlation=fit.answer.serial,
        diagnostics=findings.answer_attempts[-1].diagnostics,
        attempts=list(findings.answer_attempts),
        rmse=scores.rmse,
        elpd_loo=row_scores.elpd_loo if row_scores else np.nan,
        elpd_loo_se=row_scores.se if row_scores else np.nan,
        n_high_pareto_k=row_scores.n_high_pareto_k if row_scores else None,
        elpd_difference=scores.difference,
        elpd_difference_se=scores.difference_se,
        groups=by_label(findings.labels, **parts),
    )


def extensions(fit: AnswerFit, terms: tuple[str, ...]) -> Iterator[str]:
    """As `extensions` of the summary."""
    for one in fit.answer.added:
        yield f"{one.kind}: {terms[one.column]}" if one.column else one.kind
    if fit.answer.is_unequal:
        yield "unequal spread"
    if fit.answer.is_heavy:
        yield "heavy tails"
    if fit.answer.serial:
        yield "serial correlation"
