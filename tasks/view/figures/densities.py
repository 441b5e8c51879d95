"""The density of the observed rows over those of replicates."""

from __future__ import annotations

from tasks.stats.judged.predictive_density import PredictiveDensity
from tasks.stats.records import Floats
from tasks.view.figures.style import MODELS, Spec, axis, band, inked, layout, legend_above, numbers, spec, text

HEIGHT = 208  # CSS pixels
BAND = "rgba(0,158,115,0.28)"


def density_overlay(found: PredictiveDensity, *, x_title: str) -> Spec:
    """Densities have no unit that a reader needs: their axis shows where they are 0, and no numbers."""
    bayes = MODELS["bayes"]
    traces = [
        *band(found.grid, found.lower, found.upper, BAND, "Model, middle 95 %"),
        {**_line(found.grid, found.median, bayes.color, "dash", 1.2, "Model, median"), "showlegend": False},
        _line(found.grid, found.observed, "", "solid", 2.4, "The data"),
    ]
    density = axis("density", showticklabels=False, showgrid=False, rangemode="tozero")
    return spec(traces, layout(axis(x_title), density, showlegend=True, legend=legend_above()))


def _line(x: Floats, y: Floats, color: str, dash: str, width: float, name: str) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(x),
        "y": numbers(y),
        "name": text(name),
        "line": inked(color, dash=dash, width=width),
        "hovertemplate": f"density %{{y:,.3~r}} at %{{x:,.4~r}}<extra>{text(name)}</extra>",
    }
