"""Rows as they came, a strip per group: single rows over their median and middle half."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.figures.panels import spread_out
from tasks.view.figures.style import (
    NEUTRAL,
    POINTS,
    Shown,
    Spec,
    axis,
    grouped,
    hover_estimate,
    layout,
    legend_above,
    numbers,
    padded,
    segments,
    spec,
    text,
    tick,
)

ROW_PIXELS = 40
FRAME_PIXELS = 120
HALF = 0.3  # how far rows are spread across their strip, as a share of the distance of strips


@dataclass(frozen=True)
class Strips:
    """Groups from top to bottom."""

    names: Sequence[str]  # G
    n: Sequence[int]  # G
    groups: Integers  # (G,) positions
    rows: Sequence[Floats]  # G: the rows drawn of each group, in order
    quartiles: Floats  # (G, 3)


def strip_plot(strips: Strips, x_title: str, unit: str) -> Spec:
    ticks = [f"{tick(name)}<br>n = {n:,}" for name, n in zip(strips.names, strips.n, strict=True)]
    places = list(range(len(ticks)))
    ends = padded(np.concatenate(strips.rows), 0.03)
    axes = layout(
        axis(x_title, range=ends),
        axis(tickvals=places, ticktext=ticks, range=[len(ticks) - 0.4, -0.6], showgrid=False),
        showlegend=True,
        legend=legend_above(),
    )
    return spec([_rows(strips, unit), _halves(strips), _medians(strips, unit)], axes)


def height(n_strips: int) -> int:
    return FRAME_PIXELS + ROW_PIXELS * n_strips


def _rows(strips: Strips, unit: str) -> Spec:
    across = [place + HALF * (2 * spread_out(rows.size) - 1) for place, rows in enumerate(strips.rows)]
    sizes = [rows.size for rows in strips.rows]
    measure = f"\u202f{text(unit)}" if unit else ""
    trace: Spec = {
        "type": "scatter",
        "mode": "markers",
        "name": "rows",
        "x": numbers(np.concatenate(strips.rows)),
        "y": numbers(np.concatenate(across), digits=2),
        "marker": {"size": 4, "color": POINTS},
        "hovertemplate": f"%{{x:,.4~r}}{measure}<extra>row</extra>",
    }
    return grouped(trace, np.repeat(strips.groups, sizes))


def _halves(strips: Strips) -> Spec:
    places = np.arange(len(strips.names), dtype=float)
    trace: Spec = {
        "type": "scatter",
        "mode": "lines",
        "name": "middle half of the rows",
        "x": segments(strips.quartiles[:, 0], strips.quartiles[:, 2]),
        "y": segments(places, places),
        "line": {"color": NEUTRAL, "width": 3},
        "hoverinfo": "skip",
    }
    return grouped(trace, np.repeat(strips.groups, 3))


def _medians(strips: Strips, unit: str) -> Spec:
    shown = Shown(strips.quartiles[:, 0], strips.quartiles[:, 2], unit, "median", "x", "middle half")
    trace: Spec = {
        "type": "scatter",
        "mode": "markers",
        "name": "median",
        "x": numbers(strips.quartiles[:, 1]),
        "y": list(range(len(strips.names))),
        "text": [text(name) for name in strips.names],
        "marker": {"symbol": "diamond", "size": 11, "color": NEUTRAL, "line": {"width": 1.5, "color": "#ffffff"}},
        **hover_estimate(strips.n, shown),
    }
    return grouped(trace, strips.groups)
