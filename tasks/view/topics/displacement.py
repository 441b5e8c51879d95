"""How pooling moves each group's estimate: no pooling, partial pooling, Bayes."""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.context import Bands, Context
from tasks.view.figures import scatter
from tasks.view.figures.displacement import Stage, displacement, middle
from tasks.view.figures.style import MODELS, Shown, Spec, axis, hover_estimate, padded, tick
from tasks.view.records import Block, Cell, Column, Figure, Table
from tasks.view.selection import FIGURE_LIMIT, MOVED_LIMIT, MOVING_LIMIT, PANEL_LIMIT, notable_groups, rule
from tasks.view.topic import Topic, how_to_read
from tasks.view.topics import moved_words
from tasks.view.topics.change_words import change
from tasks.view.words import numbers

GUIDE = (
    "Each point is a group, each thin line the way its estimate goes from no pooling to partial pooling to Bayes. "
    "Groups whose own rows say little, often because they are few, move most towards the average group, and "
    "their intervals become shorter: they borrow from the others. Long ways are no fault: they show estimates that the "
    "group’s own rows could not carry. "
    "The level is read where every predictor is at its average."
)
MOST_TERMS = 3
EDGE = 0.5  # how far a picture reaches beyond the pooled intervals, as a share of their range


def _blocks(context: Context) -> tuple[Block, ...]:
    terms = context.varying[:MOST_TERMS]
    return (
        *(_plane(context, term) for term in terms if term and 0 in terms),
        *(_against_size(context, term) for term in terms),
        how_to_read(GUIDE),
        *(table for term in terms if (table := _moved(context, term)).rows),
    )


def _plane(context: Context, term: int) -> Figure:
    """(level, slope) of each group, the slope per raw unit."""
    chosen = notable_groups(context.findings.group_sizes, context.bands[2].coef[:, term], MOVING_LIMIT)
    sizes, scale = context.findings.group_sizes[chosen].tolist(), context.raw_scale(term)
    stages = []
    for bands in context.bands:
        level, slope = _shown(context, bands, 0, chosen, "x"), _shown(context, bands, term, chosen, "y")
        hover = hover_estimate(sizes, level, slope, extra=bands.label)
        stages.append(Stage(bands.model, bands.coef[chosen, 0], bands.coef[chosen, term] / scale, hover))
    reach = _reach([stage.x for stage in stages]), _reach([stage.y for stage in stages])
    average = context.findings.bayes.fixef.mean
    ways = "Level and slope of each group under no pooling, partial pooling and Bayes: press Play or move the slider."
    return Figure(
        id=f"figure-displacement-{term}",
        caption=_caption(
            context, ways, f"The grey cross is the average group. {_cut_off(stages, *reach)}".strip(), chosen
        ),
        alternative=moved_words.finding(context),
        spec=displacement(
            [context.labels[group] for group in chosen],
            chosen,
            stages,
            x_axis=axis(_titled("Level", context.unit), range=reach[0]),
            y_axis=axis(_titled(context.term_title(term), context.raw_unit(term)), range=reach[1]),
            target=(float(average[0]), float(average[term]) / scale),
        ),
        height=500,
        stages=tuple(MODELS[stage.model].label for stage in stages),
    )


def _reach(values: list[Floats]) -> list[float]:
    return padded(middle(np.concatenate(values)))


def _shown(context: Context, bands: Bands, term: int, chosen: Integers, value: str) -> Shown:
    scale, unit = context.raw_scale(term), context.raw_unit(term)
    lower, upper = bands.lower[chosen, term] / scale, bands.upper[chosen, term] / scale
    return Shown(lower, upper, unit, context.term_name(term), value)


def _against_size(context: Context, term: int) -> Figure:
    """Estimates with their intervals by the groups' sizes, the slope per raw unit."""
    chosen, scale = _by_size(context, term), context.raw_scale(term)
    sizes = context.findings.group_sizes[chosen]
    x, x_axis = _size_axis(context, chosen, sizes)
    stages = []
    for bands in context.bands:
        coef, lower, upper = (part[chosen, term] / scale for part in (bands.coef, bands.lower, bands.upper))
        hover = hover_estimate(sizes.tolist(), _shown(context, bands, term, chosen, "y"), extra=bands.label)
        stages.append(Stage(bands.model, x, coef, hover, (lower, upper)))
    reach = _interval_reach(stages)
    title = context.term_title(term)
    ways = (
        f"{title} of each group with its 95 % interval under no pooling, partial pooling and Bayes: press Play or move "
        "the slider. Small marks show all three at once."
    )
    return Figure(
        id=f"figure-by-size-{term}",
        caption=_caption(context, ways, _cut_off(stages, None, reach), chosen),
        alternative=moved_words.sentence(context, term),
        spec=displacement(
            [context.labels[group] for group in chosen],
            chosen,
            stages,
            x_axis=x_axis,
            y_axis=axis(_titled(title, context.raw_unit(term)), range=reach),
        ),
        height=460,
        stages=tuple(MODELS[stage.model].label for stage in stages),
    )


def _by_size(context: Context, term: int) -> Integers:
    """Positions of notable groups, from the smallest to the largest; those of equal size by their estimate."""
    sizes, level = context.findings.group_sizes, context.bands[2].coef[:, term]
    chosen = notable_groups(sizes, level, FIGURE_LIMIT)
    return chosen[np.lexsort((level[chosen], sizes[chosen]))]


