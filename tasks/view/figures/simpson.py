"""All rows, the group means, and the three slopes that one predictor can have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.figures.names import named, standing_out
from tasks.view.figures.style import (
    MODELS,
    NEUTRAL,
    POINTS,
    REFERENCE,
    Spec,
    axis,
    grouped,
    inked,
    layout,
    legend_above,
    numbers,
    padded,
    spec,
    text,
)


@dataclass(frozen=True)
class Points:
    """Rows, or the means of groups."""

    x: Floats
    y: Floats
    groups: Integers  # position of each point's group
    hover: Sequence[str]  # what each point's hover says first
    labels: Sequence[str] = ()  # names beside the points


@dataclass(frozen=True)
class Pieces:
    """Line pieces from (x0, y0) to (x1, y1): one for a line over all rows, or one per group."""

    label: str
    color: str
    dash: str
    x: Floats  # (lines, 2)
    y: Floats  # (lines, 2)
    width: float = 2
    groups: Integers | None = None  # (lines,) positions, if each line is of one group


def simpson(rows: Points, means: Points, lines: list[Pieces], *, x_title: str, y_title: str) -> Spec:
    cloud = _points("rows", rows, {"size": 4, "color": POINTS})
    centres = _points("group means", means, {"size": 11, "color": NEUTRAL, "symbol": "diamond", "line": {"width": 1}})
    axes = layout(
        axis(x_title, range=padded(rows.x)), axis(y_title, range=padded(rows.y)), showlegend=True, legend=legend_above()
    )
    chosen = standing_out(_apart(means))
    names = named(means.x, means.y, means.labels, means.groups, chosen, x_axis=axes["xaxis"], y_axis=axes["yaxis"])
    return spec([cloud, *(_line(pieces) for pieces in lines), centres, names], axes)


def _apart(points: Points) -> Floats:
    """How far each point lies from the middle of all, in SDs of either coordinate."""
    both = np.column_stack([points.x, points.y])
    return np.asarray(np.linalg.norm((both - both.mean(axis=0)) / np.maximum(both.std(axis=0), 1e-300), axis=1))


def complete_line(x: Floats, y: Floats) -> Pieces:
    style = MODELS["complete_pooling"]
    return Pieces("over all rows", style.color, style.dash, x[None], y[None], 3)


def between_line(x: Floats, y: Floats) -> Pieces:
    return Pieces("between group means", "", "longdash", x[None], y[None], 2.5)


def within_lines(x: Floats, y: Floats, groups: Integers) -> Pieces:
    """One piece per group, (J, 2) each."""
    return Pieces("within groups", REFERENCE, "solid", x, y, 2, groups)


def _points(name: str, points: Points, marker: Spec) -> Spec:
    trace: Spec = {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": numbers(points.x),
        "y": numbers(points.y),
        "text": [text(one) for one in points.hover],
        "marker": marker,
        "hovertemplate": f"<b>%{{text}}</b><br>%{{x:,.4~r}}, %{{y:,.4~r}}<extra>{name}</extra>",
    }
    return grouped(trace, points.groups)


def _line(pieces: Pieces) -> Spec:
    gap = np.full(len(pieces.x), np.nan)
    trace: Spec = {
        "type": "scatter",
        "mode": "lines",
        "name": pieces.label,
        "x": numbers(np.column_stack([pieces.x, gap])),
        "y": numbers(np.column_stack([pieces.y, gap])),
        "line": inked(pieces.color, dash=pieces.dash, width=pieces.width),
        "hoverinfo": "skip",
    }
    return trace if pieces.groups is None else grouped(trace, np.repeat(pieces.groups, 3))
