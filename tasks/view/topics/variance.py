"""How much groups differ, and how far pooling moves them: variance components, ICC, R², shrinkage."""

from __future__ import annotations

import numpy as np

from tasks.stats.fits.intervals import Z_95
from tasks.stats.judged.recommended import WithInterval
from tasks.stats.records import MedianEstimate
from tasks.view.context import Context
from tasks.view.figures import intervals
from tasks.view.figures.style import MODELS
from tasks.view.records import Block, Cell, Column, Figure, Paragraph, Table
from tasks.view.summary.r_squared import RSquaredSummary, r_squared_of
from tasks.view.summary.variance_components import VarianceComponentsSummary, variance_components_of
from tasks.view.topic import Entry, Topic, how_to_read, messages
from tasks.view.topics import moved_words, shrinkage
from tasks.view.topics.model_words import GROUP_EFFECTS
from tasks.view.words import numbers
from tasks.view.words.numbers import fixed, interval, percent, with_unit

GUIDE = (
    "A standard deviation says how far things typically lie from their average. REML gives one value for each; Bayes "
    "also says how uncertain it is."
)
MEDIANS = "Bayes: posterior medians, as these posteriors are skewed."


def _blocks(context: Context) -> tuple[Block, ...]:
    return (
        *shrinkage.ways(context),
        _components_figure(context),
        how_to_read(GUIDE, shrinkage.GUIDE),
        Paragraph(moved_words.finding(context)),
        _components_table(context),
        *shrinkage.shrinkage_figures(context),
        *shrinkage.moved(context),
        *((shrinkage.shrinkage_table(context),) if shrinkage.differs(context) else ()),
    )


def _names(context: Context) -> list[str]:
    return [*(f"Groups: {context.term_name(term)}" for term in context.varying), "Rows within groups"]


def _components_figure(context: Context) -> Figure:
    found = context.findings.variance_components
    blank = np.full(found.reml_sd.shape, np.nan)
    part, bayes = MODELS["partial_pooling"], MODELS["bayes"]
    sd = found.bayes_sd
    series = [
        intervals.Series("REML", part.color, part.symbol, found.reml_sd, blank, blank),
        intervals.Series("Bayes, 95 % interval", bayes.color, bayes.symbol, sd.median, sd.lower, sd.upper, 3),
    ]
    names = _names(context)
    return Figure(
        id="figure-components",
        caption=f"Standard deviations between groups and within them{_slopes_note(context)}.",
        alternative=_finding(context),
        spec=intervals.interval_plot(
            names, series, x_title=f"standard deviation{_in(context.unit)}", unit=context.unit
        ),
        height=intervals.height(len(names), 2),
    )


def _slopes_note(context: Context) -> str:
    return " (slopes: per SD of the predictor)" if any(context.varying) else ""


def _in(unit: str) -> str:
    return f" ({unit})" if unit else ""


def _components_table(context: Context) -> Table:
    found, names = context.findings.variance_components, _names(context)
    units = [*(context.term_unit(term) for term in context.varying), context.unit]
    columns = (
        Column("Standard deviation", is_number=False),
        Column("Unit", is_number=False),
        Column("REML", model="partial_pooling"),
        Column("Bayes", model="bayes"),
        Column("95 % interval", model="bayes"),
    )
    rows = []
    for k, (name, unit) in enumerate(zip(names, units, strict=True)):
        places = numbers.decimals_for(float(found.bayes_sd.sd[k]))
        rows.append(_row(name, unit or "–", float(found.reml_sd[k]), found.bayes_sd, k, places))
    for k, term in enumerate(context.varying):
        if term:
            rows.append(_raw_row(context, term, k))
    icc = found.icc_bayes
    share = [numbers.percent(float(value)) for value in (found.icc_reml, icc.median, icc.lower, icc.upper)]
    rows.append((Cell("ICC"), Cell("share"), Cell(share[0]), Cell(share[1]), Cell(f"{share[2]} to {share[3]}")))
    rows += _r_squared(context)
    rows += _correlations(context)
    note = f"{MEDIANS} ICC: share of the variation that lies between groups, at the predictors’ averages. "
    note += "R²: share of the variance that the predictors account for, alone and together with the groups."
    if context.findings.answer is not None:
        note += " Both columns are of the plain model, without what was found missing."
    if len(context.varying) > 1:
        note += " Correlations, too, are at the predictors’ averages and would differ elsewhere."
    return Table("table-components", "Variance components", columns, tuple(rows), note)


def _r_squared(context: Context) -> list[tuple[Cell, ...]]:
    """Table rows: marginal R², where there are predictors, and conditional R²."""
    found, rows = context.findings.r_squared, list[tuple[Cell, ...]]()
    each = (
        ("R² of the predictors (marginal)", found.marginal_reml, found.marginal),
        ("R² with the groups (conditional)", found.conditional_reml, found.conditional),
    )
    for name, reml, bayes in each[len(context.terms) == 1 :]:
        shown = [numbers.percent(float(value)) for value in (reml, bayes.median, bayes.lower, bayes.upper)]
        rows.append((Cell(name), Cell("share"), Cell(shown[0]), Cell(shown[1]), Cell(f"{shown[2]} to {shown[3]}")))
    return rows


