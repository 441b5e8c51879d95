"""Do effects differ between groups?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.stats.judged.likelihood_ratio_test import LikelihoodRatioTest
from tasks.view.summary.record import Amount, Count, Number, Record, Share


class LikelihoodRatioTestSummary(Record):
    """Likelihood-ratio test of varying effects: by REML, of counted outcomes by maximum likelihood."""

    terms: list[str] = Field(description="terms whose variance between groups is tested, together")
    null: Literal["varying_intercept", "complete_pooling"] = Field(description="the model without it")
    statistic: Amount = Field(description="difference of the criteria, a deviance")
    p_value: Share = Field(description="(1 + n_as_large) / (n_replicates + 1), or of a mixture of chi-squared")
    n_replicates: Count = Field(description="data sets simulated without the variance; 0 of an asymptotic test")
    n_as_large: Count = Field(description="of them, those with at least the statistic")
    share_zero: Number = Field(description="share of them with a statistic of 0; null without any")


def likelihood_ratio_test_of(found: LikelihoodRatioTest) -> LikelihoodRatioTestSummary:
    return LikelihoodRatioTestSummary.of(found)
