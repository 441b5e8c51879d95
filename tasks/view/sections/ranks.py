"""Can the groups be ranked? Ranks with their uncertainty, and the funnel that shows who stands apart."""

from __future__ import annotations

import numpy as np

from tasks.stats.ranks import RankedTerm, Ranks
from tasks.view import guides, numbers
from tasks.view.comparison_words import chance, funnel_finding, ranks_finding
from tasks.view.context import Context
from tasks.view.figures import intervals
from tasks.view.figures.ranks import RankRows, rank_plot
from tasks.view.records import Block, Cell, Column, Figure, Fold, GroupTable, Link, Paragraph, Section, Table
from tasks.view.sections.funnel import funnel_figure
from tasks.view.selection import FIGURE_LIMIT, PANEL_LIMIT, notable_groups, rule

ID = "ranks"
MOST_TERMS = 3
DOWNLOAD = Link("summary.json: every group and term", "summary.json")


def section(context: Context) -> Section:
    found, funnel = context.findings.ranks, context.findings.funnel
    blocks: list[Block] = []
    if found is not None:
        blocks += [_rank_figure(context, found, one) for one in found.terms[:MOST_TERMS]]
    if funnel is not None:
        blocks += [Paragraph(funnel_finding(context, funnel)), funnel_figure(context, funnel)]
    blocks += [Fold("How to read this", (Paragraph(guides.RANKS), Paragraph(_funnel_guide(context))))]
    if found is not None:
        blocks += [_table(context, found)]
    return Section(ID, "Can the groups be ranked?", ranks_finding(context), tuple(blocks))


def _funnel_guide(context: Context) -> str:
    """Limits are level lines where all groups have as many rows."""
    sizes = context.findings.group_sizes
    return guides.FUNNEL if sizes.min() == sizes.max() else f"{guides.FUNNEL_OPENS} {guides.FUNNEL}"


def _rank_figure(context: Context, found: Ranks, one: RankedTerm) -> Figure:
    term = context.findings.terms.index(one.term)
    chosen = notable_groups(context.findings.group_sizes, -one.expected, PANEL_LIMIT if term else FIGURE_LIMIT)
    chosen = chosen[np.argsort(one.expected[chosen], kind="stable")]
    rows = RankRows(
        labels=[context.labels[j] for j in chosen],
        groups=chosen,
        n=context.findings.group_sizes[chosen],
        expected=one.expected[chosen],
        lower=one.lower[chosen],
        upper=one.upper[chosen],
        top=[chance(p, found.n_draws) for p in one.top[chosen]],
        bottom=[chance(p, found.n_draws) for p in one.bottom[chosen]],
        is_placed=one.half[chosen] != 0,
    )
    name = context.term_name(term)
    shown = rule(len(chosen), context.n_groups, of=name)
    caption = f"Rank of each group by {name}: expected rank and 95 % interval. Rank 1 is the highest value. {shown}"
    return Figure(
        id=f"figure-ranks-{term}",
        caption=caption.strip(),
        alternative=_rank_alternative(context, one, name),
        spec=rank_plot(rows, context.n_groups, found.n_extreme),
        height=intervals.height(len(chosen), 1),
    )


def _rank_alternative(context: Context, one: RankedTerm, name: str) -> str:
    first, last = int(np.argmin(one.expected)), int(np.argmax(one.expected))
    return (
        f"Ranks by {name}: {context.named(first)} comes first (rank {one.lower[first]:,} to {one.upper[first]:,}), "
        f"{context.named(last)} last (rank {one.lower[last]:,} to {one.upper[last]:,}); {one.n_placed:,} of "
        f"{context.n_groups:,} groups lie surely in one half."
    )


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
    """Per column: its head, J texts, J texts below them or none."""
    level, few = found.terms[0], f"{found.n_extreme:,}" if found.n_extreme > 1 else "one"
    columns: list[tuple[Column, tuple[str, ...], tuple[str, ...]]] = [
        (Column("Group", is_number=False), context.labels, ()),
        (Column("Rows"), tuple(map(numbers.count, context.findings.group_sizes)), ()),
    ]
    for one in found.terms[:MOST_TERMS]:
        name = context.term_name(context.findings.terms.index(one.term))
        expected = tuple(numbers.fixed(value, 1) for value in one.expected)
        ends = tuple(f"{low:,} to {high:,}" for low, high in zip(one.lower, one.upper, strict=True))
        columns.append((Column(f"Rank by {name}", model="bayes", detail="95 % interval"), expected, ends))
    for title, shares in (
        (f"Level among the highest {few}", level.top),
        (f"Level among the lowest {few}", level.bottom),
        ("Level above the average", level.above),
    ):
        columns.append((Column(title, model="bayes"), tuple(chance(p, found.n_draws) for p in shares), ()))
    return columns


def _note(found: Ranks) -> str:
    decile = f"The highest and the lowest tenth, rounded up: {numbers.plural(found.n_extreme, 'group')} each."
    return (
        f"Expected ranks; 1 is the highest value, whichever way is better. {decile} Probabilities are shares of "
        f"{found.n_draws:,} posterior draws."
    )
