"""Residuals: against normal quantiles, and against what the model expects."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.stats.records import Floats, Integers
from tasks.view.figures.style import (
    MODELS,
    NEUTRAL,
    POINTS,
    Spec,
    axis,
    grouped,
    horizontal,
    layout,
    legend_above,
    numbers,
    spec,
    text,
)


def qq(
    normal: Floats,
    residual: Floats,
    lower: Floats,
    upper: Floats,
    *,
    what: str = "residual",
    names: Sequence[str] = (),
    groups: Integers | None = None,
) -> Spec:
    """Ordered values in SDs, within the band that holds them all in 95 % of normal samples.

    If the points are groups, `names` and `groups` are theirs.
    """
    edge: Spec = {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(normal),
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    fill = {"fill": "tonexty", "fillcolor": "rgba(128,128,128,0.22)", "name": "If normal, 95 %", "showlegend": True}
    ends = [float(normal[0]), float(normal[-1])]
    diagonal: Spec = {
        **edge,
        "x": numbers(ends),
        "y": numbers(ends),
        "line": {"color": NEUTRAL, "width": 1.5, "dash": "dash"},
    }
    points: Spec = {
        "type": "scatter",
        "mode": "markers",
        "name": "Rows" if groups is None else "Groups",
        "x": numbers(normal),
        "y": numbers(residual),
        **({"text": [text(name) for name in names]} if names else {}),
        "marker": {"color": MODELS["bayes"].color, "size": 6, "opacity": 0.8},
        "hovertemplate": ("<b>%{text}</b><br>" if names else "") + "%{y:.2f} SD; a normal has %{x:.2f}<extra></extra>",
    }
    if groups is not None:
        points = grouped(points, groups)
    traces = [{**edge, "y": numbers(lower)}, {**edge, **fill, "y": numbers(upper)}, diagonal, points]
    axes = layout(axis("expected of a normal distribution (SDs)"), axis(f"{what} (SDs)"))
    return spec(traces, {**axes, "showlegend": True, "legend": legend_above()})


def against_fitted(
    fitted: Floats,
    residual: Floats,
    names: Sequence[str],
    groups: Integers,
    *,
    trend_at: Floats,
    trend: Floats,
    trend_sd: Floats,
    x_title: str,
    y_title: str,
) -> Spec:
    """A point per row; the trend is the median residual of each tenth of the rows, and one SD to either side."""
    points: Spec = {
        "type": "scatter",
        "mode": "markers",
        "name": "Rows",
        "x": numbers(fitted),
        "y": numbers(residual),
        "text": [text(name) for name in names],
        "marker": {"color": POINTS, "size": 5},
        "hovertemplate": "<b>%{text}</b><br>expected %{x:,.4~r}, off by %{y:,.3~r}<extra></extra>",
    }
    bayes = MODELS["bayes"]
    lines = [
        _line(trend_at, trend, bayes.color, bayes.dash, "Median"),
        _line(trend_at, trend + trend_sd, bayes.color, "dot", "One SD above and below"),
        {**_line(trend_at, trend - trend_sd, bayes.color, "dot", "One SD below"), "showlegend": False},
    ]
    axes = layout(axis(x_title), axis(y_title), shapes=[horizontal(0.0, NEUTRAL, width=1)])
    return spec([grouped(points, groups), *lines], {**axes, "showlegend": True, "legend": legend_above()})


def _line(x: Floats, y: Floats, color: str, dash: str, name: str) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(x),
        "y": numbers(y),
        "name": name,
        "line": {"color": color, "dash": dash, "width": 2},
        "hovertemplate": f"%{{y:,.3~r}}<extra>{name}</extra>",
    }
