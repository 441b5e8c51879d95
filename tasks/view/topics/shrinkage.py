"""How far pooling moves each group's estimate, and how far each is pooled: a part of the section on variance."""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.context import Bands, Context
from tasks.view.figures import scatter
from tasks.view.figures.displacement import CROWD, Stage, displacement, middle
from tasks.view.figures.style import MODELS, Shown, Spec, axis, hover_estimate, padded, tick
from tasks.view.records import Cell, Column, Figure, Link, Paragraph, Table
from tasks.view.selection import FIGURE_LIMIT, MOVED_LIMIT, MOVING_LIMIT, PANEL_LIMIT, TABLE_LIMIT, notable_groups, rule
from tasks.view.topics import moved_words
from tasks.view.topics.change_words import change
from tasks.view.words import numbers

GUIDE = (
    "In the picture of ways, each line is the way of a group’s estimate from no pooling to partial pooling to Bayes. "
    "Groups whose own rows say little, often because they are few, move most towards the average group: they borrow "
    "from the others. Long ways are no fault: they show estimates that the group’s own rows could not carry. "
    "Shrinkage runs from 0 (the group’s own rows decide) to 1 (the average group decides). "
    "The level is read where every predictor is at its average."
)
MOST_TERMS = 3
SAME_SHRINKAGE = 0.005
HARDLY = 0.05  # nearer to 0 or 1 than this in every group, shrinkage needs no picture


def ways(context: Context) -> tuple[Figure, ...]:
    """Level against slope for each varying slope; without one, the level by size."""
    slopes = [term for term in context.varying[:MOST_TERMS] if term and 0 in context.varying]
    return tuple(_plane(context, term) for term in slopes) or (_by_size(context, context.varying[0]),)


def moved(context: Context) -> tuple[Table, ...]:
    """A table per varying term: the groups that pooling moved most, and why."""
    return tuple(table for term in context.varying[:MOST_TERMS] if (table := _moved(context, term)).rows)


def _plane(context: Context, term: int) -> Figure:
    """(level, slope) of each group, the slope per raw unit."""
    chosen = _shown_groups(context, (0, term), MOVING_LIMIT)
    sizes, scale = context.findings.group_sizes[chosen].tolist(), context.raw_scale(term)
    stages = []
    for bands in context.bands:
        level, slope = _shown(context, bands, 0, chosen, "x"), _shown(context, bands, term, chosen, "y")
        hover = hover_estimate(sizes, level, slope, extra=bands.label)
        stages.append(Stage(bands.model, bands.coef[chosen, 0], bands.coef[chosen, term] / scale, hover))
    reach = _reach([stage.x for stage in stages]), _reach([stage.y for stage in stages])
    is_beyond = _beyond(stages, *reach)
    average = context.findings.bayes.fixef.mean
    ways = "Level and slope of each group, and the way that pooling moves them. The grey cross is the average group."
    return Figure(
        id=f"figure-displacement-{term}",
        caption=_caption(context, ways, is_beyond, chosen),
        alternative=moved_words.finding(context),
        spec=displacement(
            [context.labels[group] for group in chosen],
            chosen,
            stages,
            np.where(is_beyond, np.nan, moved_words.distance(context, (0, term))[chosen]),
            x_axis=axis(_titled("Level", context.unit), range=reach[0]),
            y_axis=axis(_titled(context.term_title(term), context.raw_unit(term)), range=reach[1]),
            target=(float(average[0]), float(average[term]) / scale),
        ),
        height=500,
    )


