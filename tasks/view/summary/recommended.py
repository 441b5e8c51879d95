"""The numbers to quote, in one shape whatever model is recommended."""

from __future__ import annotations

from pydantic import Field

from tasks.stats.findings import Findings
from tasks.stats.fits.intervals import Z_95
from tasks.stats.records import Floats
from tasks.view.plain import by_label, listed
from tasks.view.summary.record import ByLabel, Record, Vector

ENTRIES = (
    "p values in the order of `terms`: the expected outcome at the predictors' means over all rows, then the effect of "
    "one SD of each predictor (see `scaling`), in the outcome's unit"
)


class RecommendedEstimates(Record):
    """Estimates with 95 % intervals."""

    estimate: Vector = Field(description=ENTRIES)
    lower: Vector = Field(description="lower limits of 95 % intervals, in the same order")
    upper: Vector = Field(description="upper limits of 95 % intervals, in the same order")


class RecommendedSummary(Record):
    """The recommended model's estimates: the Bayesian posterior, or partial pooling's with joint intervals."""

    model: str = Field(description="as `verdict.recommended_model`")
    terms: list[str] = Field(description="the p terms, in the order of every list here")
    groups: ByLabel[RecommendedEstimates] = Field(description="by group label")
    average: RecommendedEstimates = Field(description="the average group")


def recommended_of(findings: Findings) -> RecommendedSummary | None:
    """`None` where no model can be trusted: then there is no number to quote. `fits` has them all the same."""
    verdict = findings.verdict
    if verdict.status == "none":
        return None
    average, groups = _estimates(findings)
    labelled = by_label(findings.labels, **{name: listed(part) for name, part in groups.items()})
    return RecommendedSummary.given(
        model=verdict.recommended_model,
        terms=findings.terms,
        groups=labelled,
        average=RecommendedEstimates.given(**average),
    )


def _estimates(findings: Findings) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Of the average group, (p,) each, and of all groups, (J, p) each."""
    flavour = findings.verdict.recommended_model.removeprefix("partial_pooling.")
    for name, fit in findings.partial.items():
        if name == flavour:
            half = Z_95 * fit.se
            average = {"estimate": fit.fixef, "lower": fit.fixef - half, "upper": fit.fixef + half}
            return average, {"estimate": fit.coef, "lower": fit.lower, "upper": fit.upper}
    average, groups = (
        {"estimate": each.mean, "lower": each.lower, "upper": each.upper}
        for each in (findings.bayes.fixef, findings.bayes.groups)
    )
    return average, groups