def _correlations(context: Context) -> list[tuple[Cell, ...]]:
    """Table rows: the correlation of each pair of group effects, from -1 to 1."""
    reml, bayes, names = context.findings.fullest.correlation, context.findings.bayes.correlation, context.varying
    return [
        (
            Cell(f"Correlation: {context.term_name(names[m])}, {context.term_name(names[k])}"),
            Cell("–"),
            Cell(numbers.fixed(float(reml[k, m]), 2)),
            Cell(numbers.fixed(float(bayes.median[k, m]), 2)),
            Cell(numbers.interval(float(bayes.lower[k, m]), float(bayes.upper[k, m]), 2)),
        )
        for k in range(len(names))
        for m in range(k)
    ]


def _raw_row(context: Context, term: int, k: int) -> tuple[Cell, ...]:
    """A table row: the SD of a slope between groups, per raw unit of its predictor."""
    found, scale = context.findings.variance_components, context.raw_scale(term)
    sd = found.bayes_sd
    raw = MedianEstimate(*(part / scale for part in (sd.mean, sd.sd, sd.lower, sd.upper, sd.median)))
    places = numbers.decimals_for(float(raw.sd[k]))
    return _row(_names(context)[k], context.raw_unit(term), float(found.reml_sd[k]) / scale, raw, k, places)


def _row(name: str, unit: str, reml: float, sd: MedianEstimate, k: int, places: int) -> tuple[Cell, ...]:
    median, lower, upper = (float(getattr(sd, part)[k]) for part in ("median", "lower", "upper"))
    shown = [numbers.fixed(reml, places), numbers.fixed(median, places), numbers.interval(lower, upper, places)]
    return (Cell(name), Cell(unit), *(Cell(value) for value in shown))


def _finding(context: Context) -> str:
    """By the recommended model, as the first screen has it."""
    quoted = context.quoted
    between = with_unit(_rounded(quoted.sigma_group, 0), context.difference_unit)
    within = with_unit(_rounded(quoted.sigma, ()), context.difference_unit)
    share = (percent(float(part)) for part in (quoted.icc.estimate, quoted.icc.lower, quoted.icc.upper))
    slopes = "".join(_slope_spread(context, term) for term in context.varying if term)
    checks = messages(context, [GROUP_EFFECTS])
    found, lower, upper = share
    return (
        f"Groups typically lie {between} from the average group: {found} of the variation lies between groups. "
        f"The 95 % interval of this share (ICC) is {lower} to {upper}. Rows typically lie {within} from their group’s "
        f"expectation.{slopes}{f' {checks}' if checks else ''}"
    )


def _rounded(found: WithInterval, position: int | tuple[()]) -> str:
    value, lower, upper = (float(part[position]) for part in (found.estimate, found.lower, found.upper))
    return numbers.rounded(value, (upper - lower) / (2.0 * Z_95))


def _slope_spread(context: Context, term: int) -> str:
    """How much one slope differs between groups, per raw unit."""
    sd, position, scale = context.quoted.sigma_group, context.varying.index(term), context.raw_scale(term)
    value, lower, upper = (float(part[position]) / scale for part in (sd.estimate, sd.lower, sd.upper))
    places = numbers.decimals_for((upper - lower) / (2.0 * Z_95))
    size = with_unit(fixed(value, places), context.raw_unit(term))
    name, ends = context.term_name(term), interval(lower, upper, places)
    tested = {one.term: one.case for one in context.findings.judgements if one.kind == "variance_component"}
    if tested.get(context.findings.terms[term]) == "not shown":
        return f" The {name} may not differ at all; if it does, typically by about {size} (95 % interval {ends})."
    return f" The {name} differs by about {size} (95 % interval {ends})."


TOPIC = Topic(
    id="variance",
    title="How much groups differ, and how far they are pooled",
    finding=_finding,
    blocks=_blocks,
    sources=(
        "overview",
        "variance_components",
        "r_squared",
        "screening",
        "likelihood_ratio_test",
        "likelihood_profiles",
        "fits",
    ),
    guide=(GUIDE, shrinkage.GUIDE),
    checks=(GROUP_EFFECTS,),
    summary=(
        Entry(
            "variance_components",
            VarianceComponentsSummary,
            "Where the variation lies",
            lambda context: variance_components_of(context.findings.variance_components),
        ),
        Entry(
            "r_squared",
            RSquaredSummary,
            "How much of the variance the mixed model accounts for",
            lambda context: r_squared_of(context.findings.r_squared),
        ),
    ),
)
