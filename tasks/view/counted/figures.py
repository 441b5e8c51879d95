"""Pictures of counted outcomes: a calibration curve and a rootogram."""

from __future__ import annotations

import numpy as np

from tasks.stats.counted.predicted import CalibrationTable, Rootogram
from tasks.view.figures.style import (
    MODELS,
    NEUTRAL,
    Spec,
    axis,
    inked,
    layout,
    legend_above,
    numbers,
    padded,
    spec,
)

BAND = "rgba(128,128,128,0.22)"


def calibration_curve(found: CalibrationTable, scale: float, x_title: str, y_title: str) -> Spec:
    """Observed against predicted rates of bins, each `scale` times, with the band that holds all of them at once."""
    predicted, observed, lower, upper = (
        scale * part for part in (found.predicted, found.observed, found.lower_simultaneous, found.upper_simultaneous)
    )
    band: Spec = {
        "type": "scatter",
        "mode": "lines",
        "name": "95 % band of all points",
        "x": numbers(np.concatenate([predicted, predicted[::-1]])),
        "y": numbers(np.concatenate([upper, lower[::-1]])),
        "fill": "toself",
        "fillcolor": BAND,
        "line": {"width": 0},
        "hoverinfo": "skip",
    }
    ends = np.array([predicted.min(), predicted.max()])
    diagonal: Spec = {
        "type": "scatter",
        "mode": "lines",
        "name": "as predicted",
        "x": numbers(ends),
        "y": numbers(ends),
        "line": {"color": NEUTRAL, "dash": "dot", "width": 1.5},
        "hoverinfo": "skip",
    }
    points: Spec = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "observed",
        "x": numbers(predicted),
        "y": numbers(observed),
        "customdata": found.n_cells.tolist(),
        "line": inked("", width=1.5),
        "marker": inked("", size=8),
        "hovertemplate": "predicted %{x:,.4~r}<br>observed %{y:,.4~r}<br>%{customdata:,} rows<extra></extra>",
    }
    y_range = padded(np.concatenate([observed, lower, upper]))
    axes = layout(axis(x_title), axis(y_title, range=y_range), showlegend=True, legend=legend_above())
    return spec([band, diagonal, points], axes)


def hanging_rootogram(found: Rootogram, x_title: str) -> Spec:
    """Bars of the root of how many rows have so many events, hung from the curve of those expected."""
    observed, expected = np.sqrt(found.observed), np.sqrt(found.expected)
    width = float(found.first[1] - found.first[0]) if found.first.size > 1 else 1.0
    x = found.first + (width - 1.0) / 2.0
    bars: Spec = {
        "type": "bar",
        "name": "observed, hung from the curve",
        "x": numbers(x),
        "y": numbers(observed),
        "base": numbers(expected - observed),
        "width": 0.85 * width,
        "customdata": [[int(n), float(e)] for n, e in zip(found.observed, np.round(found.expected, 1), strict=True)],
        "marker": {"color": NEUTRAL, "opacity": 0.7},
        "hovertemplate": "%{x:,.4~r}: %{customdata[0]:,} rows, %{customdata[1]:,.1f} expected<extra></extra>",
    }
    curve: Spec = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "expected",
        "x": numbers(x),
        "y": numbers(expected),
        "line": {"color": MODELS["bayes"].color, "width": 2},
        "marker": {"color": MODELS["bayes"].color, "size": 5},
        "hoverinfo": "skip",
    }
    axes = layout(
        axis(x_title), axis("rows (root scale)", zeroline=True), showlegend=True, legend=legend_above(), bargap=0.1
    )
    return spec([bars, curve], axes)
