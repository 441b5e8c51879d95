"""Posterior predictive checks and leave-one-out."""

from __future__ import annotations

import numpy as np

from tasks.view import guides, numbers, prediction_words, text, wording
from tasks.view.context import Context
from tasks.view.figures import intervals, scatter
from tasks.view.figures.held_out import pit_ecdf
from tasks.view.figures.histograms import replicated
from tasks.view.figures.style import ALERT, MODELS, NEUTRAL, Shown, Spec, axis, hover_estimate
from tasks.view.records import Block, Cell, Column, Figure, Fold, Panel, Panels, Paragraph, Section, Table
from tasks.view.selection import FIGURE_LIMIT, notable_groups, rule

ID = "predictive"


def section(context: Context) -> Section:
    blocks: tuple[Block, ...] = (
        _statistics(context),
        _statistics_table(context),
        _medians(context),
        *_calibration(context),
        _pareto(context),
        Fold("How to read this", (Paragraph(guides.PREDICTIVE), Paragraph(guides.PIT))),
        _loo_table(context),
    )
    return Section(ID, "Could the model have produced these data?", wording.predictive_finding(context), blocks)


def _statistics(context: Context) -> Panels:
    check = context.findings.predictive
    panels = tuple(
        Panel(
            id=f"panel-statistic-{number}",
            title=text.sentence_case(statistic.name),
            detail=f"p = {numbers.fixed(statistic.posterior_predictive_p_value, 3)}",
            alternative=(
                f"{statistic.name}: observed {numbers.significant(statistic.observed, 4)}, replicates from "
                f"{numbers.significant(float(statistic.replicated.min()), 4)} to "
                f"{numbers.significant(float(statistic.replicated.max()), 4)}."
            ),
            spec=replicated(statistic.replicated, statistic.observed),
        )
        for number, statistic in enumerate(check.overall)
    )
    caption = f"Statistics of {check.n_replicates:,} replicated data sets (green) and of the data (red line)."
    caption = f"{caption} {context.sample_note}".strip()
    return Panels("panels-statistics", caption, panels)


def _statistics_table(context: Context) -> Table:
    columns = (
        Column("Statistic", is_number=False),
        Column("Observed"),
        Column("Replicates, middle 95 %"),
        Column("Posterior predictive p"),
    )
    rows = tuple(
        (
            Cell(text.sentence_case(statistic.name)),
            Cell(numbers.fixed(statistic.observed, places)),
            Cell(numbers.interval(low, high, places)),
            Cell(numbers.fixed(statistic.posterior_predictive_p_value, 3)),
        )
        for statistic in context.findings.predictive.overall
        for low, high in [np.quantile(statistic.replicated, [0.025, 0.975]).tolist()]
        for places in [numbers.decimals_for((high - low) / 4)]
    )
    note = "p: share of the replicates above the observed value; values near 0 or 1 are surprising."
    return Table("table-statistics", "Posterior predictive checks", columns, rows, note)


def _medians(context: Context) -> Figure:
    check, shown = context.findings.predictive, np.flatnonzero(context.has_rows)
    sizes = context.findings.group_sizes[shown]
    chosen = shown[notable_groups(sizes, check.group_median_observed[shown], FIGURE_LIMIT)]
    observed, lower = check.group_median_observed[chosen], check.group_median_lower[chosen]
    upper, blank = check.group_median_upper[chosen], np.full(chosen.size, np.nan)
    series = [
        intervals.Series("Replicates, middle 95 %", MODELS["bayes"].color, "square", blank, lower, upper, 6),
        intervals.Series("Observed median", ALERT, "circle", observed, blank, blank),
    ]
    unit = f" ({context.unit})" if context.unit else ""
    notes = " ".join(filter(None, [rule(len(chosen), context.n_groups), context.sample_note]))
    return Figure(
        id="figure-medians",
        caption=f"Each group’s median within what the model expects of it. {notes}".strip(),
        alternative=(
            f"{check.n_groups_outside:,} of {sizes.size:,} groups have a median outside the band; "
            f"up to {check.n_groups_outside_limit:,} would be chance."
        ),
        spec=_with_hover(
            intervals.interval_plot(
                [context.labels[j] for j in chosen],
                series,
                x_title=f"median {context.outcome}{unit}",
                together=True,
                groups=chosen,
            ),
            hover_estimate(
                context.findings.group_sizes[chosen],
                Shown(lower, upper, context.unit, "observed median", "x", "middle 95&nbsp;% of the replicates"),
            ),
        ),
        height=intervals.height(len(chosen), 1),
    )


