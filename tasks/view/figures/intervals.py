"""Estimates with their intervals, several beside each other in every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.figures.style import (
    NEUTRAL,
    Shown,
    Spec,
    axis,
    grouped,
    hover_estimate,
    inked,
    layout,
    legend_above,
    numbers,
    padded,
    segments,
    spec,
    text,
    tick,
    vertical,
)

ROW_PIXELS = 14  # per series
ROW_GAP_PIXELS = 12
FRAME_PIXELS = 110  # legend and axis
AXIS_PIXELS = 28  # of a second axis, above
ROOM = 0.3  # for what does not frame the picture, as a share of what does, on either side
TALL = 10  # rows; from here on the axis stands above them, too


@dataclass(frozen=True)
class Series:
    """One estimate and interval per row; NaN where there is none."""

    label: str
    color: str  # "" for the theme's ink
    symbol: str
    estimate: Floats  # (rows,)
    lower: Floats  # (rows,)
    upper: Floats  # (rows,)
    width: float = 2
    frames: bool = True  # whether it decides how far the picture reaches


def height(n_rows: int, n_series: int, *, has_upper_axis: bool = True) -> int:
    """CSS pixels that keep rows apart."""
    above = AXIS_PIXELS if has_upper_axis and n_rows >= TALL else 0
    return FRAME_PIXELS + above + n_rows * (ROW_GAP_PIXELS + ROW_PIXELS * n_series)


def interval_plot(
    rows: Sequence[str],
    series: Sequence[Series],
    *,
    x_title: str,
    reference: float | None = None,
    together: bool = False,
    groups: Integers | None = None,
    n: Sequence[int] | None = None,
    unit: str = "",
    has_upper_axis: bool = True,
) -> Spec:
    """Rows from top to bottom; `reference` draws a dotted vertical line; `together` draws a row's series on one line.

    From TALL rows on, the axis stands above them too, unless `has_upper_axis` is false. If rows are groups, `groups`
    holds their positions and `n` their numbers of rows.
    """
    spread = 0.0 if together else 0.66 / max(len(series), 1)
    offsets = (np.arange(len(series)) - (len(series) - 1) / 2) * spread
    traces = []
    for one, offset in zip(series, offsets, strict=True):
        y = np.arange(len(rows)) + offset
        line, points = _whiskers(one, y), _points(one, y, rows, n, unit)
        traces += [line, points] if groups is None else [grouped(line, np.repeat(groups, 3)), grouped(points, groups)]
    ticks: Spec = {"tickvals": list(range(len(rows))), "ticktext": [tick(row) for row in rows]}
    lines = [] if reference is None else [vertical(reference, NEUTRAL, dash="dot", width=1.5)]
    axes = layout(
        axis(x_title, range=reach(series)),
        axis(range=[len(rows) - 0.4, -0.6], showgrid=False, **ticks),
        shapes=lines,
    )
    keys = [_key(one) for one in series] if len(series) > 1 else []
    axes |= {"showlegend": len(series) > 1, "legend": legend_above()}
    if not has_upper_axis or len(rows) < TALL:
        return spec([*traces, *keys], axes)
    return spec([*traces, *keys, _UPPER], _with_upper_axis(axes))


# An axis that no trace uses is not drawn.
_UPPER: Spec = {
    "type": "scatter",
    "mode": "markers",
    "x": [None],
    "y": [None],
    "xaxis": "x2",
    "showlegend": False,
    "hoverinfo": "skip",
    "meta": {"groups": [-1]},
}


def _with_upper_axis(axes: Spec) -> Spec:
    """The same axis above the rows, so that the first of many can be read without scrolling; the legend above it."""
    upper = axis(side="top", overlaying="x", matches="x", showgrid=False)
    legend = {**axes["legend"], "yref": "container", "yanchor": "top"}
    margin = {**axes["margin"], "t": axes["margin"]["t"] + AXIS_PIXELS}
    return {**axes, "xaxis2": upper, "legend": legend, "margin": margin}


def reach(series: Sequence[Series]) -> list[float]:
    """What the axis shows: all of the series that frame the picture; of the others what lies not far beyond."""
    framing = [one for one in series if one.frames] or list(series)
    low, high = padded(np.concatenate([part for one in framing for part in (one.estimate, one.lower, one.upper)]), 0.03)
    others = np.concatenate([[low, high], *(one.estimate for one in series if not one.frames)])
    room, wanted = ROOM * (high - low), padded(others, 0.0)
    return [max(low - room, wanted[0]), min(high + room, wanted[1])]


def n_beyond(series: Sequence[Series]) -> int:
    """How many rows have an estimate or an end of an interval beyond the picture."""
    low, high = reach(series)
    parts = np.array([[one.estimate, one.lower, one.upper] for one in series])
    return int(((parts < low) | (parts > high)).any(axis=(0, 1)).sum())


def _key(one: Series) -> Spec:
    """An empty trace for the legend: the symbol of the series, on a line if it has intervals."""
    has_intervals = bool(np.isfinite(one.lower).any())
    return {
        "type": "scatter",
        "mode": "lines+markers" if has_intervals else "markers",
        "name": text(one.label),
        "x": [None],
        "y": [None],
        "line": inked(one.color, width=one.width),
        "marker": inked(one.color, symbol=one.symbol, size=8),
        "legendgroup": one.label,
    }


def _whiskers(one: Series, y: Floats) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": segments(one.lower, one.upper),
        "y": segments(y, y),
        "line": inked(one.color, width=one.width),
        "legendgroup": one.label,
        "showlegend": False,
        "hoverinfo": "skip",
    }


def _points(one: Series, y: Floats, rows: Sequence[str], n: Sequence[int] | None, unit: str) -> Spec:
    shown = Shown(one.lower, one.upper, unit, value="x")
    return {
        "type": "scatter",
        "mode": "markers",
        "name": text(one.label),
        "x": numbers(one.estimate),
        "y": numbers(y),
        "text": [text(row) for row in rows],
        "marker": inked(one.color, symbol=one.symbol, size=8),
        "legendgroup": one.label,
        "showlegend": False,
        **hover_estimate(n, shown, extra=one.label),
    }
