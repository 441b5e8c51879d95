"""A profile of the criterion over one group SD: how much worse other values fit than the best one."""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Floats
from tasks.view.figures.style import ALERT, MODELS, Spec, axis, horizontal, layout, legend_above, numbers, padded, spec

HEIGHT = 320  # CSS pixels


def profile_curve(sd: Floats, deviance: Floats, fitted: float, *, x_title: str, reference: float) -> Spec:
    """`deviance` above the best at each group SD; `reference` is a dashed line, `fitted` a marker at the minimum."""
    style = MODELS["partial_pooling"]
    curve: Spec = {
        "type": "scatter",
        "mode": "lines",
        "name": "Deviance above the best fit",
        "x": numbers(sd),
        "y": numbers(deviance),
        "line": {"color": style.color, "width": 2.4, "shape": "spline"},
        "hovertemplate": "SD %{x:,.4~r}<br>%{y:.2f} above the best fit<extra></extra>",
    }
    best: Spec = {
        "type": "scatter",
        "mode": "markers",
        "name": "REML estimate",
        "x": numbers([fitted]),
        "y": [0.0],
        "marker": {"color": style.color, "symbol": style.symbol, "size": 11},
        "cliponaxis": False,
        "hovertemplate": "REML estimate: SD %{x:,.4~r}<extra></extra>",
    }
    top = max(float(np.max(deviance)), 1.3 * reference)
    low, high = padded(sd, 0.02)
    axes = layout(
        axis(x_title, range=[max(low, 0.0), high]),
        axis("deviance above the best", range=[-0.04 * top, 1.02 * top]),
        shapes=[horizontal(reference, ALERT, dash="dash", width=1.5)],
        showlegend=True,
        legend=legend_above(),
    )
    return spec([curve, best], axes)
