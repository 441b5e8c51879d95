"""How much of the variance the mixed model accounts for."""

from __future__ import annotations

from pydantic import Field

from tasks.stats.judged.r_squared import RSquared
from tasks.view.summary.record import MedianEstimateSummary, Number, Record


class RSquaredSummary(Record):
    """Marginal: by the predictors alone. Conditional: by the predictors and the groups (Nakagawa & Schielzeth 2013)."""

    marginal_reml: Number = Field(description="of the fullest REML fit")
    conditional_reml: Number = Field(description="of the fullest REML fit")
    marginal: MedianEstimateSummary = Field(description="posterior, of the plain Bayesian model")
    conditional: MedianEstimateSummary = Field(description="posterior, of the plain Bayesian model")


def r_squared_of(found: RSquared) -> RSquaredSummary:
    return RSquaredSummary.of(found)
