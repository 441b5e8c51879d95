"""Profiles of the REML criterion over each group SD."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from tasks.stats.fits.likelihood_profile import LikelihoodProfile
from tasks.view.summary.record import Amount, Number, Record, Vector


class LikelihoodProfileSummary(Record):
    """One group SD held at a value, all else at its best."""

    term: str = Field(description="the varying term")
    sd: Vector = Field(description="group SDs, outcome units (slopes: per SD of the predictor), increasing")
    deviance: Vector = Field(description="REML criterion above its minimum, one per SD")
    fitted_sd: Amount = Field(description="the REML estimate")
    deviance_at_zero: Amount = Field(description="at an SD of 0")
    lower: Amount = Field(
        description="SD below the estimate at which the deviance is 3.84; 0 where it does not get there"
    )
    upper: Number = Field(description="SD above the estimate at which it is 3.84; null where it does not get there")


def likelihood_profiles_of(found: Sequence[LikelihoodProfile]) -> list[LikelihoodProfileSummary]:
    return [LikelihoodProfileSummary.of(profile) for profile in found]
