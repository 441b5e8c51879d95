"""One point per group or row; drawn by the graphics card when there are many."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.figures.style import ALERT, Spec, axis, grouped, horizontal, layout, numbers, spec, text, tick

WEBGL_FROM = 3000
SMALLER_FROM = 300


def scatter(
    x: Floats,
    y: Floats,
    *,
    names: Sequence[str] | None,
    color: str,
    x_axis: Spec,
    y_axis: Spec,
    threshold: float | None = None,
    groups: Integers | None = None,
    hover: Spec | None = None,
) -> Spec:
    """`names` label the points on hover; `threshold` draws a horizontal line.

    Where points are groups, `groups` holds their positions; `hover` is what `hover_estimate` gives.
    """
    many = len(x) >= WEBGL_FROM
    points: Spec = {
        "type": "scattergl" if many else "scatter",
        "mode": "markers",
        "x": numbers(x),
        "y": numbers(y),
        "marker": {"color": color, **crowded(len(x))},
        "hovertemplate": "%{x:,.5~r}, %{y:,.4~r}<extra></extra>",
    }
    if names is not None:
        points["text"] = [text(name) for name in names]
        points["hovertemplate"] = "<b>%{text}</b><br>" + points["hovertemplate"]
    points |= hover or {}
    if groups is not None:
        points = grouped(points, groups)
    lines = [] if threshold is None else [horizontal(threshold, ALERT, dash="dash")]
    return spec([points], layout(x_axis, y_axis, shapes=lines))


def crowded(n_points: int) -> Spec:
    """Size and opacity of marks: smaller and lighter the more there are."""
    if n_points >= WEBGL_FROM:
        return {"size": 4, "opacity": 0.5}
    return {"size": 5, "opacity": 0.65} if n_points >= SMALLER_FROM else {"size": 8, "opacity": 0.85}


def size_axis(n: Floats, title: str) -> Spec:
    """Group sizes; logarithmic when they span more than a factor of ten."""
    low, high = float(np.min(n)), float(np.max(n))
    if low < 1 or high / low <= 10:
        return axis(title, rangemode="tozero")
    return axis(title, type="log", tickvals=round_numbers(low, high))


def round_numbers(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, 20, 50 … between two positive numbers; only powers of ten if these would crowd."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if len(exponents) <= 4 else (1,)
    return [step * 10.0**exponent for exponent in exponents for step in steps]


def bars(names: Sequence[str], values: Floats, color: str, x_axis: Spec) -> Spec:
    """A horizontal bar per name, from top to bottom."""
    rows: Spec = {
        "type": "bar",
        "orientation": "h",
        "x": numbers(values),
        "y": list(range(len(names))),
        "text": [text(name) for name in names],
        "textposition": "none",
        "marker": {"color": color},
        "hovertemplate": "<b>%{text}</b><br>%{x}<extra></extra>",
    }
    ticks = {"tickvals": rows["y"], "ticktext": [tick(name) for name in names]}
    across = axis(range=[len(names) - 0.4, -0.6], showgrid=False, **ticks)
    return spec([rows], layout(x_axis, across, bargap=0.35))
