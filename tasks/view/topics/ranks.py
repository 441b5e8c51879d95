"""Can the groups be ranked? Ranks with their uncertainty, and the funnel that shows who stands apart."""

from __future__ import annotations

import numpy as np

from tasks.stats.judged.ranks import PLACED_SHARE, RankedTerm, Ranks
from tasks.stats.records import Integers
from tasks.view.context import Context
from tasks.view.figures.ranks import RankRows, rank_plot
from tasks.view.figures.style import Spec
from tasks.view.records import Block, Cell, Column, Figure, GroupTable, Link, Paragraph, Table
from tasks.view.rows_on_demand import figure_of_rows
from tasks.view.selection import PANEL_LIMIT, ROWS_LIMIT, notable_groups, rule
from tasks.view.summary.funnel import FunnelSummary, funnel_of
from tasks.view.summary.ranks import RanksSummary, ranks_of
from tasks.view.topic import Entry, Topic, how_to_read
from tasks.view.topics.funnel import funnel_figure, funnel_finding
from tasks.view.words import numbers, text
from tasks.view.words.numbers import fixed, interval, percent, plural

GUIDE = (
    "Ranks look more certain than they are: a small change in one group’s estimate moves it past many others. Each "
    "line holds a group’s rank with probability 95 %. Long lines mean that the data do not say where the group "
    "belongs. Rankability is the share of the variation between the groups’ own estimates that is more than chance; "
    "below 50 % ranks are mostly noise, and only from 75 % on is it called high (van Dishoeck and others, 2011). A "
    "league table is called justified here where rankability is high and at least half of the groups lie in one half "
    "of the table with 95 % certainty."
)
FUNNEL_OPENS = "Means of few rows vary more by chance, so the limits open towards small groups like a funnel."
FUNNEL = (
    "A group inside the grey limits need not differ from the average group at all. One inside the gold limits "
    "differs no more than groups usually do. One outside them is worth a look: at its rows first, then at what it "
    "does. Chance puts about one group in 20 outside the dashed lines and one in 500 outside the solid ones."
)
MOST_TERMS = 3
DOWNLOAD = Link("summary.json: every group and term", "summary.json")


def _blocks(context: Context) -> tuple[Block, ...]:
    found, funnel = context.findings.ranks, context.findings.funnel
    return (
        *(_rank_figure(context, found, one) for one in found.terms[:MOST_TERMS]),
        Paragraph(funnel_finding(context, funnel)),
        funnel_figure(context, funnel),
        how_to_read(GUIDE, _funnel_guide(context)),
        _table(context, found),
    )


def _funnel_guide(context: Context) -> str:
    """How to read the funnel; its opening is left out if all groups have as many rows, where limits are level lines."""
    sizes = context.findings.group_sizes
    return FUNNEL if sizes.min() == sizes.max() else f"{FUNNEL_OPENS} {FUNNEL}"


def _rank_figure(context: Context, found: Ranks, one: RankedTerm) -> Figure:
    term = context.findings.terms.index(one.term)
    chosen = notable_groups(context.findings.group_sizes, -one.expected, ROWS_LIMIT)
    name = context.term_name(term)
    shown = rule(len(chosen), context.n_groups, of=name)
    caption = f"Rank of each group by {name}: expected rank and 95 % interval. Rank 1 is the highest value. {shown}"
    return figure_of_rows(
        lambda groups: _rank_spec(context, found, one, groups),
        chosen,
        np.arange(context.n_groups),
        id=f"figure-ranks-{term}",
        caption=caption.strip(),
        alternative=_rank_alternative(context, one, name),
    )


def _rank_spec(context: Context, found: Ranks, one: RankedTerm, chosen: Integers) -> Spec:
    chosen = chosen[np.argsort(one.expected[chosen], kind="stable")]
    rows = RankRows(
        labels=[context.labels[j] for j in chosen],
        groups=chosen,
        n=context.findings.group_sizes[chosen],
        expected=one.expected[chosen],
        lower=one.lower[chosen],
        upper=one.upper[chosen],
        top=[_chance(p, found.n_draws) for p in one.top[chosen]],
        bottom=[_chance(p, found.n_draws) for p in one.bottom[chosen]],
        is_placed=one.half[chosen] != 0,
    )
    return rank_plot(rows, context.n_groups, found.n_extreme)


def _rank_alternative(context: Context, one: RankedTerm, name: str) -> str:
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


def _table(context: Context, found: Ranks) -> Table | GroupTable:
    titles, cells, details = zip(*_columns(context, found), strict=True)
    every = tuple(range(context.n_groups))
    caption, note = "Ranks of every group", _note(found)
    if context.n_groups > PANEL_LIMIT:
        return GroupTable("table-ranks", caption, titles, cells, every, details, note, DOWNLOAD)
    below = [column or ("",) * len(every) for column in details]
    rows = tuple(tuple(Cell(one[j], small[j]) for one, small in zip(cells, below, strict=True)) for j in every)
    return Table("table-ranks", caption, titles, rows, note, DOWNLOAD, every)


