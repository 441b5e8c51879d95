"""Predictions of what a model has not seen: scores by group size, moves without a group, PIT-ECDF."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.stats.judged.pit import LooPit
from tasks.stats.records import Floats, Integers
from tasks.view.figures.scatter import WEBGL_FROM, crowded
from tasks.view.figures.style import (
    ALERT,
    MODELS,
    NEUTRAL,
    OTHERS,
    Spec,
    axis,
    grouped,
    horizontal,
    layout,
    legend_above,
    numbers,
    padded,
    spec,
    text,
    tick,
    vertical,
)

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "star", "cross")


def scores(
    label: str,
    names: Sequence[str],
    x: Floats,
    n: Integers,
    score: Floats,
    more: Floats,
    groups: Integers,
    *,
    is_high: bool,
) -> Spec:
    """Groups with a score per row, at their places `x`; `more` (G, 2) are typical error and Pareto k, for the hover."""
    many = len(names) >= WEBGL_FROM
    color, symbol = (ALERT, "x") if is_high else (MODELS["bayes"].color, "circle")
    errors, k = numbers(more[:, 0]), numbers(more[:, 1])
    trace: Spec = {
        "type": "scattergl" if many else "scatter",
        "mode": "markers",
        "name": text(label),
        "x": numbers(x),
        "y": numbers(score),
        "text": [text(name) for name in names],
        "customdata": [list(row) for row in zip(n.tolist(), errors, k, strict=True)],
        "marker": {"color": color, "symbol": symbol, **crowded(len(names))},
        "hovertemplate": (
            "<b>%{text}</b>, n = %{customdata[0]:,}<br>log score per row %{y:.3f}<br>typical error as a new group "
            "%{customdata[1]:,.4~r}<br>Pareto k %{customdata[2]:.2f}<extra></extra>"
        ),
    }
    return grouped(trace, groups)


def scores_plot(traces: Sequence[Spec], x_axis: Spec, y_title: str) -> Spec:
    axes = layout(x_axis, axis(y_title))
    return spec(traces, {**axes, "showlegend": len(traces) > 1, "legend": legend_above()})


def moves(
    names: Sequence[str], n: Integers, dfbetas: Floats, terms: Sequence[str], groups: Integers, limit: float
) -> Spec:
    """A row per group, a symbol per term at `dfbetas` (G, p): how many standard errors the group moves the estimate."""
    rows = list(range(len(names)))
    traces = [
        grouped(
            {
                "type": "scatter",
                "mode": "markers",
                "name": text(term),
                "x": numbers(dfbetas[:, k]),
                "y": rows,
                "text": [text(name) for name in names],
                "customdata": n.tolist(),
                "marker": {"color": OTHERS[k % len(OTHERS)], "symbol": SYMBOLS[k % len(SYMBOLS)], "size": 9},
                "hovertemplate": "<b>%{text}</b>, n = %{customdata:,}<br>moves it by %{x:.2f} standard errors"
                f"<extra>{text(term)}</extra>",
            },
            groups,
        )
        for k, term in enumerate(terms)
    ]
    lines = [vertical(at, ALERT, dash="dash", width=1.5) for at in (-limit, limit)]
    ends = np.append(dfbetas[np.isfinite(dfbetas)], [-1.1 * limit, 1.1 * limit])
    axes = layout(
        axis("standard errors that the group moves the estimate", range=padded(ends, 0.03)),
        axis(range=[len(names) - 0.4, -0.6], showgrid=False, tickvals=rows, ticktext=[tick(name) for name in names]),
        shapes=[vertical(0, NEUTRAL, dash="dot", width=1.5), *lines],
    )
    return spec(traces, {**axes, "showlegend": len(terms) > 1, "legend": legend_above()})


def pit_ecdf(found: LooPit) -> Spec:
    """The difference ECDF as steps, over its band."""
    band: Spec = {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(np.concatenate([found.at, found.at[::-1]])),
        "y": numbers(np.concatenate([found.upper, found.lower[::-1]])),
        "fill": "toself",
        "fillcolor": "rgba(128,128,128,0.22)",
        "line": {"width": 0},
        "hoverinfo": "skip",
    }
    curve: Spec = {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(found.at),
        "y": numbers(found.difference),
        "line": {"color": MODELS["bayes"].color, "width": 2.2},
        "hovertemplate": "at %{x:.2f}: %{y:+.3f}<extra></extra>",
    }
    axes = layout(
        axis("predicted probability of a smaller outcome", range=[0, 1]),
        axis("observed − expected share"),
        shapes=[horizontal(0, NEUTRAL, dash="dot", width=1.5)],
    )
    return spec([band, curve], axes)
