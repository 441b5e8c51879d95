"""The first screen's figure: the groups' recommended estimates in order, with their intervals and the average.

Only groups that can be told from the average are coloured.
"""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Integers
from tasks.view.answers import apart_from_average, average_in_words, average_of_groups, groups_differ
from tasks.view.context import Bands, Context
from tasks.view.figures import intervals
from tasks.view.figures.style import (
    MODELS,
    NEUTRAL,
    Shown,
    Spec,
    axis,
    grouped,
    horizontal,
    hover_estimate,
    layout,
    legend_above,
    numbers,
    padded,
    segments,
    spec,
)
from tasks.view.figures.style import text as shown_text
from tasks.view.records import Figure
from tasks.view.words import numbers as words
from tasks.view.words.numbers import plural

MOST_NAMED = 25  # groups that have a row of their own
HEIGHT = 320  # of more groups, side by side
MOST_WHISKERS = 400
MOST_POINTS = 800  # of those alike, evenly spaced in order; the ribbon holds the others
APART, CLOSE = "clearly above or below the average", "too close to call"


def hero(context: Context) -> Figure:
    """Of every group, whatever their number."""
    bands, apart = _bands(context), _apart(context)
    order = np.argsort(-bands.coef[:, 0], kind="stable")
    order = order[np.isfinite(bands.coef[order, 0])]
    draw = _named if order.size <= MOST_NAMED else _side_by_side
    n_apart = int(apart[order].sum())
    whose = "Each group’s own mean" if context.findings.recommended is None else "Each group’s estimate"
    alternative = (
        f"{whose} of {context.outcome} with its 95 % interval, highest first; the average is "
        f"{average_in_words(context)}. "
        f"{plural(n_apart, 'group')} of {order.size:,} {words.be(n_apart)} clearly above or below it."
    )
    return Figure(
        id="figure-hero",
        caption=f"{whose} with its 95 % interval. Dotted: the average group. Grey: too close to call.",
        alternative=alternative,
        spec=draw(context, bands, order, apart),
        height=intervals.height(order.size, 1) - 30 if draw is _named else HEIGHT,
    )


def _bands(context: Context) -> Bands:
    """What is quoted; the groups' own means where no model can be trusted."""
    return context.bands[0] if context.findings.recommended is None else context.recommended


def _apart(context: Context) -> np.ndarray:
    """(J,) whether a group can be told from the average."""
    apart = np.zeros(context.n_groups, dtype=bool)
    if context.findings.recommended is not None and groups_differ(context):
        apart[np.concatenate(apart_from_average(context))] = True
    return apart


def _title(context: Context) -> str:
    return f"{context.outcome} ({context.unit})" if context.unit else context.outcome


def _named(context: Context, bands: Bands, order: Integers, apart: np.ndarray) -> Spec:
    """A row per group, with its name."""
    series = [
        _series(bands, order, apart[order], APART, "circle"),
        _series(bands, order, ~apart[order], CLOSE, "circle-open"),
    ]
    return intervals.interval_plot(
        [context.labels[j] for j in order],
        [one for one in series if np.isfinite(one.estimate).any()],
        x_title=_title(context),
        reference=average_of_groups(context),
        together=True,
        groups=order,
        n=context.findings.group_sizes[order].tolist(),
        unit=context.unit,
    )


def _series(bands: Bands, order: Integers, chosen: np.ndarray, label: str, symbol: str) -> intervals.Series:
    estimate, lower, upper = (
        np.where(chosen, part[order, 0], np.nan) for part in (bands.coef, bands.lower, bands.upper)
    )
    return intervals.Series(label, _color(bands, label), symbol, estimate, lower, upper)


def _color(bands: Bands, label: str) -> str:
    return MODELS[bands.model].color if label == APART else NEUTRAL


def _side_by_side(context: Context, bands: Bands, order: Integers, apart: np.ndarray) -> Spec:
    """Groups from left to right, without names; beyond MOST_WHISKERS their intervals are a ribbon."""
    place = np.arange(1, order.size + 1)
    traces = []
    if order.size > MOST_WHISKERS:
        traces.append(_ribbon(place, bands, order))
    for label, chosen in ((CLOSE, ~apart[order]), (APART, apart[order])):
        if chosen.any():
            drawn = np.flatnonzero(chosen)
            drawn = drawn[np.unique(np.linspace(0, drawn.size - 1, min(drawn.size, MOST_POINTS)).astype(int))]
            traces += _points(context, bands, order[drawn], place[drawn], label, order.size <= MOST_WHISKERS)
    ends = np.concatenate([bands.lower[order, 0], bands.upper[order, 0]])
    axes = layout(
        axis(f"{context.n_groups:,} groups, the highest first", range=padded(place, 0.02), showgrid=False),
        axis(_title(context), range=padded(ends, 0.03)),
        shapes=[horizontal(average_of_groups(context), NEUTRAL, dash="dot", width=1.5)],
        showlegend=True,
        legend=legend_above(),
    )
    return spec(traces, axes)


def _ribbon(place: np.ndarray, bands: Bands, order: Integers) -> Spec:
    """The intervals of all groups, as thick as they are at each of a few hundred places."""
    at = np.unique(np.linspace(0, order.size - 1, MOST_WHISKERS).astype(int))
    lower, upper = bands.lower[order[at], 0], bands.upper[order[at], 0]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "95 % intervals",
        "x": numbers(np.concatenate([place[at], place[at][::-1]])),
        "y": numbers(np.concatenate([upper, lower[::-1]])),
        "fill": "toself",
        "fillcolor": "rgba(128,128,128,0.25)",
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def _points(
    context: Context, bands: Bands, groups: Integers, place: np.ndarray, label: str, has_whiskers: bool
) -> list[Spec]:
    color = _color(bands, label)
    estimate, lower, upper = (part[groups, 0] for part in (bands.coef, bands.lower, bands.upper))
    points: Spec = {
        "type": "scattergl" if context.n_groups > MOST_WHISKERS else "scatter",
        "mode": "markers",
        "name": shown_text(label),
        "x": place.tolist(),
        "y": numbers(estimate),
        "text": [shown_text(context.labels[j]) for j in groups],
        "marker": {"color": color, "size": 5 if context.n_groups > MOST_NAMED else 8},
        **hover_estimate(context.findings.group_sizes[groups].tolist(), Shown(lower, upper, context.unit)),
    }
    whiskers: Spec = {
        "type": "scatter",
        "mode": "lines",
        "x": segments(place, place),
        "y": segments(lower, upper),
        "line": {"color": color, "width": 1.2},
        "showlegend": False,
        "hoverinfo": "skip",
    }
    drawn = [grouped(points, groups)]
    return [grouped(whiskers, np.repeat(groups, 3)), *drawn] if has_whiskers else drawn
