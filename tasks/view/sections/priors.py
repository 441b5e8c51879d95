"""What the priors say before the data, what the data made of them, and how much they matter."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tasks.stats.prior_overlay import Overlay, prior_overlays
from tasks.stats.prior_predictive import Expected, PriorPredictive
from tasks.stats.prior_sensitivity import PriorSensitivity, Sensitivity
from tasks.stats.priors import resolve_priors
from tasks.stats.records import PosteriorDraws
from tasks.view import guides, numbers, prior_words, text
from tasks.view.context import Context
from tasks.view.figures import prior as figures
from tasks.view.records import Block, Cell, Column, Figure, Fold, Panel, Panels, Paragraph, Section, Table

ID = "priors"
PANELS_LIMIT = 12


def section(context: Context, predictive: PriorPredictive, sensitivity: PriorSensitivity) -> Section:
    blocks: tuple[Block, ...] = (
        _predictive_figure(context, predictive),
        _predictive_table(context, predictive),
        *([_overlays(context, context.draws)] if context.draws is not None else []),
        _sensitivity_figure(context, sensitivity),
        Fold("How to read this", (Paragraph(guides.PRIORS),)),
        _sensitivity_table(context, sensitivity),
    )
    finding = prior_words.prior_finding(context, predictive, sensitivity)
    return Section(ID, "What the priors say, and how much they matter", finding, blocks)


def _predictive_figure(context: Context, found: PriorPredictive) -> Figure:
    unit = f" ({context.unit})" if context.unit else ""
    shown = "all rows" if found.n_rows_used == context.data.n_rows else "rows evenly spaced in the order of the groups"
    rule = (
        f"{found.n_draws:,} data sets simulated from the priors alone, for {found.n_rows_used:,} of the rows ({shown})."
    )
    return Figure(
        id="figure-prior-predictive",
        caption=f"Share of rows below each value: in the data, and as the priors expect it. {rule} "
        f"{context.sample_note}".strip(),
        alternative=prior_words.expectation(context, found),
        spec=figures.share_below(
            found.outcome_grid, found.share_below, found.share_below_observed, x_title=f"{context.outcome}{unit}"
        ),
        height=380,
    )


def _predictive_table(context: Context, found: PriorPredictive) -> Table:
    columns = (
        Column("Under the priors alone", is_number=False),
        Column("Unit", is_number=False),
        Column("Middle 50 %"),
        Column("Middle 95 %"),
        Column("In the data"),
    )
    expected = [
        (name, unit, prior_words.expected_range(one, 0.5), prior_words.expected_range(one), numbers.MISSING)
        for one in found.expected
        for name, unit in [_expected_name(context, one)]
    ]
    statistics = [
        (
            f"{text.sentence_case(prior_words.statistic_name(context, one.name, one.term))} of all rows",
            prior_words.raw_unit_of(context, one.term) or numbers.MISSING,
            numbers.MISSING,
            numbers.interval(one.lower, one.upper, places),
            numbers.fixed(one.observed, places),
        )
        for one in found.statistics
        for places in [numbers.decimals_for((one.upper - one.lower) / 4)]
    ]
    rows = tuple(tuple(Cell(value) for value in row) for row in (*expected, *statistics))
    of_rows = "Median, SD and slopes" if len(context.terms) > 1 else "Median and SD"
    note = (
        f"{numbers.percent(found.share_wild)} of the simulated outcomes lie more than 10 SDs of the data from their "
        f"average. {of_rows} are of the rows simulated, groups ignored."
    )
    return Table("table-prior-predictive", "What the priors allow", columns, rows, note)


def _expected_name(context: Context, one: Expected) -> tuple[str, str]:
    names = {
        "outcome": f"{text.sentence_case(context.outcome)} of a row",
        "level": "Level of a group",
        "slope": f"Slope of {text.readable(one.term)} in a group",
        "icc": "ICC",
    }
    unit = "share" if one.name == "icc" else prior_words.raw_unit_of(context, one.term)
    return names[one.name], unit or numbers.MISSING


def _overlays(context: Context, draws: PosteriorDraws) -> Panels:
    findings = context.findings
    priors = resolve_priors(context.study, findings.scaling)
    overlays = list(prior_overlays(draws, priors, findings.terms, context.varying, findings.scaling))
    panels = tuple(_overlay(context, one, number) for number, one in enumerate(overlays[:PANELS_LIMIT]))
    cut = f" Shown are the first {PANELS_LIMIT} of {len(overlays)}." if len(overlays) > PANELS_LIMIT else ""
    caption = (
        "Prior (purple, dashed) and posterior (green) of each parameter, both drawn to the same height. Where the "
        f"green one is much narrower, the data have decided; where they look alike, the prior has.{cut}"
    )
    return Panels("panels-priors", caption, panels)


def _overlay(context: Context, one: Overlay, number: int) -> Panel:
    name = text.sentence_case(prior_words.named(context, one.kind, one.terms))
    unit = "" if one.kind == "correlation" else prior_words.raw_unit_of(context, _slope(one.terms))
    ends = [float(one.posterior_at[0]), float(one.posterior_at[-1])]
    wide = [float(one.prior_at[0]), float(one.prior_at[-1])]
    return Panel(
        id=f"panel-prior-{number}",
        title=name,
        detail=unit,
        alternative=(
            f"{name}: the prior is shown from {numbers.significant(wide[0])} to {numbers.significant(wide[1])}, the "
            f"posterior lies between {numbers.significant(ends[0])} and {numbers.significant(ends[1])}."
        ),
        spec=figures.prior_and_posterior(one.prior_at, one.prior_density, one.posterior_at, one.posterior_density),
    )


def _slope(terms: tuple[str, ...]) -> str:
    return "" if not terms or terms[0] == "intercept" else terms[0]


def _sensitivity_figure(context: Context, found: PriorSensitivity) -> Figure:
    rows = [*_parameter_rows(context, found), *_group_rows(context, found)]
    some = f"{found.n_groups_used:,} of {context.n_groups:,} groups, evenly spaced"
    of_groups = f" Groups: {some}." if found.n_groups_used < context.n_groups else ""
    return Figure(
        id="figure-prior-sensitivity",
        caption="How far each result would move if the prior, or the data, counted for a little more or less; the line "
        f"is the limit for the prior. From {found.n_draws_used:,} draws.{of_groups}",
        alternative=prior_words.influence(context, found),
        spec=figures.sensitivity(rows, found.threshold),
        height=figures.sensitivity_height(len(rows)),
    )


def _parameter_rows(context: Context, found: PriorSensitivity) -> Iterator[figures.SensitivityRow]:
    for one in found.quantities:
        if one.group < 0:
            name, short = (
                text.sentence_case(prior_words.quantity_name(context, one)),
                prior_words.short_name(context, one),
            )
            yield figures.SensitivityRow(short, np.array([one.prior]), np.array([one.likelihood]), (name,), (-1,))


def _group_rows(context: Context, found: PriorSensitivity) -> Iterator[figures.SensitivityRow]:
    for k, term in enumerate(context.findings.terms):
        mine = [one for one in found.quantities if one.group >= 0 and one.terms == (term,)]
        yield figures.SensitivityRow(
            f"Groups: {context.term_name(k)}",
            np.array([one.prior for one in mine]),
            np.array([one.likelihood for one in mine]),
            tuple(context.labels[one.group] for one in mine),
            tuple(one.group for one in mine),
        )


def _sensitivity_table(context: Context, found: PriorSensitivity) -> Table:
    columns = (
        Column("Result", is_number=False),
        Column("Moved by the prior"),
        Column("Moved by the data"),
        Column("Finding", is_number=False),
    )
    shown = [one for one in found.quantities if one.group < 0 or one.diagnosis]
    rows = tuple(
        (
            Cell(_result_name(context, one)),
            Cell(numbers.fixed(one.prior, 3)),
            Cell(numbers.fixed(one.likelihood, 3)),
            Cell(prior_words.DIAGNOSES[one.diagnosis] or "–", status="review" if one.diagnosis else None),
        )
        for one in shown
    )
    note = (
        f"Power-scaling sensitivity; from {found.threshold:g} on a prior has a say. Group estimates stand here only "
        f"where it does, of the {found.n_groups_used:,} groups looked at."
    )
    return Table("table-prior-sensitivity", "How much the priors matter", columns, rows, note)


def _result_name(context: Context, one: Sensitivity) -> str:
    name = text.sentence_case(prior_words.quantity_name(context, one))
    return f"{name}, {context.labels[one.group]}" if one.group >= 0 else name
