"""Where the variation lies."""

from __future__ import annotations

from pydantic import Field

from tasks.stats.records import VarianceComponents
from tasks.view.summary.record import MedianEstimateSummary, Number, Record, Vector


class VarianceComponentsSummary(Record):
    """Where the variation lies."""

    names: list[str] = Field(description="q varying terms, then `residual`")
    reml_sd: Vector = Field(description="q + 1 SDs of the fullest REML fit")
    bayes_sd: MedianEstimateSummary = Field(description="q + 1 SDs")
    icc_reml: Number = Field(description="share of the variance that lies between groups, from the REML fit")
    icc_bayes: MedianEstimateSummary = Field(description="the same, posterior")


def variance_components_of(found: VarianceComponents) -> VarianceComponentsSummary:
    return VarianceComponentsSummary.of(found)
