"""How far pooling moves each group's rate: a part of the section on how much groups differ."""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.counted.context import CountedContext
from tasks.view.figures import scatter
from tasks.view.figures.displacement import CROWD, Stage, displacement, middle
from tasks.view.figures.style import Shown, Spec, axis, hover_estimate, padded
from tasks.view.records import Cell, Column, Figure, Table
from tasks.view.selection import MOVING_LIMIT, notable_groups
from tasks.view.topics.shrinkage import apart
from tasks.view.words import numbers, text
from tasks.view.words.numbers import plural

GUIDE = (
    "In the picture each line is the way of a group’s rate from what was counted to what pooling makes of it, for the "
    "same cases. Groups in which little was counted move most: they borrow from the others. Long ways are no fault: "
    "they show rates that the group’s own count could not carry. “Left open” is the share of the differences between "
    "groups that a group’s own rows cannot settle: near 0 its own rows decide, near 1 all other groups do."
)
MOST_MOVED = 20
FEW = 0.25  # quantile of sizes up to which a group counts as small


def moves(context: CountedContext) -> Floats:
    """(J,) by how much pooling moves the rate of each group's own cases; NaN without rows."""
    return np.asarray(context.findings.variance.pooled - context.findings.fits.rates.rate)


def ways(context: CountedContext) -> Figure:
    chosen = _chosen(context)
    own, scale = context.findings.fits.rates, context.rate_scale
    pooled = context.findings.variance.pooled
    x, x_axis = _size_axis(context, chosen)
    unit, counts = context.rate_unit if context.rate_unit == "%" else "", np.rint(context.sizes[chosen]).astype(int)
    none = np.full(chosen.size, np.nan)
    bare = Shown(scale * own.lower[chosen], scale * own.upper[chosen], unit)
    stages = [
        Stage("no_pooling", x, scale * own.rate[chosen], hover_estimate(counts, bare, extra="as counted")),
        Stage("bayes", x, scale * pooled[chosen], _hover(counts, none, unit)),
    ]
    reach = padded(middle(np.concatenate([stage.y for stage in stages])))
    reach[0] = max(reach[0], -0.03 * reach[1])
    is_beyond = (stages[0].y < reach[0]) | (stages[0].y > reach[1])
    return Figure(
        id="figure-shrinkage",
        caption=_caption(context, chosen, int(is_beyond.sum())),
        alternative=finding(context),
        spec=displacement(
            [context.labels[j] for j in chosen],
            chosen,
            stages,
            np.where(is_beyond, np.nan, np.abs(moves(context)[chosen])),
            x_axis=x_axis,
            y_axis=axis(text.sentence_case(context.rate_name), range=reach),
        ),
        height=440,
    )


def _size_axis(context: CountedContext, chosen: Integers) -> tuple[Floats, Spec]:
    """Positions and axis: sizes, or groups in order of their rate if all have the same."""
    sizes = context.sizes[chosen]
    if sizes.min() < sizes.max():
        x = apart(sizes)
        return x, scatter.size_axis(x, f"{context.size_noun} in the group")
    title = f"{context.group} ({_whole(float(sizes[0]))} {context.size_noun} each)"
    return np.arange(chosen.size, dtype=float), axis(title, tickvals=[], showgrid=False)


def _hover(counts: np.ndarray, none: Floats, unit: str) -> Spec:
    """The pooled rate of a group's own cases, of which there is no interval."""
    shown = f"\u202f{unit}" if unit else ""
    return {
        "customdata": counts.tolist(),
        "hovertemplate": f"<b>%{{text}}</b>, n = %{{customdata:,}}<br>%{{y:,.4~r}}{shown}<extra>Bayes</extra>",
    }


def _chosen(context: CountedContext) -> Integers:
    """Notable groups and those that move most, in order of size."""
    far, sizes = np.nan_to_num(np.abs(moves(context)), nan=-1.0), np.rint(context.sizes).astype(np.int64)
    chosen = notable_groups(sizes, context.findings.variance.pooled, MOVING_LIMIT - CROWD)
    if chosen.size < far.size:
        chosen = np.union1d(chosen, np.argsort(-far, kind="stable")[:CROWD])
    chosen = chosen[context.sizes[chosen] > 0]
    return chosen[np.lexsort((context.findings.variance.pooled[chosen], context.sizes[chosen]))]


