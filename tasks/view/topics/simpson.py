"""Simpson's check: the slope over all rows, within groups, between groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, SimpsonCheck
from tasks.view.context import Context
from tasks.view.figures.simpson import Points, between_line, complete_line, simpson, within_lines
from tasks.view.records import Block, Cell, Column, Figure, Paragraph, Table
from tasks.view.selection import CLOUD_ROWS_LIMIT, PANEL_LIMIT, notable_groups, rule, thin
from tasks.view.summary.simpson import SimpsonSummary, simpson_of
from tasks.view.topic import Case, CheckSpec, Entry, Topic, how_to_read, worst_first
from tasks.view.topics.model_words import CONTEXT
from tasks.view.words import numbers, text
from tasks.view.words.numbers import with_unit

GUIDE = (
    "Grey dots are rows, diamonds are group averages. When groups differ in the predictor and in the outcome at once, "
    "the line through all rows follows the differences between groups and not what happens within them. A question "
    "about members of a group is answered by the slope within groups."
)

IN_TABLE = {"not within": "no slope within groups", "not comparable": "cannot be compared"}  # other cases as named


def _blocks(context: Context) -> tuple[Block, ...]:
    of_numbers = [context.findings.simpson[term - 1] for term in context.numeric_terms]
    return (
        *(_figure(context, term, check) for term, check in zip(context.numeric_terms, of_numbers, strict=True)),
        how_to_read(GUIDE),
        _table(context),
        *([Paragraph(" ".join(_beside_bayes(context, each) for each in of_numbers))] if of_numbers else []),
    )


def _figure(context: Context, term: int, check: SimpsonCheck) -> Figure:
    x, y = context.data.x[:, term - 1], context.data.y
    rows = thin(x, CLOUD_ROWS_LIMIT)
    shown = np.flatnonzero(context.has_rows)
    chosen = shown[notable_groups(context.findings.group_sizes[shown], context.bands[2].coef[shown, 0], PANEL_LIMIT)]
    row_groups, given = context.data.group_index[rows], context.given_unit(term)
    mean_x, mean_y = _group_means(context, x)[chosen], _group_means(context, y)[chosen]
    ends = np.array([x.min(), x.max()])
    lines = [
        within_lines(*_within(context, term, check, chosen, x), chosen),
        complete_line(ends, _pooled(context, term, ends)),
    ]
    has_between = bool(np.isfinite(check.between))
    if has_between:
        lines.append(between_line(*_between(context, term, check)))
    slopes = "over all rows, within groups" if has_between else "over all rows and within groups"
    outcome = f"{context.outcome} ({context.unit})" if context.unit else context.outcome
    name = context.terms[term]
    thinned = f" {rows.size:,} of {x.size:,} rows, evenly spaced in order of {name}." if rows.size < x.size else ""
    cut = " ".join(filter(None, [thinned, rule(len(chosen), context.n_groups), context.sample_note]))
    return Figure(
        id=f"figure-simpson-{term}",
        caption=(
            f"{text.sentence_case(outcome)} against {name}: rows, group means, and the slopes {slopes} (drawn through "
            f"each group’s mean){' and between group means' if has_between else ''}.{f' {cut.strip()}' if cut else ''}"
        ),
        alternative=_slopes_compared(context, check),
        spec=simpson(
            Points(x[rows], y[rows], row_groups, [context.labels[group] for group in row_groups]),
            Points(
                mean_x,
                mean_y,
                chosen,
                [_mean_of(context, int(group)) for group in chosen],
                [context.labels[group] for group in chosen],
            ),
            lines,
            x_title=f"{name} ({given})" if given else name,
            y_title=outcome,
        ),
        height=440,
    )


def _mean_of(context: Context, group: int) -> str:
    return f"{context.labels[group]}, n = {context.findings.group_sizes[group]:,}"


def _group_means(context: Context, values: Floats) -> Floats:
    """(J,) means of `values` by group; NaN for a group without rows to show."""
    index, n = context.data.group_index, context.n_groups
    sums = np.bincount(index, weights=values, minlength=n)
    return np.where(context.has_rows, sums / np.maximum(np.bincount(index, minlength=n), 1), np.nan)


def _pooled(context: Context, term: int, x: Floats) -> Floats:
    coef = context.findings.complete.coef
    return coef[0] + coef[term] * (x - context.raw_center(term)) / context.raw_scale(term)


def _within(context: Context, term: int, check: SimpsonCheck, chosen: np.ndarray, x: Floats) -> tuple[Floats, Floats]:
    """The within-group slope through each group's mean, over the group's range: (J, 2) each."""
    mean_x, mean_y = _group_means(context, x)[chosen], _group_means(context, context.data.y)[chosen]
    ranges = np.array([[x[rows].min(), x[rows].max()] for rows in map(context.rows_of, chosen)])
    slope = check.within / context.raw_scale(term)
    return ranges, mean_y[:, None] + slope * (ranges - mean_x[:, None])


def _between(context: Context, term: int, check: SimpsonCheck) -> tuple[Floats, Floats]:
    """The slope of the group means through the grand mean, over the range of the group means."""
    x, y = context.data.x[:, term - 1], context.data.y
    means = _group_means(context, x)
    ends = np.array([np.nanmin(means), np.nanmax(means)])
    return ends, y.mean() + check.between / context.raw_scale(term) * (ends - x.mean())


def _table(context: Context) -> Table:
    columns = (
        Column("Predictor", is_number=False),
        Column("Unit", is_number=False),
        Column("Over all rows", model="complete_pooling"),
        Column("Within groups"),
        Column("Between group means"),
        Column("Contextual effect"),
        Column("Judgement", is_number=False),
    )
    rows = tuple(row for k, check in enumerate(context.findings.simpson, 1) for row in _rows(context, k, check))
    note = (
        "Contextual effect: between less within, with its 95 % interval, tested where slopes may vary by group. Below "
        "each slope: its standard error, by a model in which levels alone vary."
    )
    return Table("table-simpson", "Three slopes of each predictor", columns, rows, note)


def _rows(context: Context, term: int, check: SimpsonCheck) -> tuple[tuple[Cell, ...], ...]:
    """Two rows of the table: per SD of the predictor, and per raw unit; one of a level, which has no other unit."""
    case = next(one.case for one in context.findings.judgements if one.name == f"{CHECK.kind}_{check.term}")
    judgement = IN_TABLE.get(case, case)
    name = context.compared(term)
    scales = [(context.raw_unit(term), context.raw_scale(term))]
    if not context.is_level(term):
        scales.insert(0, (context.term_unit(term), 1.0))
    return tuple((Cell(name), Cell(unit), *_slope_cells(check, scale), Cell(judgement)) for unit, scale in scales)


def _slope_cells(check: SimpsonCheck, scale: float) -> tuple[Cell, ...]:
    pairs = (
        (check.complete, check.complete_se),
        (check.within, check.within_se),
        (check.between, check.between_se),
    )
    places = _places(check, scale)
    cells = [_slope(value / scale, se / scale, places) for value, se in pairs]
    robust = check.complete_robust_se / scale
    if np.isfinite(robust):
        cells[0] = replace(cells[0], detail=f"{cells[0].detail}, clustered by group {numbers.fixed(robust, places)}")
    between = numbers.interval(check.contextual_lower / scale, check.contextual_upper / scale, places)
    known = bool(np.isfinite(check.contextual))
    return (*cells, Cell(numbers.fixed(check.contextual / scale, places), between if known else ""))


def _places(check: SimpsonCheck, scale: float) -> int:
    """Decimal places of every slope in one unit: what those over all rows and within groups support."""
    return numbers.common_decimals(np.array([check.complete_se, check.within_se]) / scale)


def _slope(value: float, se: float, places: int) -> Cell:
    return Cell(numbers.fixed(value, places), f"SE {numbers.fixed(se, places)}" if np.isfinite(se) else "")


def _found(context: Context, judged: Judgement) -> SimpsonCheck:
    return context.findings.simpson[context.position(judged.term) - 1]


def _slopes_compared(context: Context, check: SimpsonCheck) -> str:
    """`Over all rows the slope of age is 3.1 s per year; within groups it is -0.4 s per year.`"""
    term = context.position(check.term)
    name, unit, scale = context.slope_name(term), context.raw_unit(term), context.raw_scale(term)
    places = _places(check, scale)
    pooled = with_unit(numbers.fixed(check.complete / scale, places), unit)
    if not np.isfinite(check.within):
        return f"Over all rows the {name} is {pooled}; within groups there is none."
    within = with_unit(numbers.fixed(check.within / scale, places), unit)
    return f"Over all rows the {name} is {pooled}; within groups it is {within}."


def _beside_bayes(context: Context, check: SimpsonCheck) -> str:
    """Why the Bayesian slope of the average group is another number than the slope within groups."""
    term = context.position(check.term)
    fixef, scale = context.findings.bayes.fixef, context.raw_scale(term)
    slope = with_unit(numbers.fixed(float(fixef.mean[term]) / scale, _places(check, scale)), context.raw_unit(term))
    how = (
        "it is an average of slopes that may differ by group; the more they differ, the less the rows of a group count"
        if term in context.varying
        else "it leans on the differences between groups too, as far as they are less uncertain"
    )
    return (
        f"The {context.slope_name(term)} in the average group is {slope} by the Bayesian model. That is another "
        f"question than the one within all groups above: {how}."
    )


def _compared(conclusion: str) -> Callable[[Context, Judgement], str]:
    """A function that makes the message: both slopes with their unit, then `conclusion`."""
    return lambda context, judged: f"{_slopes_compared(context, _found(context, judged))} {conclusion}"


def _named(words: str) -> Callable[[Context, Judgement], str]:
    """A function that fills the name of the predictor into `words`."""

    def of(context: Context, judged: Judgement) -> str:
        return text.sentence_case(words.format(name=text.readable(judged.term)))

    return of


ADVICE = "Do not use complete pooling for this predictor; read the within-group slope."
STEP = _named("Do not ignore the groups when you ask about {name}: compare within groups.")
CHECK: CheckSpec[Context] = CheckSpec(
    kind="simpson",
    title="Simpson’s paradox",
    cases={
        "not within": Case(_named("{name} is the same throughout each group: there is no slope within groups.")),
        "not comparable": Case(_named("{name} goes too closely with other predictors for its slopes to be compared.")),
        "blend": Case(
            _compared(
                "It is a blend of the slope within groups and of differences between groups: quote the one within."
            )
        ),
        "agrees": Case(_compared("There is no clear sign that ignoring the groups misleads here.")),
        "misleading": Case(
            _compared(
                "Ignoring the groups would mislead (Simpson’s paradox): groups differ both in it and in the "
                "outcome, and only one of the two slopes differs from 0."
            ),
            ADVICE,
            STEP,
        ),
        "reversed": Case(
            _compared(
                "The sign turns round (Simpson’s paradox): groups differ both in it and in the outcome, and ignoring "
                "them would mislead."
            ),
            ADVICE,
            STEP,
        ),
    },
)


def _finding(context: Context) -> str:
    """What was found of numbers, and of the levels of categories where something was: these are many."""
    levels = {context.study.terms[term] for term in range(1, len(context.terms)) if context.is_level(term)}
    told = worst_first(context, [CHECK, CONTEXT], lambda judged: judged.term not in levels or judged.status != "pass")
    is_quiet = levels and all(one.status == "pass" for one in context.findings.judgements if one.term in levels)
    return f"{told} {NO_LEVEL}".strip() if is_quiet else told


NO_LEVEL = "For no level of a category is there a clear sign that ignoring the groups misleads."
TOPIC = Topic(
    id="simpson",
    title="Simpson’s paradox: within groups and over all rows",
    finding=_finding,
    blocks=_blocks,
    sources=("simpson", "screening", "fits"),
    guide=(GUIDE,),
    checks=(CHECK, CONTEXT),
    is_shown=lambda context: bool(context.findings.simpson),
    summary=(
        Entry(
            "simpson",
            list[SimpsonSummary],
            "Simpson's paradox, one entry per predictor",
            lambda context: simpson_of(context.findings.simpson),
        ),
    ),
)
