"""Distributions over posterior draws: replicated statistics, and ranks per chain."""

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
    numbers,
    panel_axis,
    spec,
    vertical,
)

CHAIN_DASHES = ("solid", "dash", "dot", "dashdot")
RANK_BINS = 20


def replicated(values: Floats, observed: float, *, x_title: str, bins: int = 30) -> Spec:
    """A histogram of `values` with the observed one as a line; constant values make one bar."""
    low, high = float(min(values.min(), observed)), float(max(values.max(), observed))
    counts, edges = np.histogram(values, bins=bins, range=(low, high) if high > low else (low - 0.5, low + 0.5))
    bars: Spec = {
        "type": "bar",
        "x": numbers((edges[:-1] + edges[1:]) / 2),
        "y": counts.tolist(),
        "marker": {"color": MODELS["bayes"].color, "opacity": 0.55},
        "hovertemplate": "%{y} replicates near %{x:,.5~r}<extra></extra>",
    }
    axes = layout(
        panel_axis(x_title, nticks=5, tickangle=0),
        panel_axis("replicates", nticks=5),
        bargap=0.05,
        margin=PANEL_MARGIN,
        shapes=[vertical(observed, width=3)],
    )
    return spec([bars], axes)


def counts_histogram(values: Floats, x_title: str, y_title: str, *, bins: int = 40) -> Spec:
    """How many whole `values` fall in each bin; at most `bins` bins, all of the same whole width."""
    low, high = float(values.min()), float(values.max())
    step = np.ceil((high - low + 1) / bins)
    counts, edges = np.histogram(values, bins=np.arange(low - 0.5, high + step + 0.5, step))
    bars: Spec = {
        "type": "bar",
        "x": numbers((edges[:-1] + edges[1:]) / 2),
        "y": counts.tolist(),
        "marker": {"color": NEUTRAL},
        "hovertemplate": "%{y} near %{x:,.4~r}<extra></extra>",
    }
    return spec([bars], layout(axis(x_title), axis(y_title), bargap=0.05))


def ranks(draws: Floats, *, bins: int = RANK_BINS) -> Spec:
    """Rank plot of `draws` (C, D): flat in the band means that the chains agree (Vehtari et al. 2021)."""
    counts = rank_counts(draws, bins)
    expected, slack = _band(draws, bins)
    band = {
        "type": "rect",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": max(expected - slack, 0),
        "y1": expected + slack,
    }
    shapes = [{**band, "fillcolor": NEUTRAL, "opacity": 0.18, "line": {"width": 0}, "layer": "below"}]
    top = 1.1 * float(max(counts.max(), expected + slack))
    traces = [_chain(number, row) for number, row in enumerate(counts)]
    across = panel_axis("rank among all draws, in 20 bins", showticklabels=False, ticks="", showgrid=False)
    along = panel_axis("draws", range=[0, top], nticks=5)
    return spec(traces, layout(across, along, margin=PANEL_MARGIN, shapes=shapes))


def _band(draws: Floats, bins: int) -> tuple[float, float]:
    """The expected count of a bin, and how far 99 of 100 lie from it if chains agree and draws are independent."""
    expected = draws.shape[1] / bins
    return expected, float(2.576 * np.sqrt(expected * (1 - 1 / bins)))


def beyond_band(draws: Floats, *, bins: int = RANK_BINS) -> tuple[int, int]:
    """How many of the rank plot's bins, over all chains, lie outside its band; and of how many."""
    expected, slack = _band(draws, bins)
    counts = rank_counts(draws, bins)
    return int((np.abs(counts - expected) > slack).sum()), counts.size


def rank_counts(draws: Floats, bins: int) -> Floats:
    """(C, bins): how many of each chain's draws fall in each bin of the ranks over all chains."""
    order = np.argsort(np.argsort(draws.ravel(), kind="stable"), kind="stable").reshape(draws.shape)
    place = order * bins // draws.size
    return np.array([np.bincount(row, minlength=bins) for row in place], dtype=float)


def _chain(number: int, counts: Floats) -> Spec:
    style = {
        "color": OTHERS[number % 4],
        "dash": CHAIN_DASHES[(number // 4) % 4],
        "shape": "hvh",
        "width": 1.6,
    }
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(range(counts.size)),
        "y": counts.astype(int).tolist(),
        "line": style,
        "hovertemplate": f"%{{y}} draws<extra>chain {number + 1}</extra>",
    }
