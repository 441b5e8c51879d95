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
APART, CLOSE = "clearly above or below the mean", "too close to call"


def hero(context: Context) -> Figure | None:
    """Of every group, whatever their number; None where no group has an estimate that could be shown."""
    bands, apart = _bands(context), _apart(context)
    order = np.argsort(-bands.coef[:, 0], kind="stable")
    order = order[np.isfinite(bands.coef[order, 0])]
    if not order.size:
        return None
    draw = _named if order.size <= MOST_NAMED else _side_by_side
    return Figure(
        id="figure-hero",
        caption=_caption(context),
        alternative=_alternative(context, order, apart),
        spec=draw(context, bands, order, apart),
        height=intervals.height(order.size, 1) - 30 if draw is _named else HEIGHT,
    )


def _caption(context: Context) -> str:
    if context.findings.recommended is None:
        return "Each group’s own mean with its 95 % interval. None is compared, as no model here can be trusted."
    return "Each group’s estimate with its 95 % interval. Dotted: the mean of the groups. Grey: too close to call."


def _alternative(context: Context, order: Integers, apart: np.ndarray) -> str:
    if context.findings.recommended is None:
        return f"Each group’s own mean of {context.outcome} with its 95 % interval, highest first."
    n = int(apart[order].sum())
    return (
        f"Each group’s estimate of {context.outcome} with its 95 % interval, highest first; the mean of the groups is "
        f"{average_in_words(context)}. {plural(n, 'group')} of {order.size:,} {words.be(n)} clearly above or below it."
    )


def _bands(context: Context) -> Bands:
    """What is quoted; the groups' own means where no model can be trusted."""
    return context.bands[0] if context.findings.recommended is None else context.recommended


def _mean(context: Context) -> float | None:
    """Of the groups; None where they are not compared with it."""
    return None if context.findings.recommended is None else average_of_groups(context)


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
        reference=_mean(context),
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
    """Groups from left to right, without names; beyond MOST_WHISKERS some of them, and a ribbon for intervals.

    These are spaced evenly in their order, so that as large a share of them is coloured as of all.
    """
    every = np.unique(np.linspace(0, order.size - 1, min(order.size, MOST_WHISKERS)).astype(int))
    place, shown = every + 1, order[every]
    is_thinned = shown.size < order.size
    traces = [_ribbon(place, bands, shown)] if is_thinned else []
    for label, chosen in ((CLOSE, ~apart[shown]), (APART, apart[shown])):
        if chosen.any():
            traces += _points(context, bands, shown[chosen], place[chosen], label, not is_thinned)
    mean = _mean(context)
    ends = np.concatenate([bands.lower[order, 0], bands.upper[order, 0]])
    axes = layout(
        axis(f"{context.n_groups:,} groups, the highest first", range=padded(place, 0.02), showgrid=False),
        axis(_title(context), range=padded(ends, 0.03)),
        shapes=[] if mean is None else [horizontal(mean, NEUTRAL, dash="dot", width=1.5)],
        showlegend=True,
        legend=legend_above(),
    )
    return spec(traces, axes)


def _ribbon(place: np.ndarray, bands: Bands, shown: Integers) -> Spec:
    """The intervals of the groups shown, where they have one."""
    known = np.isfinite(bands.lower[shown, 0]) & np.isfinite(bands.upper[shown, 0])
    at, lower, upper = place[known], bands.lower[shown[known], 0], bands.upper[shown[known], 0]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "95 % intervals",
        "x": numbers(np.concatenate([at, at[::-1]])),
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
        "type": "scatter",
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
