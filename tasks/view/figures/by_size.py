"""Group levels against the number of rows, with curves over them: limits of chance, or a trend and its band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.figures.names import named, standing_out
from tasks.view.figures.scatter import WEBGL_FROM, crowded
from tasks.view.figures.style import Spec, grouped, layout, legend_above, numbers, spec, text


@dataclass(frozen=True)
class Curve:
    """One line, or two of the same meaning (an upper and a lower limit), over `x`."""

    label: str
    color: str
    dash: str
    x: Floats  # (K,)
    y: tuple[Floats, ...]  # (K,) each
    width: float = 1.8


@dataclass(frozen=True)
class Marks:
    """Groups drawn alike; `details` holds the text that the hover of each adds to its name, size and level."""

    label: str
    color: str
    symbol: str
    x: Floats
    y: Floats
    groups: Integers  # positions
    names: Sequence[str]
    n: Integers
    details: Sequence[str]  # shown verbatim after the level
    far: Floats  # how far each stands out: the farthest are named if there are many


def levels_by_size(
    marks: Sequence[Marks],
    curves: Sequence[Curve],
    *,
    x_axis: Spec,
    y_axis: Spec,
    unit: str,
    what: str = "adjusted level",
) -> Spec:
    """`what` names the coordinate y where a point is hovered over."""
    n_points = sum(len(one.x) for one in marks)
    points = [_points(one, unit, n_points, what) for one in marks if len(one.x)]
    axes = layout(x_axis, y_axis, showlegend=True, legend=legend_above())
    names = _names(marks, x_axis, y_axis)
    return spec([*points, *(_line(curve) for curve in curves), names], axes)


def _names(marks: Sequence[Marks], x_axis: Spec, y_axis: Spec) -> Spec:
    x, y, far = (np.concatenate([getattr(one, part) for one in marks]) for part in ("x", "y", "far"))
    labels = [name for one in marks for name in one.names]
    groups = np.concatenate([one.groups for one in marks])
    return named(x, y, labels, groups, standing_out(far), x_axis=x_axis, y_axis=y_axis)


def _points(marks: Marks, unit: str, n_points: int, what: str) -> Spec:
    measure = f"\u202f{text(unit)}" if unit else ""
    trace: Spec = {
        "type": "scattergl" if n_points >= WEBGL_FROM else "scatter",
        "mode": "markers",
        "name": text(marks.label),
        "x": numbers(marks.x),
        "y": numbers(marks.y),
        "text": [text(name) for name in marks.names],
        "customdata": [[n, text(detail)] for n, detail in zip(marks.n.tolist(), marks.details, strict=True)],
        "marker": {"color": marks.color, "symbol": marks.symbol, **crowded(n_points)},
        "hovertemplate": (
            "<b>%{text}</b>, n = %{customdata[0]:,}<br>"
            f"{what} %{{y:,.4~r}}{measure}<br>%{{customdata[1]}}<extra></extra>"
        ),
    }
    return grouped(trace, marks.groups)


def _line(curve: Curve) -> Spec:
    """One trace per curve; a gap keeps the two lines of a curve apart."""
    gap = np.array([np.nan])
    return {
        "type": "scatter",
        "mode": "lines",
        "name": text(curve.label),
        "x": numbers(np.concatenate([part for _ in curve.y for part in (curve.x, gap)]), digits=6),
        "y": numbers(np.concatenate([part for y in curve.y for part in (y, gap)])),
        "line": {"color": curve.color, "dash": curve.dash, "width": curve.width},
        "hoverinfo": "skip",
    }
