"""The REML fit by a second solver."""

from __future__ import annotations

from pydantic import Field

from tasks.stats.fits.second_opinion import SecondOpinion
from tasks.view.summary.record import Flag, Number, Record


class SecondOpinionSummary(Record):
    """REML criteria on centre-scaled predictors: deviances, the lower the better."""

    ours: Number = Field(description="of the fullest fit, as `criterion_value_scaled`")
    at_ours: Number = Field(description="of the same estimates, computed anew from rows by penalised least squares")
    best: Number = Field(description="the lowest that a search without derivatives found, from a start of its own")
    is_criterion_the_same: Flag = Field(description="whether the first two are equal")
    is_none_better: Flag = Field(description="whether the search found no better fit")


def second_opinion_of(found: SecondOpinion | None) -> SecondOpinionSummary | None:
    return SecondOpinionSummary.of(found) if found else None
