"""Do effects differ between groups?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.stats.judged.likelihood_ratio_test import LikelihoodRatioTest
from tasks.view.summary.record import Amount, Count, Positive, Record, Share


class LikelihoodRatioTestSummary(Record):
    """REML likelihood-ratio test of varying effects."""

    terms: list[str] = Field(description="terms whose variance between groups is tested, together")
    null: Literal["varying_intercept", "complete_pooling"] = Field(description="the model without it")
    statistic: Amount = Field(description="difference of the REML criteria, a deviance")
    p_value: Share = Field(description="(1 + n_as_large) / (n_replicates + 1)")
    n_replicates: Positive = Field(description="data sets simulated without the variance")
    n_as_large: Count = Field(description="of them, those with at least the statistic")
    share_zero: Share = Field(description="share of them with a statistic of 0")


def likelihood_ratio_test_of(found: LikelihoodRatioTest) -> LikelihoodRatioTestSummary:
    return LikelihoodRatioTestSummary.of(found)
