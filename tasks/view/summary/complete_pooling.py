"""The fit that ignores groups."""

from __future__ import annotations

from pydantic import Field

from tasks.stats.records import CompletePooling, Scaling
from tasks.view.raw_units import coef_in_raw_units, interval_in_raw_units
from tasks.view.summary.record import COEFFICIENTS, Count, Number, Record, Vector


class RawCoefSummary(Record):
    """Coefficients in outcome units per unit of the raw predictor."""

    coef: Vector = Field(
        description=(
            "p coefficients on the predictors as they came; the intercept is the expected outcome where every "
            "predictor is 0"
        )
    )
    se: Vector = Field(description="standard errors; null for an intercept beside slopes")
    lower: Vector = Field(description="95 % limits; null for an intercept beside slopes")
    upper: Vector = Field(description="95 % limits; null for an intercept beside slopes")


class CompletePoolingSummary(Record):
    """One least-squares fit for all rows: groups are ignored."""

    coef: Vector = Field(description=COEFFICIENTS)
    se: Vector = Field(description="standard errors of `coef`")
    robust_se: Vector = Field(description="standard errors of `coef`, clustered by group; null for one group")
    lower: Vector = Field(description="lower limits of 95 % t intervals, of `se`")
    upper: Vector = Field(description="upper limits of 95 % t intervals")
    sigma: Number = Field(description="residual SD, in the outcome's unit")
    df: Count = Field(description="residual degrees of freedom")
    rmse: Number = Field(description="root mean squared residual over all rows, in the outcome's unit")
    raw_units: RawCoefSummary = Field(description="Coefficients in outcome units per unit of the raw predictor")


def complete_pooling_of(fit: CompletePooling, scaling: Scaling) -> CompletePoolingSummary:
    return CompletePoolingSummary.of(fit, raw_units=_in_raw_units(fit, scaling))


def _in_raw_units(fit: CompletePooling, scaling: Scaling) -> RawCoefSummary:
    """Coefficients change basis whole; standard errors and limits only for slopes (see `tasks.view.raw_units`)."""
    return RawCoefSummary.given(
        coef=coef_in_raw_units(scaling, fit.coef),
        se=interval_in_raw_units(scaling, fit.se),
        lower=interval_in_raw_units(scaling, fit.lower),
        upper=interval_in_raw_units(scaling, fit.upper),
    )
