"""Every model."""

from __future__ import annotations

from pydantic import Field

from tasks.stats.findings import Findings
from tasks.view.summary.bayes import BayesSummary, bayes_of
from tasks.view.summary.bayes_extended import BayesExtendedSummary, bayes_extended_of
from tasks.view.summary.complete_pooling import CompletePoolingSummary, complete_pooling_of
from tasks.view.summary.no_pooling import NoPoolingSummary, no_pooling_of
from tasks.view.summary.partial_pooling import PartialPoolingSummary, partial_pooling_of
from tasks.view.summary.record import Record


class FlavoursSummary(Record):
    """The mixed model in three flavours, by REML."""

    varying_intercept: PartialPoolingSummary = Field(description="A linear mixed model: groups share strength")
    varying_slope: PartialPoolingSummary | None = Field(description="null for a study in which no slope varies")
    varying_intercept_slope: PartialPoolingSummary | None = Field(
        description="null for a study in which no slope varies"
    )


class FitsSummary(Record):
    """Every model, on centre-scaled predictors and in the outcome's unit."""

    complete_pooling: CompletePoolingSummary = Field(
        description="One least-squares fit for all rows: groups are ignored"
    )
    no_pooling: NoPoolingSummary = Field(description="One least-squares fit per group: the other groups are ignored")
    partial_pooling: FlavoursSummary = Field(description="The mixed model in three flavours, by REML")
    bayes: BayesSummary = Field(
        description=(
            "The same model with priors, by Hamiltonian Monte Carlo; group effects are integrated out and drawn "
            "afterwards"
        )
    )
    bayes_extended: BayesExtendedSummary | None = Field(
        description="The Bayesian model with what was found missing; null where no model here answers it"
    )


def fits_of(findings: Findings) -> FitsSummary:
    return FitsSummary.given(
        complete_pooling=complete_pooling_of(findings.complete, findings.scaling),
        no_pooling=no_pooling_of(findings.no_pooling, findings.labels),
        partial_pooling=FlavoursSummary.given(
            varying_intercept=partial_pooling_of(findings, "varying_intercept"),
            varying_slope=partial_pooling_of(findings, "varying_slope"),
            varying_intercept_slope=partial_pooling_of(findings, "varying_intercept_slope"),
        ),
        bayes=bayes_of(findings),
        bayes_extended=bayes_extended_of(findings),
    )
