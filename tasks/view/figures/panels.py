"""One group's rows as points, with a line per model through them."""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Floats
from tasks.view.figures.style import MODELS, PANEL_MARGIN, POINTS, Spec, axis, layout, numbers, spec


def group_panel(
    x: Floats,
    y: Floats,
    lines: dict[str, Floats],
    *,
    line_x: Floats,
    x_range: list[float],
    y_range: list[float],
    has_predictor: bool = True,
) -> Spec:
    """`lines` holds, per model, the expected outcome at each of `line_x`; NaN where it has none."""
    points: Spec = {
        "type": "scatter",
        "mode": "markers",
        "x": numbers(x),
        "y": numbers(y),
        "marker": {"size": 5, "color": POINTS},
        "hovertemplate": ("%{x:,.4~r}, " if has_predictor else "") + "%{y:,.4~r}<extra>row</extra>",
    }
    traces = [_line(model, line_x, values) for model, values in lines.items() if np.isfinite(values).all()]
    across = axis(range=x_range, nticks=4, showticklabels=has_predictor, showgrid=has_predictor)
    return spec([points, *traces], layout(across, axis(range=y_range, nticks=5), margin=PANEL_MARGIN))


def _line(model: str, x: Floats, y: Floats) -> Spec:
    style = MODELS[model]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": style.label,
        "x": numbers(x),
        "y": numbers(y),
        "line": {"color": style.color, "dash": style.dash, "width": 2.2},
        "hovertemplate": f"%{{y:,.4~r}}<extra>{style.label}</extra>",
    }


def spread_out(n: int) -> Floats:
    """Positions from 0 to 1 that keep `n` points of one group apart: the golden ratio's steps."""
    return np.mod(0.5 + 0.618034 * np.arange(n), 1.0)
