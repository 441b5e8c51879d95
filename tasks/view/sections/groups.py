"""The three poolings and Bayes beside each other, group by group."""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Floats
from tasks.view import guides, numbers, text, wording
from tasks.view.context import Bands, Context
from tasks.view.figures.panels import group_panel, spread_out
from tasks.view.figures.style import MODELS, padded
from tasks.view.records import Block, Cell, Column, Fold, Link, Panel, Panels, Paragraph, Section, Table
from tasks.view.selection import PANEL_LIMIT, PANEL_ROWS_LIMIT, TABLE_LIMIT, notable_groups, rule, thin

ID = "groups"
MOST_PREDICTORS = 3


def section(context: Context) -> Section:
    blocks: list[Block] = [_panels(context, term) for term in _shown_terms(context)]
    blocks.append(Fold("How to read this", (Paragraph(guides.POOLINGS),)))
    chosen = notable_groups(context.findings.group_sizes, context.bands[2].coef[:, 0], TABLE_LIMIT)
    blocks += [_table(context, 0, chosen)]
    for term in range(1, len(context.terms)):
        blocks += [_table(context, term, chosen), _table(context, term, chosen, per_raw_unit=True)]
    return Section(ID, "Group by group: three poolings and Bayes", wording.poolings_finding(context), tuple(blocks))


def _shown_terms(context: Context) -> tuple[int, ...]:
    """Predictors whose slope varies, else the first one; 0 without predictors."""
    if len(context.terms) == 1:
        return (0,)
    return (tuple(term for term in context.varying if term) or (1,))[:MOST_PREDICTORS]


def _panels(context: Context, term: int) -> Panels:
    sizes = context.findings.group_sizes
    chosen = notable_groups(sizes, context.bands[2].coef[:, 0], PANEL_LIMIT)
    chosen = chosen[np.argsort(sizes[chosen], kind="stable")]
    frame = _frame(context, term)
    panels = tuple(_panel(context, term, int(group), *frame) for group in chosen)
    return Panels(
        id=f"panels-{term}",
        caption=_caption(context, term, len(chosen)),
        panels=panels,
        models=tuple((model, style.label) for model, style in MODELS.items()),
    )


def _frame(context: Context, term: int) -> tuple[list[float], list[float]]:
    """Axis ranges that all panels share."""
    across = padded(context.data.x[:, term - 1]) if term else [-0.1, 1.1]
    return across, padded(context.data.y)


def _caption(context: Context, term: int, n_shown: int) -> str:
    outcome = f"{context.outcome} ({context.unit})" if context.unit else context.outcome
    parts = [f"{outcome} against {context.terms[term]}" if term else f"{outcome}, rows side by side"]
    sizes = context.findings.group_sizes
    parts.append(". " if sizes.min() == sizes.max() else ", groups with the fewest rows first. ")
    if len(context.terms) > 2:
        parts.append("Lines are drawn at the average of the other predictors. ")
    if sizes.max() > PANEL_ROWS_LIMIT:
        parts.append(f"At most {PANEL_ROWS_LIMIT} rows a group are drawn, evenly spaced in order. ")
    parts += [rule(n_shown, context.n_groups), f" {context.sample_note}"]
    return text.sentence_case("".join(parts).strip())


def _panel(context: Context, term: int, group: int, x_range: list[float], y_range: list[float]) -> Panel:
    rows = context.rows_of(group)
    order = context.data.x[rows, term - 1] if term else context.data.y[rows]
    rows = rows[thin(order, PANEL_ROWS_LIMIT)]
    x = context.data.x[rows, term - 1] if term else spread_out(rows.size)
    line_x = np.array([x.min(), x.max()]) if term and x.size and np.ptp(x) > 0 else np.array(x_range)
    lines = _lines(context, term, group, line_x)
    detail = context.findings.no_pooling.gap[group]
    return Panel(
        id=f"panel-{term}-{group}",
        title=context.labels[group],
        detail=f"n = {context.findings.group_sizes[group]:,}" + (f"; {detail}" if detail else ""),
        alternative=_alternative(context, term, group),
        spec=group_panel(
            x, context.data.y[rows], lines, line_x=line_x, x_range=x_range, y_range=y_range, has_predictor=term > 0
        ),
    )


def _lines(context: Context, term: int, group: int, x: Floats) -> dict[str, Floats]:
    """Expected outcome at raw `x` per model, other predictors at their averages."""
    coefs = {"complete_pooling": context.findings.complete.coef}
    coefs |= {bands.model: bands.coef[group] for bands in context.bands}
    if not term:
        return {model: np.full(x.shape, coef[0]) for model, coef in coefs.items()}
    scaled = (x - context.raw_center(term)) / context.raw_scale(term)
    return {model: coef[0] + coef[term] * scaled for model, coef in coefs.items()}


def _alternative(context: Context, term: int, group: int) -> str:
    parts = []
    for bands in context.bands:
        value = bands.coef[group, term]
        if np.isfinite(value):
            shown = numbers.fixed(value, numbers.common_decimals(bands.se[:, term]))
            parts.append(f"{bands.label} {numbers.with_unit(shown, context.term_unit(term))}")
    return f"{context.labels[group]}, {context.term_name(term)}: {', '.join(parts)}."


def _table(context: Context, term: int, chosen: np.ndarray, *, per_raw_unit: bool = False) -> Table:
    scale = context.raw_scale(term) if per_raw_unit else 1.0
    unit = context.raw_unit(term) if per_raw_unit else context.term_unit(term)
    columns = (
        Column("Group", is_number=False),
        Column("Rows"),
        *(Column(bands.label, unit, model=bands.model) for bands in context.bands),
    )
    bodies = [_cells(context, bands, term, scale, chosen) for bands in context.bands]
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
        note=_table_note(context, term, len(rows), scale),
        download=Link("estimates.csv: every group and model", "estimates.csv"),
    )


def _cells(context: Context, bands: Bands, term: int, scale: float, chosen: np.ndarray) -> list[Cell]:
    places = numbers.common_decimals(bands.se[:, term] / scale)
    gaps = context.findings.no_pooling.gap if bands.model == "no_pooling" else ("",) * context.n_groups
    return [
        Cell(
            numbers.fixed(bands.coef[j, term] / scale, places),
            gaps[j] or numbers.interval(bands.lower[j, term] / scale, bands.upper[j, term] / scale, places),
        )
        for j in chosen
    ]


def _table_note(context: Context, term: int, n_shown: int, scale: float) -> str:
    complete, se = context.findings.complete.coef[term] / scale, context.findings.complete.se[term] / scale
    parts = [f"Complete pooling gives every group {numbers.estimate(complete, se)}."]
    parts.append(context.level_note if term == 0 else f"One SD of {context.terms[term]} is {_sd(context, term)}.")
    if term and term not in context.varying:
        parts.append("The pooled models hold this effect equal in all groups.")
    parts.append("Partial pooling: joint interval. " + rule(n_shown, context.n_groups))
    return " ".join(parts).strip()


def _sd(context: Context, term: int) -> str:
    return numbers.with_unit(numbers.significant(context.raw_scale(term)), context.given_unit(term))
