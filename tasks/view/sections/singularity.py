"""Singularity, and three intervals beside each other."""

from __future__ import annotations

import numpy as np

from tasks.view import guides, numbers, wording
from tasks.view.context import Context
from tasks.view.figures import intervals
from tasks.view.figures.style import ALERT, MODELS
from tasks.view.records import Block, Cell, Column, Figure, Fold, Paragraph, Section, Table
from tasks.view.sections.likelihood_profile import profile_blocks
from tasks.view.selection import PANEL_LIMIT, notable_groups, rule

ID = "intervals"
Z_95 = 1.959963984540054
CONDITIONAL, JOINT, BAYES = "Conditional", "Joint", "Bayes"


def section(context: Context) -> Section:
    blocks: tuple[Block, ...] = (
        _widths(context),
        *(_figure(context, term) for term in context.varying),
        Fold("How to read this", (Paragraph(guides.SINGULARITY),)),
        *profile_blocks(context),
    )
    title = "Singularity, and which intervals to believe"
    return Section(ID, title, wording.singularity_finding(context), blocks)


def _widths(context: Context) -> Table:
    columns = (
        Column("Term", is_number=False),
        Column("Unit", is_number=False),
        *(Column(name) for name in (CONDITIONAL, JOINT, BAYES)),
        Column("Conditional / Bayes"),
        Column("Implied coverage of conditional"),
        Column("Judgement", is_number=False),
    )
    rows = tuple(_width_row(context, position) for position in range(len(context.findings.intervals)))
    limit = context.study.thresholds.collapsed_ratio
    note = (
        "Implied coverage: how often the conditional interval would hold the truth if the Bayesian one does so 95 % of "
        f"the time. Collapsed: less than {limit:g} times as wide as the Bayesian one."
    )
    return Table("table-widths", "Widths of the 95 % intervals, medians over groups", columns, rows, note)


def _width_row(context: Context, position: int) -> tuple[Cell, ...]:
    found = context.findings.intervals[position]
    term = context.findings.terms.index(found.term)
    widths = [width / context.raw_scale(term) for width in (found.conditional, found.joint, found.calibrated)]
    places = numbers.decimals_for(widths[-1] / 10)
    return (
        Cell(context.term_title(term)),
        Cell(context.raw_unit(term) or "–"),
        *(Cell(_width(width, places)) for width in widths),
        Cell(numbers.fixed(found.ratio, 2)),
        Cell(numbers.percent(found.implied_coverage)),
        Cell("collapsed" if found.is_collapsed else "holds", status="fail" if found.is_collapsed else "pass"),
    )


def _width(width: float, places: int) -> str:
    """A collapsed width keeps two digits of its own: rounded like its neighbours it would read 0."""
    return numbers.fixed(width, max(places, numbers.decimals_for(width)) if width > 0 else places)


def _figure(context: Context, term: int) -> Figure:
    bands, fit = context.bands[2], context.findings.fullest
    chosen = notable_groups(context.findings.group_sizes, bands.coef[:, 0], PANEL_LIMIT)
    chosen = chosen[np.argsort(bands.coef[chosen, term], kind="stable")[::-1]]
    scale, coef = context.raw_scale(term), fit.coef[chosen, term]
    part, bayes = MODELS["partial_pooling"], MODELS["bayes"]
    series = [
        *_conditional(context, chosen, term),
        intervals.Series(
            JOINT,
            part.color,
            part.symbol,
            coef / scale,
            fit.lower[chosen, term] / scale,
            fit.upper[chosen, term] / scale,
        ),
        intervals.Series(
            BAYES,
            bayes.color,
            bayes.symbol,
            bands.coef[chosen, term] / scale,
            bands.lower[chosen, term] / scale,
            bands.upper[chosen, term] / scale,
        ),
    ]
    unit = context.raw_unit(term)
    title = f"{context.term_title(term)} ({unit})" if unit else context.term_title(term)
    return Figure(
        id=f"figure-intervals-{term}",
        caption=_caption(context, term, len(chosen)),
        alternative=_alternative(context, term),
        spec=intervals.interval_plot(
            [context.labels[j] for j in chosen],
            series,
            x_title=title,
            reference=float(context.overall[term]) / scale,
            groups=chosen,
            n=context.findings.group_sizes[chosen].tolist(),
            unit=unit,
        ),
        height=intervals.height(len(chosen), len(series)),
    )


def _conditional(context: Context, chosen: np.ndarray, term: int) -> list[intervals.Series]:
    """Collapsed intervals are a series of their own, marked in red."""
    fit, part, calibrated = context.findings.fullest, MODELS["partial_pooling"], context.bands[2]
    coef, half = fit.coef[chosen, term], Z_95 * fit.conditional_sd[chosen, term]
    width = (calibrated.upper - calibrated.lower)[chosen, term]
    is_collapsed = 2 * half < context.study.thresholds.collapsed_ratio * width
    looks = (
        (CONDITIONAL, part.color, ~is_collapsed),
        (f"{CONDITIONAL} (collapsed)", ALERT, is_collapsed),
    )
    series, scale = [], context.raw_scale(term)
    for name, color, these in looks:
        at, reach = np.where(these, coef / scale, np.nan), np.where(these, half / scale, np.nan)
        if these.any():
            series.append(intervals.Series(name, color, "diamond-open", at, at - reach, at + reach, 5))
    return series


def _caption(context: Context, term: int, n_shown: int) -> str:
    text = f"{context.term_title(term)}: three 95 % intervals for each group, highest first. Dotted line: the average."
    return f"{text} {rule(n_shown, context.n_groups)}".strip()


def _alternative(context: Context, term: int) -> str:
    name = context.findings.terms[term]
    for found in context.findings.intervals:
        if found.term == name and found.is_collapsed:
            return wording.collapsed_words(context, found)
    return f"The three intervals of the {context.term_name(term)} are of similar width in every group shown."
