"""The fits of each group by itself."""

from __future__ import annotations

from pydantic import Field

from tasks.stats.records import NoPooling
from tasks.view.plain import by_label, listed
from tasks.view.summary.record import COEFFICIENTS, ByLabel, Count, Number, Record, Vector
from tasks.view.words.gaps import gaps_in_words


class NoPoolingGroupSummary(Record):
    """One group's own fit."""

    n: Count = Field(description="rows of the group")
    coef: Vector = Field(description=f"{COEFFICIENTS}; null without a fit")
    se: Vector = Field(description="standard errors")
    lower: Vector = Field(description="lower limits of 95 % t intervals with the group's own degrees of freedom")
    upper: Vector = Field(description="upper limits of the same")
    sigma: Number = Field(description="residual SD, in the outcome's unit")
    gap: str | None = Field(description="why there is no whole fit; null where there is")


class NoPoolingSummary(Record):
    """One least-squares fit per group: the other groups are ignored."""

    rmse: Number = Field(
        description="root mean squared residual over the rows of the fitted groups, in the outcome's unit"
    )
    n_fitted: Count = Field(description="groups that carry a fit of their own")
    groups: ByLabel[NoPoolingGroupSummary] = Field(description="by group label")


def no_pooling_of(fit: NoPooling, labels: tuple[str, ...]) -> NoPoolingSummary:
    groups = by_label(
        labels,
        n=fit.n.tolist(),
        coef=listed(fit.coef),
        se=listed(fit.se),
        lower=listed(fit.lower),
        upper=listed(fit.upper),
        sigma=listed(fit.sigma),
        gap=[reason or None for reason in gaps_in_words(fit)],
    )
    return NoPoolingSummary.given(rmse=fit.rmse, n_fitted=fit.is_fitted.sum(), groups=groups)
