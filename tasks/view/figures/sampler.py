"""How the sampler went: draws in their order, and its energy."""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Floats
from tasks.view.figures.style import (
    MODELS,
    NEUTRAL,
    OTHERS,
    PANEL_MARGIN,
    Spec,
    axis,
    layout,
    legend_above,
    numbers,
    panel_axis,
    spec,
)

TRACE_DRAWS = 150  # per chain
ENERGY_BINS = 40


def traces(draws: Floats) -> Spec:
    """Every k-th of the `draws` (C, D) in their order, a thin line per chain: at most TRACE_DRAWS of each."""
    step = -(-draws.shape[1] // TRACE_DRAWS)
    at = list(range(1, draws.shape[1] + 1, step))
    lines = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": at,
            "y": numbers(chain[::step], 3),
            "line": {"color": OTHERS[number % 4], "width": 1},
            "opacity": 0.75,
            "hovertemplate": f"%{{y:,.4~r}}<extra>chain {number + 1}, draw %{{x}}</extra>",
        }
        for number, chain in enumerate(draws)
    ]
    return spec(lines, layout(panel_axis("draw", nticks=5), panel_axis("value", nticks=5), margin=PANEL_MARGIN))


def energy(values: Floats) -> Spec:
    """Energies (C, D) about their mean, and their changes from draw to draw: the two are alike if the sampler can
    reach the tails (Betancourt 2016, arXiv:1604.00695, fig. 2)."""
    about, change = (values - values.mean(axis=1, keepdims=True)).ravel(), np.diff(values, axis=1).ravel()
    both = np.concatenate([about, change])
    edges = np.linspace(both.min(), both.max() + 1e-9, ENERGY_BINS + 1)
    bayes = MODELS["bayes"]
    lines = [
        _steps(about, edges, NEUTRAL, "dash", "Energy, less its mean"),
        _steps(change, edges, bayes.color, bayes.dash, "Change from draw to draw"),
    ]
    axes = layout(axis("energy"), axis("density", showticklabels=False, rangemode="tozero"))
    return spec(lines, {**axes, "showlegend": True, "legend": legend_above()})


def _steps(values: Floats, edges: Floats, color: str, dash: str, name: str) -> Spec:
    density, _ = np.histogram(values, bins=edges, density=True)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": numbers((edges[:-1] + edges[1:]) / 2),
        "y": numbers(density),
        "name": name,
        "line": {"color": color, "dash": dash, "shape": "hvh", "width": 2},
        "hovertemplate": f"%{{x:,.3~r}}<extra>{name}</extra>",
    }
