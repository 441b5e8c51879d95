"""Priors: what they expect of the data, beside the posterior, and how much they matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.stats.records import Floats
from tasks.view.figures.style import (
    ALERT,
    MODELS,
    PANEL_MARGIN,
    Spec,
    axis,
    band,
    grouped,
    inked,
    layout,
    legend_above,
    numbers,
    panel_axis,
    spec,
    text,
    tick,
    vertical,
)

PRIOR = "#AA4499"
PRIOR_FILLS = ("rgba(170,68,153,0.16)", "rgba(170,68,153,0.26)")  # 95 %, 50 %
SHARES = [0, 0.2, 0.4, 0.6, 0.8, 1]
SHARE_TICKS = [f"{round(100 * share)}\u202f%" for share in SHARES]
ROW_PIXELS = 34
FRAME_PIXELS = 120


def share_below(at: Floats, bands: Floats, observed: Floats, *, x_title: str, what: str = "rows") -> Spec:
    """Share of a data set's rows below each value: `bands` (5, points) over data sets that the priors expect (2.5, 25,
    50, 75, 97.5 %), `observed` (points,) of the data."""
    lower, quarter, median, three_quarters, upper = bands
    traces = [
        *band(at, lower, upper, PRIOR_FILLS[0], "Prior, 95 % of data sets"),
        *band(at, quarter, three_quarters, PRIOR_FILLS[1], "Prior, 50 % of data sets"),
        _line(at, median, PRIOR, "dash", "Prior, median"),
        _line(at, observed, "", "solid", "The data"),
    ]
    percent = axis(f"share of {what} below", range=[-0.02, 1.02], tickvals=SHARES, ticktext=SHARE_TICKS)
    return spec(traces, layout(axis(x_title), percent, showlegend=True, legend=legend_above()))


def _line(x: Floats, y: Floats, color: str, dash: str, name: str) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(x),
        "y": numbers(y),
        "name": text(name),
        "line": inked(color, dash=dash, width=2.2),
        "hovertemplate": f"%{{y:.0%}} below %{{x:,.4~r}}<extra>{text(name)}</extra>",
    }


def prior_and_posterior(
    prior_at: Floats, prior: Floats, posterior_at: Floats, posterior: Floats, *, x_title: str
) -> Spec:
    """Both densities, each scaled to a maximum of 1: readers compare their widths, not their heights."""
    bayes = MODELS["bayes"]
    traces = [
        _density(prior_at, prior, PRIOR, "dash", PRIOR_FILLS[0], "prior"),
        _density(posterior_at, posterior, bayes.color, "solid", "rgba(0,158,115,0.2)", "posterior"),
    ]
    height = panel_axis("relative height", showticklabels=False, ticks="", showgrid=False, range=[0, 1.08])
    return spec(traces, layout(panel_axis(x_title, nticks=5, tickangle=0), height, margin=PANEL_MARGIN))


def _density(x: Floats, y: Floats, color: str, dash: str, fill: str, name: str) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(x),
        "y": numbers(y / y.max(), 3),
        "line": {"color": color, "dash": dash, "width": 2},
        "fill": "tozeroy",
        "fillcolor": fill,
        "hovertemplate": f"%{{x:,.4~r}}<extra>{name}</extra>",
    }


@dataclass(frozen=True)
class SensitivityRow:
    """One line of the figure: a parameter (one value), or one effect of several groups (a value per group)."""

    name: str
    prior: Floats
    likelihood: Floats
    points: tuple[str, ...]  # a name per value
    groups: tuple[int, ...]  # position of a group per value; -1 for none


def sensitivity_height(n_rows: int) -> int:
    return FRAME_PIXELS + ROW_PIXELS * n_rows


def sensitivity(rows: Sequence[SensitivityRow], limit: float) -> Spec:
    """Rows from top to bottom: how far the prior and how far the data move each quantity; `limit` is a line."""
    bayes = MODELS["bayes"].color
    traces = [
        _moved(rows, [row.prior for row in rows], -0.14, PRIOR, "diamond", "Moved by the prior"),
        _moved(rows, [row.likelihood for row in rows], 0.14, bayes, "circle", "Moved by the data"),
    ]
    ticks: Spec = {"tickvals": list(range(len(rows))), "ticktext": [tick(row.name) for row in rows]}
    values = np.concatenate([np.append(row.prior, row.likelihood) for row in rows])
    top = max(limit, float(np.nanmax(values, initial=0.0)))
    axes = layout(
        axis("sensitivity", range=[-0.03 * top, 1.05 * top]),
        axis(range=[len(rows) - 0.4, -0.6], showgrid=False, **ticks),
        shapes=[vertical(limit, ALERT, dash="dash", width=1.5)],
        showlegend=True,
        legend=legend_above(),
    )
    return spec(traces, axes)


def _moved(
    rows: Sequence[SensitivityRow], values: Sequence[Floats], offset: float, color: str, symbol: str, name: str
) -> Spec:
    points: Spec = {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": numbers(np.concatenate(values)),
        "y": numbers([place + offset for place, row in enumerate(rows) for _ in row.points]),
        "text": [text(point) for row in rows for point in row.points],
        "marker": {"color": color, "symbol": symbol, "size": 8, "opacity": 0.8},
        "hovertemplate": f"<b>%{{text}}</b><br>%{{x:.3f}}<extra>{name}</extra>",
    }
    return grouped(points, [group for row in rows for group in row.groups])
