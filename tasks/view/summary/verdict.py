"""The answer."""

from __future__ import annotations

from pydantic import Field

from tasks.stats.past.earlier import ReportedVerdict
from tasks.stats.records import VerdictStatus
from tasks.view.summary.record import Record

MODEL_PATH = (
    r"^(complete_pooling|no_pooling|bayes|bayes_extended|"
    r"partial_pooling\.(varying_intercept|varying_slope|varying_intercept_slope))$"
)


class VerdictSummary(Record):
    """The answer."""

    status: VerdictStatus = Field(
        description=(
            "trust: partial pooling by REML can be trusted and is recommended; use: it cannot, and another model is "
            "recommended; none: no model here can be trusted"
        )
    )
    headline: str = Field(description="one sentence for everybody")
    reason: str = Field(description="why, in words")
    recommended_model: str = Field(
        pattern=MODEL_PATH,
        description="a path under `fits`, such as `bayes` or `partial_pooling.varying_intercept`",
    )


def verdict_of(verdict: ReportedVerdict) -> VerdictSummary:
    return VerdictSummary.of(verdict)
