"""Where each group's estimate lies under one model after another: the way pooling moves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.stats.records import Floats
from tasks.view.figures.style import MODELS, NEUTRAL, Spec, axis, layout, numbers, padded, spec, text

MANY = 200
Stage = tuple[str, Floats, Floats]  # model, x (J,), y (J,)


def displacement(
    labels: Sequence[str],
    n: Sequence[int],
    stages: Sequence[Stage],
    *,
    x_title: str,
    y_title: str,
    target: tuple[float, float] | None = None,
    x_options: dict[str, Any] | None = None,
) -> Spec:
    """Points that move from stage to stage, over trails that show the whole way without moving.

    `target` marks the overall estimate. A group without an estimate at a stage appears at the next.
    """
    shown = [text(label) for label in labels]
    moving = _points(stages[0], shown, n)
    targets = [_target(*target)] if target else []
    frames = [_frame(stage, at=1 + len(targets)) for stage in stages]
    all_y = np.concatenate([stage[2] for stage in stages])
    options = x_options or {"range": padded(middle(np.concatenate([stage[1] for stage in stages])))}
    axes = layout(axis(x_title, **options), axis(y_title, range=padded(middle(all_y))))
    return spec([_trails(stages), *targets, moving], axes, frames)


def middle(values: Floats) -> Floats:
    """All values, or of many the middle 98 %: one group of three rows must not flatten all others."""
    if values.size < MANY:
        return values
    low, high = np.nanquantile(values, [0.01, 0.99])
    return values[(values >= low) & (values <= high)]


def _trails(stages: Sequence[Stage]) -> Spec:
    gap = np.full(stages[0][1].shape, np.nan)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(np.column_stack([*(stage[1] for stage in stages), gap])),
        "y": numbers(np.column_stack([*(stage[2] for stage in stages), gap])),
        "line": {"color": NEUTRAL, "width": 1},
        "opacity": 0.6,
        "hoverinfo": "skip",
    }


def _points(stage: Stage, shown: list[str], n: Sequence[int]) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers",
        "text": shown,
        "ids": [str(position) for position in range(len(shown))],  # who is who from stage to stage
        "customdata": [int(size) for size in n],
        "hovertemplate": "<b>%{text}</b><br>n = %{customdata}<br>%{x:,.4~r}, %{y:,.4~r}<extra></extra>",
        **_state(stage),
    }


def _state(stage: Stage) -> Spec:
    """One symbol for all models: Plotly cannot turn one outline into another on the way."""
    marker = {"size": 10, "color": MODELS[stage[0]].color, "line": {"width": 1, "color": "#ffffff"}}
    return {"x": numbers(stage[1]), "y": numbers(stage[2]), "marker": marker}


def _frame(stage: Stage, at: int) -> Spec:
    return {"name": MODELS[stage[0]].label, "data": [_state(stage)], "traces": [at]}


def _target(x: float, y: float) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x],
        "y": [y],
        "marker": {"size": 14, "symbol": "cross-thin", "line": {"width": 3, "color": NEUTRAL}},
        "hovertemplate": "overall estimate<br>%{x:,.4~r}, %{y:,.4~r}<extra></extra>",
    }
