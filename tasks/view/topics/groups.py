"""The three poolings and Bayes beside each other, group by group."""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.context import Bands, Context
from tasks.view.contrast import contrast
from tasks.view.figures.panels import group_panel, spread_out
from tasks.view.figures.style import MODELS, Spec, padded, panel_axis
from tasks.view.records import Block, Cell, Column, Fold, GroupTable, Link, Panel, Panels, Table
from tasks.view.selection import PANEL_LIMIT, PANEL_ROWS_LIMIT, notable_groups, rule, thin
from tasks.view.topic import Topic, how_to_read
from tasks.view.words import numbers, text
from tasks.view.words.gaps import gap_in_words, gaps_in_words
from tasks.view.words.numbers import fixed, plural, with_unit

GUIDE = (
    "Each small panel is one group, each grey dot one of its rows. Lines are what a model expects: dotted for complete "
    "pooling (the same in every panel), dashed for no pooling, dash-dotted for partial pooling, solid for Bayes. "
    "Where a group has few rows, its own dashed line is easily led astray by chance, and the pooled lines lean "
    "towards the dotted one. The green ribbon holds the group’s line with a probability of 95 %, as Bayes sees it: "
    "where it is narrow, the line is well known."
)
MOST_PREDICTORS = 3
FIRST_PANELS = 8
MOST_TABLE_TERMS = 3
DOWNLOAD = Link("estimates.csv: every group and model", "estimates.csv")
LINE_POINTS = 5  # points on a model's line that have a hover text


def _blocks(context: Context) -> tuple[Block, ...]:
    first, *others = (_panels(context, term) for term in _shown_terms(context))
    compared = contrast(context)
    return (
        first,
        *([compared] if compared else []),
        *others,
        how_to_read(GUIDE),
        *([_all_groups(context)] if context.n_groups > PANEL_LIMIT else _tables(context)),
    )


def _shown_terms(context: Context) -> tuple[int, ...]:
    """Positions of the predictors whose slope varies, else of the first predictor; 0 if there are none."""
    if len(context.terms) == 1:
        return (0,)
    return (tuple(term for term in context.varying if term) or context.numeric_terms[:1] or (0,))[:MOST_PREDICTORS]


def _panels(context: Context, term: int) -> Panels:
    sizes = context.findings.group_sizes
    chosen = notable_groups(sizes, context.bands[2].coef[:, 0], PANEL_LIMIT)
    chosen = chosen[np.argsort(sizes[chosen], kind="stable")]
    frame = _frame(context, term, chosen)
    first = chosen[notable_groups(sizes[chosen], context.bands[2].coef[chosen, 0], FIRST_PANELS)]
    panels = tuple(_panel(context, term, int(group), *frame) for group in chosen)
    return Panels(
        id=f"panels-{term}",
        caption=_caption(context, term, len(chosen)),
        panels=panels,
        models=tuple((model, style.label) for model, style in MODELS.items()),
        first=tuple(int(group) for group in first),
        is_moving=True,
    )


def _frame(context: Context, term: int, groups: Integers) -> tuple[Spec, Spec]:
    """Axes that all panels share: over the rows of the groups shown."""
    rows = np.isin(context.data.group_index, groups)
    along = panel_axis(_titled(context.outcome, context.unit), range=padded(context.data.y[rows]), nticks=5)
    if not term:
        return panel_axis("rows side by side", range=[-0.1, 1.1], showticklabels=False, ticks="", showgrid=False), along
    title = _titled(context.terms[term], context.given_unit(term))
    return panel_axis(title, range=padded(context.data.x[rows, term - 1]), nticks=5), along


def _titled(name: str, unit: str) -> str:
    """A predictor that is called like its unit, such as `Days`, needs no other."""
    return f"{name} ({unit})" if unit and unit.casefold() != name.casefold() else name


def _caption(context: Context, term: int, n_shown: int) -> str:
    outcome = f"{context.outcome} ({context.unit})" if context.unit else context.outcome
    parts = [f"{outcome} against {context.terms[term]}" if term else f"{outcome}, rows side by side"]
    sizes = context.findings.group_sizes
    parts.append(". " if sizes.min() == sizes.max() else ", groups with the fewest rows first. ")
    if len(context.terms) > 2:
        parts.append("Lines are drawn at the average of the other predictors. ")
    if context.group_draws is not None:
        parts.append("Green ribbon: where the group’s line lies with a probability of 95 %. ")
    if sizes.max() > PANEL_ROWS_LIMIT:
        parts.append(f"At most {PANEL_ROWS_LIMIT} rows a group are drawn, evenly spaced in order. ")
    parts += [rule(n_shown, context.n_groups), f" {context.sample_note}"]
    return text.sentence_case("".join(parts).strip())


