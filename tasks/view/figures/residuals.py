"""Residuals: against normal quantiles, and against what rows can be put in order by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.stats.judged.assumptions import ResidualBins
from tasks.stats.records import Floats, Integers
from tasks.view.figures.scatter import crowded
from tasks.view.figures.style import (
    MODELS,
    NEUTRAL,
    Spec,
    axis,
    band,
    grouped,
    horizontal,
    layout,
    legend_above,
    numbers,
    spec,
    text,
    tick,
)

BAND = "rgba(128,128,128,0.22)"
MOST_NAMES = 5


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

    If the points are groups, `names` and `groups` are theirs; those farthest outside the band are named.
    """
    ends = [float(normal[0]), float(normal[-1])]
    diagonal: Spec = {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(ends),
        "y": numbers(ends),
        "line": {"color": NEUTRAL, "width": 1.5, "dash": "dash"},
        "hoverinfo": "skip",
        "showlegend": False,
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
    beyond = np.maximum(residual - upper, lower - residual)
    traces = [*band(normal, lower, upper, BAND, "If normal, 95 %"), diagonal, points]
    traces += _named(normal, residual, beyond, names) if names else []
    axes = layout(axis("expected of a normal distribution (SDs)"), axis(f"{what} (SDs)"))
    return spec(traces, {**axes, "showlegend": True, "legend": legend_above()})


def _named(x: Floats, y: Floats, beyond: Floats, names: Sequence[str]) -> list[Spec]:
    """The names of the points farthest beyond the band, on its side of each; none where no point is."""
    far = [int(k) for k in np.argsort(-beyond, kind="stable")[:MOST_NAMES] if beyond[k] > 0]
    label: Spec = {
        "type": "scatter",
        "mode": "text",
        "x": numbers(x[far]),
        "y": numbers(y[far]),
        "text": [f"\u2002{tick(names[k])}\u2002" for k in far],
        "textposition": ["middle left" if x[k] > 0 else "middle right" for k in far],
        "textfont": {"size": 12},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return [label] if far else []


def against(
    at: Floats,
    residual: Floats,
    names: Sequence[str],
    groups: Integers,
    *,
    trend: ResidualBins,
    what: str,
    x_title: str,
    y_title: str,
) -> Spec:
    """A point per row; the trend is the median residual of each tenth of the rows, and one SD to either side.

    `what` is said of a row's place in front of its value: `expected`.
    """
    points: Spec = {
        "type": "scatter",
        "mode": "markers",
        "name": "Rows",
        "x": numbers(at),
        "y": numbers(residual),
        "text": [text(name) for name in names],
        "marker": {"color": NEUTRAL, **crowded(len(names))},
        "hovertemplate": f"<b>%{{text}}</b><br>{text(what)} %{{x:,.4~r}}, off by %{{y:,.3~r}}<extra></extra>",
    }
    bayes = MODELS["bayes"]
    lines = [
        _line(trend.at, trend.median, bayes.color, bayes.dash, "Median"),
        _line(trend.at, trend.median + trend.sd, bayes.color, "dot", "One SD above and below"),
        {**_line(trend.at, trend.median - trend.sd, bayes.color, "dot", "One SD below"), "showlegend": False},
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
        "line": {"color": color, "dash": dash, "width": 2.5},
        "hovertemplate": f"%{{y:,.3~r}}<extra>{name}</extra>",
    }
