"""All rows, the group means, and the three slopes that one predictor can have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.records import Floats
from tasks.view.figures.style import MODELS, NEUTRAL, POINTS, Spec, axis, layout, legend_above, numbers, spec


@dataclass(frozen=True)
class Pieces:
    """Line pieces from (x0, y0) to (x1, y1); one each for a line over all, many for one a group."""

    label: str
    color: str
    dash: str
    x: Floats  # (lines, 2)
    y: Floats  # (lines, 2)
    width: float = 2


def simpson(
    rows: tuple[Floats, Floats],
    means: tuple[Floats, Floats],
    lines: list[Pieces],
    *,
    x_title: str,
    y_title: str,
) -> Spec:
    cloud = _points("rows", *rows, {"size": 4, "color": POINTS, "opacity": 0.6})
    centres = _points("group means", *means, {"size": 11, "color": NEUTRAL, "symbol": "diamond", "line": {"width": 1}})
    axes = layout(axis(x_title), axis(y_title), showlegend=True, legend=legend_above())
    return spec([cloud, *(_line(pieces) for pieces in lines), centres], axes)


def complete_line(x: Floats, y: Floats) -> Pieces:
    style = MODELS["complete_pooling"]
    return Pieces("over all rows", style.color, style.dash, x[None], y[None], 3)


def between_line(x: Floats, y: Floats) -> Pieces:
    return Pieces("between group means", NEUTRAL, "longdash", x[None], y[None], 1.5)


def within_lines(x: Floats, y: Floats) -> Pieces:
    """One piece per group, (J, 2) each."""
    return Pieces("within groups", MODELS["partial_pooling"].color, "solid", x, y, 2)


def _points(name: str, x: Floats, y: Floats, marker: Spec) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": numbers(x),
        "y": numbers(y),
        "marker": marker,
        "hovertemplate": f"%{{x:,.4~r}}, %{{y:,.4~r}}<extra>{name}</extra>",
    }


def _line(pieces: Pieces) -> Spec:
    gap = np.full(len(pieces.x), np.nan)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": pieces.label,
        "x": numbers(np.column_stack([pieces.x, gap])),
        "y": numbers(np.column_stack([pieces.y, gap])),
        "line": {"color": pieces.color, "dash": pieces.dash, "width": pieces.width},
        "hoverinfo": "skip",
    }
