"""The numbers to quote, in one shape whatever model is recommended."""

from __future__ import annotations

from pydantic import Field

from tasks.stats.findings import Findings
from tasks.view.plain import by_label, listed
from tasks.view.summary.record import ByLabel, Record, Vector

ENTRIES = (
    "p values in the order of `terms`: the expected outcome at the predictors' means over all rows, then the effect of "
    "one SD of each predictor (see `scaling`), or of a level beside its reference, in the outcome's unit"
)


class RecommendedEstimates(Record):
    """Estimates with 95 % intervals."""

    estimate: Vector = Field(description=ENTRIES)
    lower: Vector = Field(description="lower limits of 95 % intervals, in the same order")
    upper: Vector = Field(description="upper limits of 95 % intervals, in the same order")


class RecommendedSummary(Record):
    """The recommended model's estimates: a posterior's means, or partial pooling's with widened joint intervals."""

    model: str = Field(description="as `verdict.recommended_model`")
    terms: list[str] = Field(description="the p terms, in the order of every list here")
    groups: ByLabel[RecommendedEstimates] = Field(description="by group label")
    average: RecommendedEstimates = Field(description="the average group")


def recommended_of(findings: Findings) -> RecommendedSummary | None:
    """`None` where no model can be trusted: then there is no number to quote. `fits` has them all the same."""
    numbers = findings.recommended
    if numbers is None:
        return None
    labelled = by_label(findings.labels, **{name: listed(part) for name, part in vars(numbers.groups).items()})
    return RecommendedSummary.given(
        model=numbers.model,
        terms=findings.terms,
        groups=labelled,
        average=RecommendedEstimates.given(**vars(numbers.average)),
    )