def _columns(context: Context, found: Ranks) -> list[tuple[Column, tuple[str, ...], tuple[str, ...]]]:
    """Per column: its head, J texts, and J texts below them, or () if there are none."""
    level, few = found.terms[0], f"{found.n_extreme:,}" if found.n_extreme > 1 else "one"
    columns: list[tuple[Column, tuple[str, ...], tuple[str, ...]]] = [
        (Column("Group", is_number=False), context.labels, ()),
        (Column("Rows"), tuple(map(numbers.count, context.findings.group_sizes)), ()),
    ]
    for one in found.terms[:MOST_TERMS]:
        name = context.term_name(context.findings.terms.index(one.term))
        expected = tuple(numbers.fixed(value, 1) for value in one.expected)
        ends = tuple(_between(one, group) for group in range(context.n_groups))
        columns.append((Column(f"Rank by {name}", model="bayes", detail="95 % interval"), expected, ends))
    for title, shares in (
        (f"Level among the highest {few}", level.top),
        (f"Level among the lowest {few}", level.bottom),
        ("Level above the average of the groups", level.above),
    ):
        columns.append((Column(title, model="bayes"), tuple(_chance(p, found.n_draws) for p in shares), ()))
    return columns


def _note(found: Ranks) -> str:
    decile = f"The highest and the lowest tenth, rounded up: {numbers.plural(found.n_extreme, 'group')} each."
    return (
        f"Expected ranks; 1 is the highest value, whichever way is better. {decile} Probabilities are shares of "
        f"{found.n_draws:,} posterior draws."
    )


def _finding(context: Context) -> str:
    level, *effects = context.findings.ranks.terms
    slopes = (_effect_ranks(context, one) for one in effects)
    return " ".join([_league_table(context, level), *slopes])


def _league_table(context: Context, level: RankedTerm) -> str:
    n = context.n_groups
    places = f"{numbers.count(round(level.typical_places))} of {n:,} places"
    if level.is_defensible:
        return (
            "The groups can be ranked by their level, if every rank is shown with its interval. "
            f"{level.n_placed:,} of {n:,} {numbers.be(level.n_placed)} in the upper or the lower half with 95 % "
            f"certainty, and the typical rank is known to within {places}. {_real_share(context, level)}"
        )
    only = "only " if level.n_placed < PLACED_SHARE * n else ""
    placed = f"{only}{level.n_placed:,}" if level.n_placed else "none"
    needed = int(np.ceil(PLACED_SHARE * n))
    return (
        f"Do not rank the groups. {_real_share(context, level)} {text.sentence_case(placed)} of {plural(n, 'group')} "
        f"can be placed in the upper or the lower half by level with 95 % certainty ({needed:,} are wanted), and the "
        f"typical rank is known only to within {places}. Compare each group with the average group instead: the "
        "funnel below."
    )


def _real_share(context: Context, level: RankedTerm) -> str:
    share, least = level.rankability, context.study.thresholds.rankability
    places = min(numbers.decimals_for(float(share.sd)), 3)
    ends = interval(float(share.lower), float(share.upper), places)
    return (
        "The share of the differences between the groups’ own levels that is more than chance (rankability) is "
        f"{fixed(float(share.median), places)} (95 % interval {ends}; at least {least:g} is wanted)."
    )


def _effect_ranks(context: Context, one: RankedTerm) -> str:
    name = context.term_name(context.findings.terms.index(one.term))
    share = numbers.estimate(float(one.rankability.median), float(one.rankability.sd))
    placed = f"{one.n_placed:,} of {context.n_groups:,}" if one.n_placed else "none"
    verdict = "a ranking with intervals can be defended" if one.is_defensible else "do not rank by it"
    return f"By the {name}, {placed} can be placed (rankability {share}): {verdict}."


def _chance(share: float, n_draws: int) -> str:
    """A probability from draws: never a flat 0 % or 100 %, which draws cannot show."""
    return percent(min(max(share, 0.5 / n_draws), 1 - 0.5 / n_draws))


TOPIC = Topic(
    id="ranks",
    title="Can the groups be ranked?",
    finding=_finding,
    blocks=_blocks,
    sources=("ranks", "funnel", "checks"),
    guide=(GUIDE, FUNNEL),
    summary=(
        Entry(
            "ranks",
            RanksSummary,
            "Which place each group takes among all",
            lambda context: ranks_of(context.findings),
        ),
        Entry(
            "funnel",
            FunnelSummary,
            "Group levels against group size",
            lambda context: funnel_of(context.findings),
        ),
    ),
)
