"""Ranks in pictures, tables and words, whatever the groups are ranked by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.stats.judged.ranks import PLACED_SHARE, RankedTerm, Ranks
from tasks.stats.records import Integers
from tasks.view.figures.ranks import RankRows, rank_plot
from tasks.view.figures.style import Spec
from tasks.view.records import Cell, Column, Figure, GroupTable, Link, Table
from tasks.view.report_context import ReportContext
from tasks.view.rows_on_demand import figure_of_rows
from tasks.view.selection import PANEL_LIMIT, ROWS_LIMIT, notable_groups, rule
from tasks.view.words import numbers, text
from tasks.view.words.numbers import fixed, interval, percent, plural

MOST_TERMS = 3
DOWNLOAD = Link("summary.json: every group and term", "summary.json")


@dataclass(frozen=True)
class Sizes:
    """How large groups are, and in what."""

    title: str  # `Rows`
    n: Integers  # (J,)


def rank_figure(context: ReportContext, found: Ranks, one: RankedTerm, term: int, name: str, sizes: Sizes) -> Figure:
    """`name` is what groups are ranked by, as `level`."""
    chosen = notable_groups(sizes.n, -one.expected, ROWS_LIMIT)
    shown = rule(len(chosen), context.n_groups, of=name, counted=sizes.title.lower())
    caption = f"Rank of each group by {name}: expected rank and 95 % interval. Rank 1 is the highest value. {shown}"
    return figure_of_rows(
        lambda groups: _spec(context, found, one, sizes, groups),
        chosen,
        np.arange(context.n_groups),
        id=f"figure-ranks-{term}",
        caption=caption.strip(),
        alternative=_alternative(context, one, name),
    )


def _spec(context: ReportContext, found: Ranks, one: RankedTerm, sizes: Sizes, chosen: Integers) -> Spec:
    chosen = chosen[np.argsort(one.expected[chosen], kind="stable")]
    rows = RankRows(
        labels=[context.labels[j] for j in chosen],
        groups=chosen,
        n=sizes.n[chosen],
        expected=one.expected[chosen],
        lower=one.lower[chosen],
        upper=one.upper[chosen],
        top=[chance(p, found.n_draws) for p in one.top[chosen]],
        bottom=[chance(p, found.n_draws) for p in one.bottom[chosen]],
        is_placed=one.half[chosen] != 0,
    )
    return rank_plot(rows, context.n_groups, found.n_extreme)


def _alternative(context: ReportContext, one: RankedTerm, name: str) -> str:
    first, last = int(np.argmin(one.expected)), int(np.argmax(one.expected))
    return (
        f"Ranks by {name}: {context.named(first)} comes first (rank {_between(one, first)}), "
        f"{context.named(last)} last (rank {_between(one, last)}); {one.n_placed:,} of "
        f"{context.n_groups:,} groups {numbers.be(one.n_placed, 'lies', 'lie')} in one half with 95 % certainty."
    )


def _between(one: RankedTerm, group: int) -> str:
    """A group's lowest to highest rank: `2 to 4`, or `1` if it is certain."""
    low, high = int(one.lower[group]), int(one.upper[group])
    return numbers.count(low) if low == high else f"{low:,} to {high:,}"


def rank_table(context: ReportContext, found: Ranks, names: Sequence[str], sizes: Sizes) -> Table | GroupTable:
    """`names` are what groups are ranked by, one per ranking."""
    titles, cells, details = zip(*_columns(context, found, names, sizes), strict=True)
    every = tuple(range(context.n_groups))
    caption, note = "Ranks of every group", _note(found)
    if context.n_groups > PANEL_LIMIT:
        return GroupTable("table-ranks", caption, titles, cells, every, details, note, DOWNLOAD)
    below = [column or ("",) * len(every) for column in details]
    rows = tuple(tuple(Cell(one[j], small[j]) for one, small in zip(cells, below, strict=True)) for j in every)
    return Table("table-ranks", caption, titles, rows, note, DOWNLOAD, every)


def _columns(
    context: ReportContext, found: Ranks, names: Sequence[str], sizes: Sizes
) -> list[tuple[Column, tuple[str, ...], tuple[str, ...]]]:
    """Per column: its head, J texts, and J texts below them, or () if there are none."""
    first, few = found.terms[0], f"{found.n_extreme:,}" if found.n_extreme > 1 else "one"
    columns: list[tuple[Column, tuple[str, ...], tuple[str, ...]]] = [
        (Column("Group", is_number=False), context.labels, ()),
        (Column(sizes.title), tuple(map(numbers.count, sizes.n)), ()),
    ]
    for one, name in zip(found.terms[:MOST_TERMS], names, strict=False):
        expected = tuple(numbers.fixed(value, 1) for value in one.expected)
        ends = tuple(_between(one, group) for group in range(context.n_groups))
        columns.append((Column(f"Rank by {name}", model="bayes", detail="95 % interval"), expected, ends))
    title = text.sentence_case(names[0])
    for what, shares in (
        (f"{title} among the highest {few}", first.top),
        (f"{title} among the lowest {few}", first.bottom),
        (f"{title} above the average of the groups", first.above),
    ):
        columns.append((Column(what, model="bayes"), tuple(chance(p, found.n_draws) for p in shares), ()))
    return columns


def _note(found: Ranks) -> str:
    decile = f"The highest and the lowest tenth, rounded up: {numbers.plural(found.n_extreme, 'group')} each."
    return (
        f"Expected ranks; 1 is the highest value, whichever way is better. {decile} Probabilities are shares of "
        f"{found.n_draws:,} posterior draws."
    )


def league_table(context: ReportContext, level: RankedTerm, name: str, funnel: str) -> str:
    """Whether groups can be ranked by their `level` or `rate`; `funnel` says where that is."""
    n = context.n_groups
    places = f"{numbers.count(round(level.typical_places))} of {n:,} places"
    if level.is_defensible:
        return (
            f"The groups can be ranked by their {name}, if every rank is shown with its interval. "
            f"{level.n_placed:,} of {n:,} {numbers.be(level.n_placed)} in the upper or the lower half with 95 % "
            f"certainty, and the typical rank is known to within {places}. {_real_share(context, level, name)}"
        )
    only = "only " if level.n_placed < PLACED_SHARE * n else ""
    placed = f"{only}{level.n_placed:,}" if level.n_placed else "none"
    needed = int(np.ceil(PLACED_SHARE * n))
    return (
        f"Do not rank the groups. {_real_share(context, level, name)} {text.sentence_case(placed)} of "
        f"{plural(n, 'group')} can be placed in the upper or the lower half by {name} with 95 % certainty ({needed:,} "
        f"are wanted), and the typical rank is known only to within {places}. Compare each group with the average "
        f"group instead: the funnel {funnel}."
    )


def _real_share(context: ReportContext, level: RankedTerm, name: str) -> str:
    share, least = level.rankability, context.study.thresholds.rankability
    places = min(numbers.decimals_for(float(share.sd)), 3)
    ends = interval(float(share.lower), float(share.upper), places)
    return (
        f"The share of the differences between the groups’ own {name}s that is more than chance (rankability) is "
        f"{fixed(float(share.median), places)} (95 % interval {ends}; at least {least:g} is wanted)."
    )


def chance(share: float, n_draws: int) -> str:
    """A probability from draws: never a flat 0 % or 100 %, which draws cannot show."""
    return percent(min(max(share, 0.5 / n_draws), 1 - 0.5 / n_draws))