def _by_size(context: Context, term: int) -> Figure:
    """Estimates by the groups' sizes, the slope per raw unit."""
    chosen, scale = _ordered(context, term), context.raw_scale(term)
    sizes = context.findings.group_sizes[chosen]
    x, x_axis = _size_axis(context, chosen, sizes)
    stages = []
    for bands in context.bands:
        hover = hover_estimate(sizes.tolist(), _shown(context, bands, term, chosen, "y"), extra=bands.label)
        stages.append(Stage(bands.model, x, bands.coef[chosen, term] / scale, hover))
    reach = _reach([stage.y for stage in stages])
    is_beyond = _beyond(stages, None, reach)
    title = context.term_title(term)
    return Figure(
        id=f"figure-displacement-{term}",
        caption=_caption(context, f"{title} of each group, and the way that pooling moves it.", is_beyond, chosen),
        alternative=moved_words.sentence(context, term),
        spec=displacement(
            [context.labels[group] for group in chosen],
            chosen,
            stages,
            np.where(is_beyond, np.nan, moved_words.distance(context, (term,))[chosen]),
            x_axis=x_axis,
            y_axis=axis(_titled(title, context.raw_unit(term)), range=reach),
        ),
        height=440,
    )


def _shown_groups(context: Context, terms: tuple[int, ...], limit: int) -> Integers:
    """Positions of notable groups and of those that move most."""
    far = np.nan_to_num(moved_words.distance(context, terms), nan=-1.0)
    notable = notable_groups(context.findings.group_sizes, context.bands[2].coef[:, terms[-1]], limit - CROWD)
    return np.union1d(notable, np.argsort(-far, kind="stable")[:CROWD]) if notable.size < far.size else notable


def _reach(values: list[Floats]) -> list[float]:
    return padded(middle(np.concatenate(values)))


def _shown(context: Context, bands: Bands, term: int, chosen: Integers, value: str) -> Shown:
    scale, unit = context.raw_scale(term), context.raw_unit(term)
    lower, upper = bands.lower[chosen, term] / scale, bands.upper[chosen, term] / scale
    return Shown(lower, upper, unit, context.term_name(term), value)


def _ordered(context: Context, term: int) -> Integers:
    """Positions of the groups shown, from the smallest to the largest; those of equal size by their estimate."""
    sizes, level = context.findings.group_sizes, context.bands[2].coef[:, term]
    chosen = _shown_groups(context, (term,), FIGURE_LIMIT)
    return chosen[np.lexsort((level[chosen], sizes[chosen]))]


def _size_axis(context: Context, chosen: Integers, sizes: Integers) -> tuple[Floats, Spec]:
    """Positions and axis: rows per group, or groups by name if all have as many rows."""
    if sizes.min() < sizes.max():
        x = apart(sizes.astype(float))
        return x, scatter.size_axis(x, "rows in the group")
    places = np.arange(chosen.size, dtype=float)
    names = [tick(context.labels[group]) for group in chosen] if chosen.size <= PANEL_LIMIT else []
    title = f"{context.group} ({numbers.plural(int(sizes[0]), 'row')} each)"
    return places, axis(title, tickvals=list(range(len(names))), ticktext=names, showgrid=False)


def apart(sizes: Floats) -> Floats:
    """The ordered sizes, with equal ones moved slightly apart so that each group can be seen."""
    first = np.searchsorted(sizes, sizes)
    repeats = np.bincount(first, minlength=sizes.size)[first]
    rank = np.arange(sizes.size) - first
    return np.asarray(sizes * (1 + 0.06 * (rank - (repeats - 1) / 2) / np.sqrt(repeats)))


def _beyond(stages: list[Stage], x_reach: list[float] | None, y_reach: list[float]) -> np.ndarray:
    """(G,) whether a group has an estimate beyond the picture."""
    beyond = np.zeros(stages[0].x.size, dtype=bool)
    for stage in stages:
        beyond |= (stage.y < y_reach[0]) | (stage.y > y_reach[1])
        if x_reach is not None:
            beyond |= (stage.x < x_reach[0]) | (stage.x > x_reach[1])
    return beyond


