"""Where each group's estimate lies under one model after another: the way pooling moves it.

A mark per group and model, and the way between the marks. Of many groups, those that move farthest stand out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.figures.names import named, standing_out
from tasks.view.figures.style import MODELS, NEUTRAL, Spec, grouped, layout, legend_above, numbers, spec, text

MANY = 200
CROWD = 20  # of more groups than this, so many stand out and the others fade
FADED = 0.25


@dataclass(frozen=True)
class Stage:
    """One model's estimates, a point per group; NaN where it has none."""

    model: str  # id in `MODELS`
    x: Floats  # (G,)
    y: Floats  # (G,)
    hover: Spec  # from `hover_estimate`, an entry per group


def displacement(
    labels: Sequence[str],
    groups: Integers,
    stages: Sequence[Stage],
    far: Floats,
    *,
    x_axis: Spec,
    y_axis: Spec,
    target: tuple[float, float] | None = None,
) -> Spec:
    """`groups` holds each point's group, `far` (G,) how far pooling moves it, NaN where that is not known or not to be
    seen. `target` marks the overall estimate."""
    strong = np.sort(standing_out(far, CROWD))
    weak = np.setdiff1d(np.arange(groups.size), strong)
    traces = [] if not weak.size else _ways(labels, groups, stages, weak, is_faded=True)
    traces += _ways(labels, groups, stages, strong, is_faded=False)
    chosen = standing_out(far)
    names = _names(labels, groups, stages, chosen, x_axis, y_axis)
    average = [] if target is None else [_target(*target)]
    return spec([*traces, *average, names], layout(x_axis, y_axis, showlegend=True, legend=legend_above()))


def middle(values: Floats) -> Floats:
    """All values, or the middle 98 % if there are many: one group of three rows must not flatten all others."""
    if values.size < MANY:
        return values
    low, high = np.nanquantile(values, [0.01, 0.99])
    return values[(values >= low) & (values <= high)]


def _ways(
    labels: Sequence[str], groups: Integers, stages: Sequence[Stage], these: Integers, *, is_faded: bool
) -> list[Spec]:
    return [
        _trails(stages, groups, these, is_faded=is_faded),
        *(_marks(stage, labels, groups, these, is_faded=is_faded) for stage in stages),
    ]


def _trails(stages: Sequence[Stage], groups: Integers, these: Integers, *, is_faded: bool) -> Spec:
    gap = np.full(these.size, np.nan)
    trace: Spec = {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(np.column_stack([*(stage.x[these] for stage in stages), gap])),
        "y": numbers(np.column_stack([*(stage.y[these] for stage in stages), gap])),
        "line": {"color": NEUTRAL, "width": 1},
        "opacity": FADED if is_faded else 0.8,
        "showlegend": False,
        "hoverinfo": "skip",
    }
    return grouped(trace, np.repeat(groups[these], len(stages) + 1))


def _marks(stage: Stage, labels: Sequence[str], groups: Integers, these: Integers, *, is_faded: bool) -> Spec:
    """Marks of the groups' estimates by one model, in its own symbol."""
    style, template = MODELS[stage.model], stage.hover["hovertemplate"]
    trace: Spec = {
        "type": "scatter",
        "mode": "markers",
        "name": style.label,
        "x": numbers(stage.x[these]),
        "y": numbers(stage.y[these]),
        "text": [text(labels[k]) for k in these],
        "customdata": [stage.hover["customdata"][k] for k in these],
        "hovertemplate": template if isinstance(template, str) else [template[k] for k in these],
        "marker": {
            "size": 4 if is_faded else 8,
            "color": style.color,
            "symbol": style.symbol,
            "opacity": FADED if is_faded else 0.9,
        },
        "showlegend": not is_faded,
    }
    return grouped(trace, groups[these])


def _names(
    labels: Sequence[str], groups: Integers, stages: Sequence[Stage], chosen: Integers, x_axis: Spec, y_axis: Spec
) -> Spec:
    """Names where the groups set out from; where they have no estimate of their own, at the next."""
    first, second = stages[0], stages[1]
    known = np.isfinite(first.x) & np.isfinite(first.y)
    x, y = np.where(known, first.x, second.x), np.where(known, first.y, second.y)
    later = np.concatenate([stage.x for stage in stages[1:]]), np.concatenate([stage.y for stage in stages[1:]])
    return named(x, y, labels, groups, chosen, x_axis=x_axis, y_axis=y_axis, beside=later)


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