def _panel(context: Context, term: int, group: int, x_axis: Spec, y_axis: Spec) -> Panel:
    rows = context.rows_of(group)
    order = context.data.x[rows, term - 1] if term else context.data.y[rows]
    rows = rows[thin(order, PANEL_ROWS_LIMIT)]
    x = context.data.x[rows, term - 1] if term else spread_out(rows.size)
    low, high = (x.min(), x.max()) if term and x.size and np.ptp(x) > 0 else x_axis["range"]
    line_x = np.linspace(low, high, num=LINE_POINTS)
    lines = _lines(context, term, group, line_x)
    detail = gap_in_words(context.findings.no_pooling, group)
    return Panel(
        id=f"panel-{term}-{group}",
        title=context.labels[group],
        detail=f"n = {context.findings.group_sizes[group]:,}" + (f"; {detail}" if detail else ""),
        alternative=_alternative(context, term, group),
        spec=group_panel(
            x,
            context.data.y[rows],
            lines,
            line_x=line_x,
            x_axis=x_axis,
            y_axis=y_axis,
            has_predictor=term > 0,
            ribbon=_ribbon(context, term, group, line_x),
            heading=f"{context.labels[group]}, n = {context.findings.group_sizes[group]:,}",
            unit=context.unit,
        ),
        group=group,
    )


def _lines(context: Context, term: int, group: int, x: Floats) -> dict[str, Floats]:
    """Expected outcome at raw `x` per model, other predictors at their averages."""
    coefs = {"complete_pooling": context.findings.complete.coef}
    coefs |= {bands.model: bands.coef[group] for bands in reversed(context.tabled)}  # the recommended one on top
    if not term:
        return {model: np.full(x.shape, coef[0]) for model, coef in coefs.items()}
    scaled = (x - context.raw_center(term)) / context.raw_scale(term)
    lines = {model: coef[0] + coef[term] * scaled for model, coef in coefs.items()}
    return {**lines, "bayes": lines["bayes"] + context.bend(term) * scaled**2}


def _ribbon(context: Context, term: int, group: int, x: Floats) -> Floats | None:
    """(2, P): where the group's line lies at raw `x` (P,) with a probability of 95 %. None without draws.

    A curve's bend is taken at its mean.
    """
    draws = context.group_draws
    if draws is None:
        return None
    scaled = (x - context.raw_center(term)) / context.raw_scale(term) if term else np.zeros(x.shape)
    lines = draws[:, group, [0]] + (draws[:, group, [term]] * scaled + context.bend(term) * scaled**2 if term else 0.0)
    return np.quantile(np.broadcast_to(lines, (len(draws), x.size)), [0.025, 0.975], axis=0)


def _alternative(context: Context, term: int, group: int) -> str:
    parts = []
    for bands in context.bands:
        value = bands.coef[group, term]
        if np.isfinite(value):
            shown = numbers.fixed(value, context.places(term, 1.0))
            parts.append(f"{bands.label} {numbers.with_unit(shown, context.term_unit(term))}")
    return f"{context.labels[group]}, {context.term_name(term)}: {', '.join(parts)}."


def _tables(context: Context) -> list[Block]:
    """A table per term, slopes per raw unit; behind a fold, slopes as fitted.

    None of a level whose effect is the same in all groups: `topics.categories` has it.
    """
    every = np.arange(context.n_groups)
    tables: list[Block] = [_table(context, 0, every)]
    slopes = [term for term in range(1, len(context.terms)) if term in context.varying or not context.is_level(term)]
    tables += [_table(context, term, every, per_raw_unit=True) for term in slopes]
    scaled = tuple(_table(context, term, every) for term in slopes if not context.is_level(term))
    return [*tables, Fold("The same per SD of the predictor, as fitted", scaled)] if scaled else tables


def _table(context: Context, term: int, chosen: np.ndarray, *, per_raw_unit: bool = False) -> Table:
    scale = context.raw_scale(term) if per_raw_unit else 1.0
    unit = context.raw_unit(term) if per_raw_unit else context.term_unit(term)
    columns = (
        Column("Group", is_number=False),
        Column("Rows"),
        *(
            Column(bands.label, unit, model=bands.model, is_recommended=context.is_recommended(bands))
            for bands in context.tabled
        ),
    )
    bodies = [_cells(context, bands, term, scale, chosen) for bands in context.tabled]
    rows = tuple(
        (Cell(context.labels[j]), Cell(f"{context.findings.group_sizes[j]:,}"), *cells)
        for j, *cells in zip(chosen, *bodies, strict=True)
    )
    what = f"{context.term_title(term)} by group{' in raw units' if per_raw_unit else ''}"
    return Table(
        id=f"table-estimates-{term}{'-raw' if per_raw_unit else ''}",
        caption=f"{what}: estimate and 95 % interval",
        columns=columns,
        rows=rows,
        note=_table_note(context, term, scale, unit),
        download=DOWNLOAD,
        groups=tuple(int(group) for group in chosen),
    )