def _caption(context: Context, shown: str, is_beyond: np.ndarray, chosen: Integers) -> str:
    n_cut = int(is_beyond.sum())
    cut = f"Estimates of {numbers.plural(n_cut, 'group')} reach beyond the picture." if n_cut else ""
    strong = f"The {CROWD} that move farthest{' within it' if n_cut else ''} stand out." if chosen.size > CROWD else ""
    missing = not context.findings.no_pooling.is_fitted.all()
    gaps = "Groups without a fit of their own begin at partial pooling." if missing else ""
    left_out = f"Shown are {chosen.size:,} of {context.n_groups:,} groups." if chosen.size < context.n_groups else ""
    return " ".join(filter(None, [shown, cut, strong, gaps, left_out]))


def _titled(title: str, unit: str) -> str:
    return f"{title} ({unit})" if unit else title


def shrinkage_figures(context: Context) -> tuple[Figure | Paragraph, ...]:
    """Of each varying term; a sentence where a picture would show nothing."""
    return tuple(_shrinkage_figure(context, position) for position in range(len(context.varying)))


def differs(context: Context) -> bool:
    """Whether shrinkage is not the same in every group."""
    return bool((np.ptp(context.findings.fullest.shrinkage_factor, axis=0) >= SAME_SHRINKAGE).any())


def _shrinkage_figure(context: Context, position: int) -> Figure | Paragraph:
    term, factor = context.varying[position], context.findings.fullest.shrinkage_factor[:, position]
    sizes = context.findings.group_sizes.astype(float)
    low, high = float(np.nanmin(factor)), float(np.nanmax(factor))
    title = context.term_title(term)
    if high - low < SAME_SHRINKAGE:
        return Paragraph(f"{title}: shrinkage is the same in every group, {(low + high) / 2:.2f}.")
    if high < HARDLY or low > 1.0 - HARDLY:
        so = "own rows decide" if high < HARDLY else "a group’s own rows hardly count for it"
        return Paragraph(f"{title}: shrinkage is {low:.2f} to {high:.2f}, so {so}.")
    return Figure(
        id=f"figure-shrinkage-{term}",
        caption=f"{title}: shrinkage of each group against its number of rows (0 = own rows decide, 1 = fully pooled).",
        alternative=f"Shrinkage of the {title.lower()} runs from {low:.2f} to {high:.2f} over the groups.",
        spec=scatter.scatter(
            sizes,
            factor,
            names=context.labels,
            color=MODELS["partial_pooling"].color,
            x_axis=scatter.size_axis(sizes, "rows in the group"),
            y_axis=axis("shrinkage (1 = fully pooled)", range=padded([min(low, 0.0), max(high, 1.0)])),
            groups=np.arange(context.n_groups),
            hover=_shrinkage_hover(context),
        ),
        height=340,
    )


def _shrinkage_hover(context: Context) -> Spec:
    """Hover text: the group, its number of rows, its shrinkage."""
    return {
        "customdata": context.findings.group_sizes.tolist(),
        "hovertemplate": "<b>%{text}</b>, n = %{customdata:,}<br>shrinkage %{y:.2f}<extra></extra>",
    }


def shrinkage_table(context: Context) -> Table:
    sizes, factor = context.findings.group_sizes, context.findings.fullest.shrinkage_factor
    chosen = notable_groups(sizes, context.bands[2].coef[:, 0], TABLE_LIMIT)
    titles = [context.term_title(term) for term in context.varying]
    columns = (Column("Group", is_number=False), Column("Rows"), *(Column(title) for title in titles))
    rows = tuple(
        (Cell(context.labels[j]), Cell(f"{sizes[j]:,}"), *(Cell(numbers.fixed(float(b), 3)) for b in factor[j]))
        for j in chosen
    )
    beyond = "Effects that vary together lean on each other, so values outside 0 to 1 can occur." * (
        factor.shape[1] > 1
    )
    note = f"Partial pooling, REML; 1 = fully pooled. {beyond} {rule(len(chosen), context.n_groups)}".strip()
    return Table(
        "table-shrinkage",
        "Shrinkage factors",
        columns,
        rows,
        note,
        Link("summary.json: every group", "summary.json"),
        tuple(int(group) for group in chosen),
    )


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
