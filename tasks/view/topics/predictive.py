"""Posterior predictive checks and leave-one-out."""

from __future__ import annotations

import numpy as np

from tasks.stats.judged.predictive import statistics_off
from tasks.stats.judgement import Judgement
from tasks.stats.records import Integers
from tasks.view.context import Context
from tasks.view.figures import intervals, scatter
from tasks.view.figures.densities import HEIGHT, density_overlay
from tasks.view.figures.held_out import pit_ecdf
from tasks.view.figures.histograms import replicated
from tasks.view.figures.style import MODELS, NEUTRAL, Shown, Spec, axis, hover_estimate
from tasks.view.records import Block, Cell, Column, Figure, Panel, Panels, Paragraph, Table
from tasks.view.rows_on_demand import figure_of_rows
from tasks.view.selection import ROWS_LIMIT, notable_groups, rule
from tasks.view.summary.loo_pit import LooPitSummary, loo_pit_of
from tasks.view.summary.predictive import PredictiveSummary, predictive_of
from tasks.view.topic import Case, CheckSpec, Entry, Topic, how_to_read, is_asking, messages, worst_first
from tasks.view.topics.pit_words import CURVES, PIT, PIT_GUIDE
from tasks.view.words import numbers, text
from tasks.view.words.numbers import plural, with_unit

GUIDE = (
    "The model is asked to invent data of the same size many times. If the real data (heavy line) lie well within what "
    "it invents, the model has learnt their shape; if not, it has missed something. In the first figure the heavy line "
    "is high where many rows lie: above the green band there are more of them than the model makes, below it fewer. At "
    "single places chance may do this. Pareto k does the same for single rows: a value above the line marks a row that "
    "the model finds very surprising."
)


def _blocks(context: Context) -> tuple[Block, ...]:
    return (
        _density(context),
        _statistics(context),
        _statistics_table(context),
        _medians(context),
        *_calibration(context),
        _pareto(context),
        how_to_read(GUIDE, PIT_GUIDE),
        _loo_table(context),
    )


def _density(context: Context) -> Figure:
    found, total = context.findings.predictive_density, context.findings.run.n_rows
    unit = f" ({context.unit})" if context.unit else ""
    peaks = [numbers.significant(float(found.grid[np.argmax(each)]), 3) for each in (found.observed, found.median)]
    beyond = f"{plural(found.n_beyond, 'row')} beyond the picture." if found.n_beyond else ""
    sample = f"Of a random {found.n_rows:,} of {total:,} rows." if found.n_rows < total else ""
    caption = (
        f"How {context.outcome} is spread in the data, and in {found.n_replicates:,} data sets that the model made "
        "(densities, smoothed alike; dashed: their median)."
    )
    return Figure(
        id="figure-density",
        caption=" ".join(filter(None, [caption, beyond, sample])),
        alternative=(
            f"The density of the data is highest near {peaks[0]}, that of the model’s data sets near "
            f"{with_unit(peaks[1], context.unit)}."
        ),
        spec=density_overlay(found, x_title=f"{context.outcome}{unit}"),
        height=HEIGHT,
    )


def _measured_in(context: Context, statistic: str) -> str:
    return "value" if statistic == "skewness" or not context.unit else context.unit


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
            spec=replicated(statistic.replicated, statistic.observed, x_title=_measured_in(context, statistic.name)),
        )
        for number, statistic in enumerate(check.overall)
    )
    caption = f"Statistics of {check.n_replicates:,} replicated data sets (green) and of the data (heavy line)."
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
    chosen = shown[notable_groups(sizes, check.group_median_observed[shown], ROWS_LIMIT)]
    notes = " ".join(filter(None, [rule(len(chosen), context.n_groups), context.sample_note]))
    return figure_of_rows(
        lambda groups: _medians_of(context, groups),
        chosen,
        shown,
        id="figure-medians",
        caption=f"Each group’s median within what the model expects of it. {notes}".strip(),
        alternative=messages(context, [MEDIANS]),
    )


def _medians_of(context: Context, groups: Integers) -> Spec:
    """The highest median first."""
    check = context.findings.predictive
    groups = groups[np.argsort(-check.group_median_observed[groups], kind="stable")]
    observed, lower = check.group_median_observed[groups], check.group_median_lower[groups]
    upper, blank = check.group_median_upper[groups], np.full(groups.size, np.nan)
    series = [
        intervals.Series("Replicates, middle 95 %", MODELS["bayes"].color, "square", blank, lower, upper, 4),
        intervals.Series("Observed median", "", "circle", observed, blank, blank),
    ]
    plot = intervals.interval_plot(
        [context.labels[j] for j in groups],
        series,
        x_title=f"median {context.outcome}{f' ({context.unit})' if context.unit else ''}",
        together=True,
        groups=groups,
    )
    shown = Shown(lower, upper, context.unit, "observed median", "x", "middle 95&nbsp;% of the replicates")
    hover = hover_estimate(context.findings.group_sizes[groups], shown)
    is_median = [trace.get("name") == "Observed median" and "hovertemplate" in trace for trace in plot["data"]]
    told = [trace | hover if median else trace for trace, median in zip(plot["data"], is_median, strict=True)]
    return {**plot, "data": told}


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
            f"{outside} of {found.at.size} points of the curve {numbers.be(outside, 'lies', 'lie')} outside the "
            f"band; it is farthest from 0 at {found.at[largest]:.2f}, by "
            f"{numbers.fixed(float(found.difference[largest]), 3)}."
        ),
        spec=pit_ecdf(found),
        height=300,
    )
    return figure, Paragraph(f"{CURVES[found.shape]} {messages(context, [PIT])}")