def _with_hover(spec: Spec, hover: Spec) -> Spec:
    """The last trace's points tell their own story."""
    *others, points = spec["data"]
    return {**spec, "data": [*others, {**points, **hover}]}


def _calibration(context: Context) -> tuple[Block, ...]:
    found = context.findings.loo_pit
    if found is None:
        return ()
    largest = int(np.argmax(np.abs(found.difference)))
    outside = round(found.share_outside * found.at.size)
    figure = Figure(
        id="figure-pit",
        caption=(
            f"Are predictions of single rows calibrated? ECDF of {found.n_values:,} LOO-PIT values, less the ideal "
            f"one, with the band that holds all of it with probability {numbers.percent(found.band_probability)}. "
            f"{context.sample_note}"
        ).strip(),
        alternative=(
            f"{outside} of {found.at.size} points of the curve lie outside the band; it is farthest from 0 at "
            f"{found.at[largest]:.2f}, by {numbers.fixed(float(found.difference[largest]), 3)}."
        ),
        spec=pit_ecdf(found),
        height=300,
    )
    return figure, Paragraph(prediction_words.PIT_WORDS[found.shape])


def _pareto(context: Context) -> Figure:
    loo = context.findings.bayes.loo
    used, total = loo.n_rows_used, context.findings.run.n_rows
    sample = f" Of a random {used:,} of {total:,} rows." if used < total else ""
    groups = context.data.group_index[loo.rows]
    return Figure(
        id="figure-pareto",
        caption=f"Pareto k of each row, against its position in the data; the line is the limit.{sample}",
        alternative=(
            f"The highest Pareto k is {loo.pareto_k_max:.2f}; {loo.n_high_pareto_k:,} of {loo.n_rows_used:,} rows lie "
            f"above {loo.pareto_k_threshold:.2f}."
        ),
        spec=scatter.scatter(
            loo.rows.astype(float) + 1,
            loo.pareto_k,
            names=[context.labels[j] for j in groups],
            color=NEUTRAL,
            x_axis=axis("row"),
            y_axis=axis("Pareto k"),
            threshold=loo.pareto_k_threshold,
            groups=groups,
        ),
        height=300,
    )


def _loo_table(context: Context) -> Table:
    loo = context.findings.bayes.loo
    columns = (Column("Leave one row out", is_number=False), Column("Value"))
    entries = (
        ("Expected log predictive density (elpd)", numbers.estimate(loo.elpd_loo, loo.se)),
        ("Its standard error", numbers.significant(loo.se, 2)),
        ("Effective number of parameters", numbers.fixed(loo.p_loo, 1)),
        ("Highest Pareto k", numbers.fixed(loo.pareto_k_max, 2)),
        ("Limit of Pareto k", numbers.fixed(loo.pareto_k_threshold, 2)),
        ("Rows above the limit", numbers.count(loo.n_high_pareto_k)),
        ("Rows used", f"{loo.n_rows_used:,} of {context.findings.run.n_rows:,}"),
    )
    note = "PSIS-LOO: predicts a new row of a known group."
    rows = tuple((Cell(name), Cell(value)) for name, value in entries)
    return Table("table-loo", "Predictive accuracy of the Bayesian model", columns, rows, note)
