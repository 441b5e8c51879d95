"""The rows of a measured outcome, by group: each of them, or sizes and medians; groups without a fit of their own."""

from __future__ import annotations

import numpy as np

from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, Integers
from tasks.stats.rows.group_quantiles import group_quantiles
from tasks.view.context import Context
from tasks.view.figures import scatter
from tasks.view.figures.strips import Strips, height, strip_plot
from tasks.view.figures.style import NEUTRAL, Shown, axis, hover_estimate
from tasks.view.records import Figure
from tasks.view.selection import PANEL_LIMIT, PANEL_ROWS_LIMIT, thin
from tasks.view.topic import Case, CheckSpec
from tasks.view.topics.data import data_topic, sizes_figure
from tasks.view.words import numbers, text
from tasks.view.words.numbers import plural


def rows_by_group(context: Context) -> tuple[Figure, ...]:
    """Every group's rows if there are few groups; else the sizes and the medians of all groups."""
    if context.n_groups <= PANEL_LIMIT:
        return (_strips(context),)
    sizes = context.findings.group_sizes
    return (*((sizes_figure(context),) if sizes.min() < sizes.max() else ()), _medians(context))


def _strips(context: Context) -> Figure:
    shown = np.flatnonzero(context.has_rows)
    order = shown[np.argsort(-context.findings.group_sizes[shown], kind="stable")]
    values = [context.data.y[context.rows_of(int(group))] for group in order]
    drawn = [own[thin(own, PANEL_ROWS_LIMIT)] for own in values]
    sizes = context.findings.group_sizes[order].tolist()
    quartiles = _quartiles(context)[order]
    names = [context.labels[group] for group in order]
    return Figure(
        id="figure-rows",
        caption=_strips_caption(context, order.size, max(own.size for own in values)),
        alternative=_medians_in_words(context, order, quartiles[:, 1]),
        spec=strip_plot(Strips(names, sizes, order, drawn, quartiles), _outcome(context), context.unit),
        height=height(order.size),
    )


def _strips_caption(context: Context, n_shown: int, most_rows: int) -> str:
    """What is drawn, and of which rows."""
    sizes = context.findings.group_sizes
    order = "" if sizes.min() == sizes.max() else "; groups with the most rows first"
    parts = [
        f"{text.sentence_case(_outcome(context))} as it came, by {context.group}{order}. A dot is a row, the diamond "
        "the median, the bar the middle half of the rows; up and down within a strip means nothing.",
        f"At most {PANEL_ROWS_LIMIT} rows a group are drawn, evenly spaced in order; medians and bars are of all."
        if most_rows > PANEL_ROWS_LIMIT
        else "",
        f"{numbers.plural(context.n_groups - n_shown, 'group')} without a row in the sample left out."
        if n_shown < context.n_groups
        else "",
        context.sample_note,
    ]
    return " ".join(filter(None, parts))


def _outcome(context: Context) -> str:
    return f"{context.outcome} ({context.unit})" if context.unit else context.outcome


def _quartiles(context: Context) -> Floats:
    """(J, 3) quartiles of the outcome by group."""
    found = context.data
    return group_quantiles(found.y, found.group_index, context.n_groups, np.array([0.25, 0.5, 0.75]))


def _medians_in_words(context: Context, groups: Integers, medians: Floats) -> str:
    low, high = int(np.argmin(medians)), int(np.argmax(medians))
    values = [numbers.with_unit(numbers.significant(float(medians[k])), context.unit) for k in (low, high)]
    return (
        f"Medians of {context.outcome} by {context.group} run from {values[0]} ({context.named(int(groups[low]))}) to "
        f"{values[1]} ({context.named(int(groups[high]))})."
    )


def _medians(context: Context) -> Figure:
    """A point per group: its median against its number of rows, or in order of the median if all have as many rows."""
    quartiles = _quartiles(context)
    shown = np.flatnonzero(context.has_rows)
    same = np.ptp(context.findings.group_sizes) == 0
    if same:
        shown = shown[np.argsort(quartiles[shown, 1], kind="stable")]
    sizes = context.findings.group_sizes[shown]
    x = np.arange(1.0, sizes.size + 1) if same else sizes.astype(float)
    x_axis = (
        axis(f"groups in order ({plural(int(sizes[0]), 'row')} each)")
        if same
        else scatter.size_axis(x, "rows in the group")
    )
    low, medians, high = quartiles[shown].T
    hover = hover_estimate(sizes, Shown(low, high, context.unit, "median", interval="middle half"))
    against = "in order" if same else "against its number of rows"
    return Figure(
        id="figure-group-medians",
        caption=f"Median {_outcome(context)} of each group {against}. {context.sample_note}".strip(),
        alternative=_medians_in_words(context, shown, medians),
        spec=scatter.scatter(
            x,
            medians,
            names=[context.labels[group] for group in shown],
            color=NEUTRAL,
            x_axis=x_axis,
            y_axis=axis(_outcome(context)),
            groups=shown,
            hover=hover,
        ),
        height=340,
    )


def _gaps(context: Context, judged: Judgement) -> str:
    own = context.findings.no_pooling
    unfitted = int((~own.is_fitted).sum())
    without_interval = sum(map(bool, own.gap)) - unfitted
    parts = [
        f"{unfitted} of {plural(own.n.size, 'group')} cannot carry a fit of {'its' if unfitted == 1 else 'their'} own"
        if unfitted
        else "",
        _of_its_own(without_interval, own.n.size, is_first=not unfitted) if without_interval else "",
    ]
    smallest = plural(int(own.n.min()), "row")
    return f"{' and '.join(filter(None, parts))}; the smallest group has {smallest}."


def _of_its_own(n: int, n_groups: int, *, is_first: bool) -> str:
    if not is_first:
        return f"{n} {'has' if n == 1 else 'have'} one without an interval"
    which, whose = f"{n} of {plural(n_groups, 'group')}", "its" if n == 1 else "their"
    return f"{which} {'has a fit' if n == 1 else 'have fits'} of {whose} own without an interval"


GROUP_SIZES: CheckSpec[Context] = CheckSpec(
    kind="group_sizes",
    title="Size of groups",
    measure="rows of the smallest: {value}",
    cases={
        "all fitted": Case("Every group can carry a fit of its own."),
        "gaps": Case(
            _gaps,
            "Their no-pooling estimates are gaps, on purpose. Use a pooled estimate for them.",
            "Do not compare the smallest groups by their own rows alone.",
        ),
    },
)
TOPIC = data_topic(rows_by_group, GROUP_SIZES)
