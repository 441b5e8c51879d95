"""Comparing groups, put in words: can they be ranked, which stand apart, do small ones differ.

The outcome's good direction is unknown, so nothing here is called good or bad.
"""

from __future__ import annotations

import numpy as np

from tasks.stats.funnel import ALARM, Funnel
from tasks.stats.ranks import PLACED_SHARE, RankedTerm
from tasks.stats.size_trend import SizeTrend, why_no_trend
from tasks.view import numbers, text
from tasks.view.context import Context
from tasks.view.numbers import fixed, interval, percent, plural, with_unit

SIDES = {1: "above", 0: "not told apart", -1: "below"}


def chance(share: float, n_draws: int) -> str:
    """A probability from draws: never a flat 0 % or 100 %, which draws cannot show."""
    return percent(min(max(share, 0.5 / n_draws), 1 - 0.5 / n_draws))


def ranks_finding(context: Context) -> str:
    found = context.findings.ranks
    if found is None:
        return "Groups were not ranked."
    level, *effects = found.terms
    slopes = (_effect_ranks(context, one) for one in effects)
    return " ".join([_league_table(context, level), *slopes])


def _league_table(context: Context, level: RankedTerm) -> str:
    n = context.n_groups
    places = f"{numbers.count(round(level.typical_places))} of {n:,} places"
    if level.is_defensible:
        return (
            f"The groups can be ranked by their level, if every rank is shown with its interval: {level.n_placed:,} of "
            f"{n:,} are surely in the upper or the lower half, and the typical rank is known to within {places}. "
            f"{_real_share(context, level)}"
        )
    only = "only " if level.n_placed < PLACED_SHARE * n else ""
    placed = f"{only}{level.n_placed:,}" if level.n_placed else "none"
    needed = int(np.ceil(PLACED_SHARE * n))
    return (
        f"Do not rank the groups. {_real_share(context, level)} {text.sentence_case(placed)} of {plural(n, 'group')} "
        f"can be placed in the upper or the lower half by level with 95 % certainty ({needed:,} are wanted), and the "
        f"typical rank is known only to within {places}. Compare each group with the average instead: the funnel below."
    )


def _real_share(context: Context, level: RankedTerm) -> str:
    share, least = level.rankability, context.study.thresholds.rankability
    places = min(numbers.decimals_for(float(share.sd)), 3)
    ends = interval(float(share.lower), float(share.upper), places)
    return (
        "The share of the differences between the groups’ own levels that is more than chance (rankability) is "
        f"{fixed(float(share.mean), places)} (95 % interval {ends}; at least {least:g} is wanted)."
    )


def _effect_ranks(context: Context, one: RankedTerm) -> str:
    name = context.term_name(context.findings.terms.index(one.term))
    share = numbers.estimate(float(one.rankability.mean), float(one.rankability.sd))
    placed = f"{one.n_placed:,} of {context.n_groups:,}" if one.n_placed else "none"
    verdict = "a ranking with intervals can be defended" if one.is_defensible else "do not rank by it"
    return f"By the {name}, {placed} can be placed (rankability {share}): {verdict}."


def funnel_finding(context: Context, found: Funnel) -> str:
    n = context.n_groups
    by_chance, beyond = found.outside(ALARM, between=False), np.flatnonzero(found.outside(ALARM, between=True))
    expected = (1 - ALARM) * n
    ordinary = f"about {expected:.0f}" if expected >= 1 else "hardly one"
    opening = (
        f"{by_chance.sum():,} of {plural(n, 'group')} {'lies' if by_chance.sum() == 1 else 'lie'} outside the outer "
        f"limits of chance alone, where {ordinary} would if all groups were alike."
    )
    if not beyond.size:
        return f"{opening} None lies outside the wider limits, which allow for ordinary differences between groups."
    farthest = beyond[np.argsort(-np.abs(found.z_between[beyond]), kind="stable")]
    names = numbers.listed((context.named(j) for j in farthest), limit=4)
    return (
        f"{opening} Even outside the wider limits, which allow for ordinary differences between groups, "
        f"{'lies' if beyond.size == 1 else 'lie'} {names}."
    )


def size_finding(context: Context) -> str:
    trend = context.findings.size_trend
    if trend is None:
        return why_no_trend(context.findings.group_sizes)
    places = numbers.decimals_for(trend.per_doubling_se)
    per_doubling = with_unit(fixed(abs(trend.per_doubling), places), context.unit)
    ends = interval(trend.per_doubling_lower, trend.per_doubling_upper, places)
    if not trend.is_clear:
        signed = with_unit(fixed(trend.per_doubling, places), context.unit)
        sign = "some sign, not a clear one," if trend.is_hinted else "no clear sign"
        opening = f"There is {sign} that they do: the level changes by {signed} per doubling of a group’s rows"
        return f"{opening} (95 % interval {ends}). {_flips(context, trend)}"
    higher = "higher" if trend.per_doubling > 0 else "lower"
    opening = f"Groups with more rows have {higher} levels: by {per_doubling} per doubling of a group’s rows"
    return f"{opening} (95 % interval {ends}). {_what_follows(context, trend)} {_flips(context, trend)}"


def _what_follows(context: Context, trend: SizeTrend) -> str:
    if not trend.is_material:
        sd = with_unit(numbers.significant(trend.tau, 2), context.unit)
        return f"That is little beside the differences between groups (typically {sd} from their average)."
    wrong = "high" if trend.per_doubling > 0 else "low"
    return f"Partial pooling therefore draws groups with few rows to an average that is too {wrong} for them."


def _flips(context: Context, trend: SizeTrend) -> str:
    question = "whether the level is above or below the average"
    if not trend.flipped.size:
        return f"With size in the model, the answer to {question} changes for no group."
    return (
        f"With size in the model, the answer to {question} changes for {trend.flipped.size:,} of "
        f"{plural(context.n_groups, 'group')}."
    )


def calibration_finding(context: Context, trend: SizeTrend) -> str:
    """What the calibration figure shows, for the smallest and the largest groups."""
    told = []
    for k in (0, -1):
        one = trend.calibration[k]
        places = numbers.decimals_for(one.plain.se)
        off = with_unit(fixed(one.plain.mean, places), context.unit)
        told.append(f"{off} in groups of {rows_between(one.smallest, one.largest)}")
    return f"Rows left out lie off their prediction, on average, by {' and by '.join(told)}."


def rows_between(smallest: int, largest: int) -> str:
    return plural(largest, "row") if smallest == largest else f"{smallest:,} to {plural(largest, 'row')}"


def size_titled(context: Context, title: str) -> str:
    return text.sentence_case(f"{title} ({context.unit})" if context.unit else title)