def _pareto(context: Context) -> Figure:
    loo = context.findings.bayes.loo
    used, total = loo.n_rows_used, context.findings.run.n_rows
    sample = f" Of a random {used:,} of {total:,} rows." if used < total else ""
    groups = context.data.group_index[loo.rows]
    return Figure(
        id="figure-pareto",
        caption=f"Pareto k of each row, against its position in the data; the line is the limit.{sample}",
        alternative=(
            f"The highest Pareto k is {loo.pareto_k_max:.2f}; {loo.n_high_pareto_k:,} of {loo.n_rows_used:,} rows "
            f"{numbers.be(loo.n_high_pareto_k, 'lies', 'lie')} above {loo.pareto_k_threshold:.2f}."
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


def _off(context: Context, judged: Judgement) -> str:
    off = statistics_off(context.findings.predictive, context.study.thresholds.predictive_tail)
    names = numbers.listed(one.name for one in off)
    return f"Data simulated from the Bayesian model do not reproduce the {names} of the data."


def _medians_outside(context: Context, judged: Judgement) -> str:
    found = context.findings.predictive
    verb = "has" if found.n_groups_outside == 1 else "have"
    return (
        f"{found.n_groups_outside:,} of {plural(found.n_groups_compared, 'group')} {verb} a median outside what the "
        f"model expects of it. {_by_chance(context)}"
    )


def _missed(context: Context, judged: Judgement) -> str:
    found = context.findings.predictive
    return (
        f"The model misses groups: {found.n_groups_outside:,} of {found.n_groups_compared:,} have a median outside "
        f"what it expects of them. {_by_chance(context)}"
    )


def _by_chance(context: Context) -> str:
    found = context.findings.predictive
    return (
        "Few are to be expected, as the model has seen these rows; more than "
        f"{found.n_groups_outside_limit:,} would say that it misses groups."
    )


def _odd_rows(context: Context, judged: Judgement) -> str:
    found = context.findings.bayes.loo
    are, them = ("is", "it") if found.n_high_pareto_k == 1 else ("are", "them")
    return (
        f"{found.n_high_pareto_k:,} of {found.n_rows_used:,} rows looked at {are} so unusual for the model that its "
        f"predictive score hangs on {them}."
    )


def _oddest_row(context: Context, judged: Judgement) -> str:
    """Names the row that the model finds oddest, by its group and outcome."""
    loo = context.findings.bayes.loo
    row = loo.rows[int(np.argmax(loo.pareto_k))]
    group = context.named(int(context.data.group_index[row]))
    value = with_unit(numbers.significant(float(context.data.y[row]), 4), context.unit)
    rest = f", and {plural(loo.n_high_pareto_k - 1, 'more row')} like it" if loo.n_high_pareto_k > 1 else ""
    return f"Look at the row of {group} with {context.outcome} {value}{rest}: it is far from what was expected."


STATISTICS: CheckSpec[Context] = CheckSpec(
    kind="posterior_predictive",
    title="Simulated data look like the data",
    measure="least p {value}, at least {limit}",
    cases={
        "alike": Case("Data simulated from the Bayesian model look like the data: median, skewness and extremes."),
        "off": Case(_off, "Averages and group estimates can still hold; do not use the model to predict single rows."),
    },
)
MEDIANS: CheckSpec[Context] = CheckSpec(
    kind="predictive_groups",
    title="Simulated groups look like the groups",
    measure="groups off: {value}, at most {limit}",
    cases={
        "alike": Case(_medians_outside),
        "missed": Case(
            _missed,
            "Rows within groups are not spread as the model assumes. Look at those groups’ rows before using "
            "estimates.",
        ),
    },
)
PARETO_K: CheckSpec[Context] = CheckSpec(
    kind="pareto_k",
    title="Influential rows (Pareto k)",
    measure="highest {value}, at most {limit}",
    cases={
        "none": Case("No single row decides the predictive score."),
        "some": Case(
            _odd_rows,
            "Look at the unusual rows: mistakes, or a spread that the model does not know of.",
            _oddest_row,
        ),
    },
)


def _finding(context: Context) -> str:
    found = worst_first(context, [STATISTICS, MEDIANS])
    if is_asking(context, [PIT]) and not is_asking(context, [STATISTICS, MEDIANS]):
        return f"The data look like the model’s as a whole, but not row by row. {found}"
    return found


TOPIC = Topic(
    id="predictive",
    title="Could the model have produced these data?",
    finding=_finding,
    blocks=_blocks,
    sources=("predictive", "fits", "loo_pit"),
    guide=(GUIDE, PIT_GUIDE),
    checks=(PARETO_K, STATISTICS, MEDIANS, PIT),
    summary=(
        Entry(
            "predictive",
            PredictiveSummary,
            "Posterior predictive checks",
            lambda context: predictive_of(context.findings.predictive, context.findings.labels),
        ),
        Entry(
            "loo_pit",
            LooPitSummary | None,
            (
                "Calibration of the Bayesian model's predictions of single rows: ECDF of LOO-PIT values less the "
                "uniform one; null below ten rows"
            ),
            lambda context: loo_pit_of(context.findings.loo_pit),
        ),
    ),
)