def _caption(context: CountedContext, chosen: Integers, n_beyond: int) -> str:
    cut = f"Rates of {plural(n_beyond, 'group')} as counted reach beyond the picture." if n_beyond else ""
    strong = f"The {CROWD} that move farthest stand out." if chosen.size > CROWD else ""
    some = f"Shown are {chosen.size:,} of {context.n_groups:,} groups." if chosen.size < context.n_groups else ""
    name = text.sentence_case(context.rate_name)
    return " ".join(
        filter(
            None,
            [f"{name} of each group: as counted (no pooling), and the way that pooling moves it.", cut, strong, some],
        )
    )


def finding(context: CountedContext) -> str:
    """Who moves most, by how much, and how much is usual."""
    size = np.nan_to_num(np.abs(moves(context)), nan=-1.0)
    group = int(np.argmax(size))
    most, usual = (context.difference_text(float(each)) for each in (size[group], np.median(size[size >= 0])))
    counted = f"{_whole(context.sizes[group])} {context.size_noun}"
    return (
        f"Pooling moves the rate most in {context.named(group)} ({counted}): by {most}. Half of the groups move by "
        f"less than {usual}."
    )


def moved(context: CountedContext) -> Table:
    """The groups that pooling moves most, and why."""
    size = np.nan_to_num(np.abs(moves(context)), nan=-1.0)
    chosen = np.argsort(-size, kind="stable")[:MOST_MOVED]
    chosen = chosen[size[chosen] >= 0]
    columns = (
        Column("Group", is_number=False),
        Column(text.sentence_case(context.size_noun)),
        Column(text.sentence_case(context.outcome)),
        Column("As counted", context.rate_unit, model="no_pooling", detail="exact 95 % interval"),
        Column("Pooled, same cases", context.rate_unit, model="bayes"),
        Column("Moved by", context.difference_unit),
        Column("Left open"),
        Column("Why", is_number=False),
    )
    typical = _typical(context)
    listed = f"Listed are the {chosen.size} of {context.n_groups:,} groups that move farthest." * (
        chosen.size < context.n_groups
    )
    note = f"Left open: 0 = its own rows decide, 1 = the other groups decide; typically {typical}. {listed}".strip()
    rows = tuple(_moved_row(context, int(group)) for group in chosen)
    return Table(
        "table-moved",
        "The groups that pooling moves most, and why",
        columns,
        rows,
        note,
        groups=tuple(map(int, chosen)),
    )


def _typical(context: CountedContext) -> str:
    return numbers.fixed(float(np.median(context.findings.variance.left_open[:, 0])), 2)


def _moved_row(context: CountedContext, group: int) -> tuple[Cell, ...]:
    own, found = context.findings.fits.rates, context.findings.variance
    change = numbers.fixed(float(moves(context)[group]) * context.rate_scale, context.rate_places)
    ends = f"{context.rate_number(float(own.lower[group]))} to {context.rate_number(float(own.upper[group]))}"
    return (
        Cell(context.labels[group]),
        Cell(_whole(context.sizes[group])),
        Cell(_whole(context.events[group])),
        Cell(context.rate_number(float(own.rate[group])), ends),
        Cell(context.rate_number(float(found.pooled[group]))),
        Cell(f"+{change}" if moves(context)[group] > 0 and change.strip("0.") else change),
        Cell(numbers.fixed(float(found.left_open[group, 0]), 2)),
        Cell(_why(context, group)),
    )


def _why(context: CountedContext, group: int) -> str:
    sizes, events = context.sizes, context.events
    few = sizes[group] <= np.quantile(sizes, FEW) and sizes[group] < np.median(sizes)
    none = events[group] == 0 or (context.is_binomial and events[group] == sizes[group])
    reasons = [
        f"few {context.size_noun}" if few else "",
        ("nothing" if events[group] == 0 else "nothing else") + " was counted" if none else "",
    ]
    found = numbers.listed(filter(None, reasons))
    if found:
        return text.sentence_case(found)
    is_open = context.findings.variance.left_open[group, 0] >= 0.5
    return "Others say more than its own rows" if is_open else "Its own rate lies far out"


def _whole(value: float) -> str:
    return numbers.count(round(value)) if value == round(value) else numbers.significant(float(value), 4)