def _size_axis(context: Context, chosen: Integers, sizes: Integers) -> tuple[Floats, Spec]:
    """Positions and axis: rows per group, or groups by name if all have as many rows."""
    if sizes.min() < sizes.max():
        x = _apart(sizes.astype(float))
        return x, scatter.size_axis(x, "rows in the group")
    places = np.arange(chosen.size, dtype=float)
    names = [tick(context.labels[group]) for group in chosen] if chosen.size <= PANEL_LIMIT else []
    title = f"{context.group} ({numbers.plural(int(sizes[0]), 'row')} each)"
    return places, axis(title, tickvals=list(range(len(names))), ticktext=names, showgrid=False)


def _apart(sizes: Floats) -> Floats:
    """The ordered sizes, with equal ones moved slightly apart so that each group can be seen."""
    first = np.searchsorted(sizes, sizes)
    repeats = np.bincount(first, minlength=sizes.size)[first]
    rank = np.arange(sizes.size) - first
    return np.asarray(sizes * (1 + 0.06 * (rank - (repeats - 1) / 2) / np.sqrt(repeats)))


def _interval_reach(stages: list[Stage]) -> list[float]:
    """The range of y: the pooled intervals, and as much of the separate fits as does not flatten them."""
    kept = stages if stages[0].x.size <= PANEL_LIMIT else stages[1:]
    pooled = [end for stage in stages[1:] for end in stage.interval or ()]
    low, high = padded(np.concatenate([*pooled, *(stage.y for stage in kept)]))
    own = np.concatenate([stages[0].y, *(stages[0].interval or ())])
    own = own[np.isfinite(own)]
    if not own.size:
        return [low, high]
    room, ends = EDGE * (high - low), padded(np.append(own, [low, high]), 0.02)
    return [max(low - room, ends[0]), min(high + room, ends[1])]


def _cut_off(stages: list[Stage], x_reach: list[float] | None, y_reach: list[float]) -> str:
    """How many groups have a point or an end of an interval beyond the picture, in words."""
    beyond = np.zeros(stages[0].x.size, dtype=bool)
    for stage in stages:
        for part in (stage.y, *(stage.interval or ())):
            beyond |= (part < y_reach[0]) | (part > y_reach[1])
        if x_reach is not None:
            beyond |= (stage.x < x_reach[0]) | (stage.x > x_reach[1])
    n_cut = int(beyond.sum())
    return f"Estimates or intervals of {numbers.plural(n_cut, 'group')} reach beyond the picture." if n_cut else ""


def _caption(context: Context, ways: str, remark: str, chosen: Integers) -> str:
    return " ".join(filter(None, [ways, remark, _gaps(context), rule(chosen.size, context.n_groups)]))


def _gaps(context: Context) -> str:
    missing = int((~context.findings.no_pooling.is_fitted).sum())
    return "Groups without a fit of their own appear with partial pooling." if missing else ""


def _titled(title: str, unit: str) -> str:
    return f"{title} ({unit})" if unit else title


def _moved(context: Context, term: int) -> Table:
    """The groups that pooling moved most, and why."""
    unit = context.raw_unit(term)
    columns = (
        Column("Group", is_number=False),
        Column("Rows"),
        Column("Own estimate", unit, model="no_pooling"),
        Column("Bayes", unit, model="bayes"),
        Column("Moved by", unit),
        Column("Shrinkage"),
        Column("Why", is_number=False),
    )
    chosen = moved_words.most_moved(context, term, MOVED_LIMIT)
    rows = tuple(_moved_row(context, term, int(group)) for group in chosen)
    return Table(
        id=f"table-moved-{term}",
        caption=f"{context.term_title(term)}: the groups that moved most, and why",
        columns=columns,
        rows=rows,
        note=moved_words.note(context, term, len(rows)),
        groups=tuple(int(group) for group in chosen),
    )


def _moved_row(context: Context, term: int, group: int) -> tuple[Cell, ...]:
    own, bayes = context.bands[0], context.bands[2]
    scale, places = context.raw_scale(term), moved_words.places(context, term)
    gaps = ("no interval" if np.isnan(own.lower[group, term]) else "", "")
    cells = [
        Cell(
            numbers.fixed(bands.coef[group, term] / scale, places),
            gap or numbers.interval(bands.lower[group, term] / scale, bands.upper[group, term] / scale, places),
        )
        for bands, gap in zip((own, bayes), gaps, strict=True)
    ]
    moved = (bayes.coef[group, term] - own.coef[group, term]) / scale
    factor = context.findings.fullest.shrinkage_factor[group, context.varying.index(term)]
    return (
        Cell(context.labels[group]),
        Cell(numbers.count(context.findings.group_sizes[group])),
        *cells,
        Cell(change(float(moved), float(np.nanmedian(bayes.se[:, term])) / scale, "")),
        Cell(numbers.fixed(float(factor), 2)),
        Cell(moved_words.why(context, term, group)),
    )


TOPIC = Topic(
    id="displacement",
    title="How pooling moves the estimates",
    finding=moved_words.finding,
    blocks=_blocks,
    sources=("fits",),
    guide=(GUIDE,),
)
