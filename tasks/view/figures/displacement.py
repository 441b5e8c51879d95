"""Where each group's estimate lies under one model after another: the way pooling moves it.

The figure says the same without motion: it has a small mark per group and model, and the way between the marks.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.figures.style import MODELS, NEUTRAL, Spec, grouped, layout, legend_above, numbers, segments, spec, text

MANY = 200
CROWD = 60


@dataclass(frozen=True)
class Stage:
    """One model's estimates, a point per group; NaN where it has none."""

    model: str  # id in `MODELS`
    x: Floats  # (G,)
    y: Floats  # (G,)
    hover: Spec  # from `hover_estimate`
    interval: tuple[Floats, Floats] | None = None  # (G,) each: lower and upper end along y; None if not drawn


def displacement(
    labels: Sequence[str],
    groups: Integers,
    stages: Sequence[Stage],
    *,
    x_axis: Spec,
    y_axis: Spec,
    target: tuple[float, float] | None = None,
) -> Spec:
    """Points that move from stage to stage, over marks and trails that show the whole way without moving.

    `groups` holds each point's group. `target` marks the overall estimate. A group without an estimate at a stage
    appears at the next.
    """
    shown = [text(label) for label in labels]
    still = [_trails(stages, groups), *(_ghosts(stage, shown, groups) for stage in stages)]
    still += [_target(*target)] if target else []
    moving = (
        [] if stages[0].interval is None else [_intervals(stages[0].model, stages[0].x, stages[0].interval, groups)]
    )
    moving.append(_points(stages[0], shown, groups))
    places = list(range(len(still), len(still) + len(moving)))
    frames = [_frame(stage, places) for stage in stages]
    return spec([*still, *moving], layout(x_axis, y_axis, showlegend=True, legend=legend_above()), frames)


def middle(values: Floats) -> Floats:
    """All values, or the middle 98 % if there are many: one group of three rows must not flatten all others."""
    if values.size < MANY:
        return values
    low, high = np.nanquantile(values, [0.01, 0.99])
    return values[(values >= low) & (values <= high)]


def _trails(stages: Sequence[Stage], groups: Integers) -> Spec:
    gap = np.full(stages[0].x.shape, np.nan)
    trace: Spec = {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(np.column_stack([*(stage.x for stage in stages), gap])),
        "y": numbers(np.column_stack([*(stage.y for stage in stages), gap])),
        "line": {"color": NEUTRAL, "width": 1},
        "opacity": 0.6,
        "showlegend": False,
        "hoverinfo": "skip",
    }
    return grouped(trace, np.repeat(groups, len(stages) + 1))


def _ghosts(stage: Stage, shown: list[str], groups: Integers) -> Spec:
    """Marks of the groups' estimates by one model, in its own symbol."""
    style = MODELS[stage.model]
    trace: Spec = {
        "type": "scatter",
        "mode": "markers",
        "name": style.label,
        "x": numbers(stage.x),
        "y": numbers(stage.y),
        "text": shown,
        "marker": {"size": _size(shown, 6), "color": style.color, "symbol": style.symbol, "opacity": 0.75},
        **stage.hover,
    }
    return grouped(trace, groups)


def _points(stage: Stage, shown: list[str], groups: Integers) -> Spec:
    trace: Spec = {
        "type": "scatter",
        "mode": "markers",
        "text": shown,
        "ids": [str(position) for position in range(len(shown))],  # which point is which from stage to stage
        "showlegend": False,
        **_state(stage),
    }
    return grouped(trace, groups)


def _size(points: Sized, size: float) -> float:
    """The size of marks; smaller if there are so many points that they would hide each other."""
    return size if len(points) <= CROWD else 0.6 * size


def _state(stage: Stage) -> Spec:
    """The moving points at one stage. All models have the same symbol: Plotly cannot animate a change of symbol."""
    marker = {"size": _size(stage.x, 10), "color": MODELS[stage.model].color, "line": {"width": 1, "color": "#ffffff"}}
    return {"x": numbers(stage.x), "y": numbers(stage.y), "marker": marker, **stage.hover}


def _intervals(model: str, x: Floats, ends: tuple[Floats, Floats], groups: Integers) -> Spec:
    trace: Spec = {
        "type": "scatter",
        "mode": "lines",
        "showlegend": False,
        "hoverinfo": "skip",
        **_interval_state(model, x, ends),
    }
    return grouped(trace, np.repeat(groups, 3))


def _interval_state(model: str, x: Floats, ends: tuple[Floats, Floats]) -> Spec:
    """All groups' intervals as one line. It has the same number of points at every stage, so that it can move."""
    return {
        "x": segments(x, x),
        "y": segments(*ends),
        "line": {"color": MODELS[model].color, "width": 1.6},
    }


def _frame(stage: Stage, places: list[int]) -> Spec:
    intervals = [] if stage.interval is None else [_interval_state(stage.model, stage.x, stage.interval)]
    states = [*intervals, _state(stage)]
    return {"name": MODELS[stage.model].label, "data": states, "traces": places}


def _target(x: float, y: float) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "average group",
        "x": [x],
        "y": [y],
        "marker": {"size": 14, "symbol": "cross-thin", "line": {"width": 3, "color": NEUTRAL}},
        "hovertemplate": "average group<br>%{x:,.4~r}, %{y:,.4~r}<extra></extra>",
    }
