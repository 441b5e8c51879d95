"""Which place each group takes among all."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.stats.judged.ranks import RankedTerm, Ranks
from tasks.view.plain import by_label, listed
from tasks.view.summary.record import ByLabel, Count, Flag, MedianEstimateSummary, Number, Positive, Record

HALVES = {1: "upper", 0: "neither", -1: "lower"}


class RankSummary(Record):
    """One group's rank."""

    expected: Number = Field(description="posterior mean of the rank")
    lower: Positive = Field(description="2.5 % quantile of the rank")
    upper: Positive = Field(description="97.5 % quantile of the rank")
    top: Number = Field(description="probability of a rank within the first n_extreme")
    bottom: Number = Field(description="probability of a rank within the last n_extreme")
    above: Number = Field(description="probability of a value above the mean of these groups")
    half: Literal["upper", "neither", "lower"] = Field(
        description="half of the table that holds the whole rank interval"
    )


class RankedTermSummary(Record):
    """One ranking."""

    rankability: MedianEstimateSummary = Field(
        description=(
            "share of the variation between the groups' own estimates that is more than chance, tau^2 / (tau^2 + "
            "median sampling variance); 0 to 1"
        )
    )
    is_defensible: Flag = Field(
        description=(
            "whether a league table is: rankability reaches the study's threshold and at least half of the groups "
            "are placed"
        )
    )
    n_placed: Count = Field(description="groups whose whole rank interval lies in one half of the table")
    typical_places: Number = Field(description="places that the median group's rank interval spans, both ends counted")
    groups: ByLabel[RankSummary] = Field(description="by group label")


class RanksSummary(Record):
    """Ranks of the groups' estimates over posterior draws; rank 1 is the highest value, whether or not high is good."""

    n_draws: Positive = Field(
        description="posterior draws that were ranked, thinned evenly where draws x groups exceed 20 million"
    )
    n_extreme: Positive = Field(description="groups in the top, or the bottom, decile: a tenth of all, rounded up")
    terms: ByLabel[RankedTermSummary] = Field(description="by varying term")


def ranks_of(found: Ranks, labels: tuple[str, ...]) -> RanksSummary:
    return RanksSummary.of(found, terms={one.term: _ranked(one, labels) for one in found.terms})


def _ranked(one: RankedTerm, labels: tuple[str, ...]) -> RankedTermSummary:
    groups = by_label(
        labels,
        expected=listed(one.expected),
        lower=one.lower.tolist(),
        upper=one.upper.tolist(),
        top=listed(one.top),
        bottom=listed(one.bottom),
        above=listed(one.above),
        half=[HALVES[code] for code in one.half.tolist()],
    )
    return RankedTermSummary.of(one, groups=groups)
