"""The mixed model, by REML."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tasks.stats.findings import Findings
from tasks.stats.records import Flavour, PartialPooling
from tasks.view.plain import by_label, listed
from tasks.view.raw_units import coef_in_raw_units, se_in_raw_units
from tasks.view.summary.record import COEFFICIENTS, ByLabel, Flag, Matrix, Number, Record, Vector


class RawFixefSummary(Record):
    """Fixed effects in outcome units per raw unit of the predictor; the intercept stands where every predictor is 0."""

    fixef: Vector = Field(description="fixed effects on the predictors as they came")
    se: Vector = Field(description="their standard errors")


class PartialPoolingGroupSummary(Record):
    """One group's estimates."""

    coef: Vector = Field(description=f"{COEFFICIENTS}: fixed effect plus conditional mode")
    conditional_sd: Vector = Field(
        description=(
            "SD of the group's effect with the fixed effects and the variances taken as known; 0 for a term that "
            "does not vary"
        )
    )
    se: Vector = Field(description="standard error of `coef` from the joint covariance of fixed and group effects")
    lower: Vector = Field(description="lower limit of the 95 % joint interval")
    upper: Vector = Field(description="upper limit of the 95 % joint interval")
    shrinkage_factor: Vector = Field(description="q values: 1 = fully pooled, 0 = not pooled at all")


class PartialPoolingSummary(Record):
    """A linear mixed model: groups share strength."""

    varying: list[str] = Field(description="the q terms whose effect differs by group")
    criterion: Literal["reml", "ml"] = Field(description="what was minimised")
    criterion_value: Number = Field(
        description=(
            "-2 log (restricted) likelihood at the optimum, of the coefficients on raw predictors; as lme4 prints it "
            "for `y ~ x + (1 | group)` and `y ~ x + (x | group)`"
        )
    )
    criterion_value_scaled: Number = Field(
        description="the same on centre-scaled predictors, as lme4 prints it where every x is scale(x), for any flavour"
    )
    theta: Vector = Field(
        description=(
            "q (q + 1) / 2 values: lower triangle, by column, of the Cholesky factor of the varying effects' "
            "covariance relative to the residual SD"
        )
    )
    fixef: Vector = Field(description=COEFFICIENTS)
    se: Vector = Field(description="standard errors of `fixef`")
    fixef_cov: Matrix = Field(description="(p, p) covariance of `fixef`")
    cov: Matrix = Field(description="(q, q) covariance of the varying effects, in squared units of the coefficients")
    sd_group: Vector = Field(description="q SDs of the varying effects, in units of the coefficients")
    correlation: Matrix = Field(description="(q, q) correlation of the varying effects; null beside an SD of 0")
    sigma: Number = Field(description="residual SD, in the outcome's unit")
    is_singular: Flag = Field(
        description="the optimum lies on the boundary: a varying effect, or a combination of them, has no variance"
    )
    converged: Flag = Field(description="the optimiser reached an optimum; a singular fit can be a good one")
    gradient_norm: Number = Field(description="size of the criterion's gradient in theta, projected on the bounds")
    rmse: Number = Field(description="root mean squared residual over all rows, in the outcome's unit")
    raw_units: RawFixefSummary = Field(
        description=(
            "Fixed effects in outcome units per unit of the raw predictor; the intercept stands where every "
            "predictor is 0"
        )
    )
    groups: ByLabel[PartialPoolingGroupSummary] = Field(description="by group label")


def partial_pooling_of(findings: Findings, flavour: Flavour) -> PartialPoolingSummary | None:
    """`None` where the study has no such fit."""
    fit = findings.partial.get(flavour)
    if fit is None:
        return None
    return PartialPoolingSummary.of(
        fit,
        varying=[findings.terms[position] for position in fit.varying],
        sd_group=fit.sigma_group,
        raw_units=RawFixefSummary.given(
            fixef=coef_in_raw_units(findings.scaling, fit.fixef),
            se=se_in_raw_units(findings.scaling, fit.fixef_cov),
        ),
        groups=_groups(fit, findings.labels),
    )


def _groups(fit: PartialPooling, labels: tuple[str, ...]) -> dict[str, Any]:
    return by_label(
        labels,
        coef=listed(fit.coef),
        conditional_sd=listed(fit.conditional_sd),
        se=listed(fit.coef_se),
        lower=listed(fit.lower),
        upper=listed(fit.upper),
        shrinkage_factor=listed(fit.shrinkage_factor),
    )