def _all_groups(context: Context) -> GroupTable:
    """A row per group: estimates and intervals of each varying term, slopes per raw unit."""
    terms = context.varying[:MOST_TABLE_TERMS]
    pairs = [(term, bands) for term in terms for bands in context.tabled]
    every = np.arange(context.n_groups)
    bodies = [_cells(context, bands, term, context.raw_scale(term), every) for term, bands in pairs]
    sizes = context.findings.group_sizes.tolist()
    columns = [_estimate_column(context, term, bands) for term, bands in pairs]
    return GroupTable(
        id="table-groups",
        caption="Every group: estimate and 95 % interval",
        columns=(Column("Group", is_number=False), Column("Rows"), *columns),
        cells=(
            context.labels,
            tuple(map(numbers.count, sizes)),
            *(tuple(cell.text for cell in body) for body in bodies),
        ),
        groups=tuple(every.tolist()),
        details=((), (), *(tuple(cell.detail for cell in body) for body in bodies)),
        note=_all_groups_note(context, terms),
        download=DOWNLOAD,
    )


def _estimate_column(context: Context, term: int, bands: Bands) -> Column:
    title = f"{context.term_title(term)}: {bands.label}"
    quoted = context.is_recommended(bands)
    return Column(title, context.raw_unit(term), model=bands.model, detail="95 % interval", is_recommended=quoted)


def _all_groups_note(context: Context, terms: tuple[int, ...]) -> str:
    left_out = [context.terms[term] for term in context.varying[len(terms) :]]
    parts = [context.level_note, _joint_note(context)]
    if left_out:
        parts.append(f"Effects of {numbers.listed(left_out)}: in estimates.csv.")
    return " ".join(parts)


def _cells(context: Context, bands: Bands, term: int, scale: float, chosen: np.ndarray) -> list[Cell]:
    places = context.places(term, scale)
    gaps = gaps_in_words(context.findings.no_pooling) if bands.model == "no_pooling" else [""] * context.n_groups
    return [
        Cell(
            numbers.fixed(bands.coef[j, term] / scale, places),
            gaps[j] or numbers.interval(bands.lower[j, term] / scale, bands.upper[j, term] / scale, places),
        )
        for j in chosen
    ]


def _table_note(context: Context, term: int, scale: float, unit: str) -> str:
    complete = float(context.findings.complete.coef[term]) / scale
    parts = [
        "Complete pooling gives every group "
        f"{numbers.with_unit(numbers.fixed(complete, context.places(term, scale)), unit)}."
    ]
    if not context.is_level(term):
        parts.append(context.level_note if term == 0 else f"One SD of {context.terms[term]} is {_sd(context, term)}.")
    if term and term not in context.varying:
        parts.append("The pooled models hold this effect equal in all groups.")
    parts.append(_joint_note(context))
    return " ".join(parts).strip()


def _sd(context: Context, term: int) -> str:
    return numbers.with_unit(numbers.significant(context.raw_scale(term)), context.given_unit(term))


def _joint_note(context: Context) -> str:
    if context.findings.fullest.is_singular:
        return "Partial pooling: joint intervals; its fit is singular, so do not quote them."
    if context.recommended.model == "partial_pooling":
        return "Partial pooling: joint interval, widened for the uncertainty of the spread (not so in estimates.csv)."
    return "Partial pooling: joint interval."


def _finding(context: Context) -> str:
    own, pooled = context.bands[0], context.recommended
    by = "Bayes" if pooled.model == "bayes" else "partial pooling"
    unfitted = int((~context.findings.no_pooling.is_fitted).sum())
    gaps = f" {plural(unfitted, 'group')} cannot carry a separate fit." if unfitted else ""
    level = (
        f"The levels of the groups run from {_range(own, context)} when each stands alone, and from "
        f"{_range(pooled, context)} with {by}."
    )
    slopes = "".join(
        f" Their {context.term_name(k).replace('effect', 'effects', 1)} run from {_range(own, context, k)} alone, and "
        f"from {_range(pooled, context, k)} with {by}."
        for k in context.varying
        if k
    )
    return f"{level}{slopes}{gaps}"


def _range(bands: Bands, context: Context, term: int = 0) -> str:
    """The lowest to the highest estimate; slopes per raw unit."""
    scale, unit = (context.raw_scale(term), context.raw_unit(term))
    values = bands.coef[:, term][np.isfinite(bands.coef[:, term])] / scale
    if not values.size:
        return "no estimate"
    places = context.places(term, scale)
    return f"{fixed(values.min(), places)} to {with_unit(fixed(values.max(), places), unit)}"


TOPIC = Topic(
    id="groups",
    title="Group by group: three poolings and Bayes",
    finding=_finding,
    blocks=_blocks,
    sources=("fits",),
    guide=(GUIDE,),
    n_open=lambda context: 1 if contrast(context) is None else 2,
)
