"""One visual language for every figure: a colour, a dash and a symbol per model, light and dark themes.

Figures are plain dictionaries as Plotly.js reads them. Colours that carry meaning are fixed and stand
out from white and from dark paper alike; ink, grid and paper come from the theme the reader's device
asks for. Colours follow Okabe & Ito's colour-blind-safe palette; dashes and symbols repeat what the
colour says, for print in grey.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from tasks.view.words import text as words

Spec: TypeAlias = dict[str, Any]

NEUTRAL = "#808080"
POINTS = "rgba(128,128,128,0.7)"
ALERT = "#CC3311"  # a limit, and what is beyond it
OTHERS = ("#7766CC", "#CC6677", "#8C6D46", "#44889C")  # what is told apart and is no model: chains, terms
REFERENCE = "#B58900"  # a line over the points of groups that is no model's estimate of them: a trend, a limit
PANEL_MARGIN = {"l": 8, "r": 8, "t": 6, "b": 8}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"
TICK_LABEL_LENGTH = 22
HOVER_LABEL_LENGTH = 48
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "%": "&#37;", "$": "&#36;"})


@dataclass(frozen=True)
class ModelStyle:
    label: str
    color: str
    dash: str
    symbol: str


MODELS: dict[str, ModelStyle] = {
    "complete_pooling": ModelStyle("Complete pooling", "#767676", "dot", "x"),
    "no_pooling": ModelStyle("No pooling", "#D55E00", "dash", "square"),
    "partial_pooling": ModelStyle("Partial pooling", "#1F80C0", "dashdot", "diamond"),
    "bayes": ModelStyle("Bayes", "#009E73", "solid", "circle"),
}


def text(content: str, limit: int = HOVER_LABEL_LENGTH) -> str:
    """The text escaped so that Plotly shows it verbatim, without its HTML subset, templates and formulas."""
    return words.label(content, limit).translate(_ENTITIES)


def tick(content: str) -> str:
    return text(content, TICK_LABEL_LENGTH)


def numbers(values: ArrayLike, digits: int = 4) -> list[float | None]:
    """Values as JSON numbers, rounded to a ten-thousandth of their range (no screen shows more); null if not finite."""
    array = np.asarray(values, dtype=float).ravel()
    finite = array[np.isfinite(array)]
    if not finite.size:
        return [None] * array.size
    span = float(np.ptp(finite)) or float(np.abs(finite).max()) or 1.0
    decimals = digits - math.floor(math.log10(span))
    return [_brief(value) for value in np.round(array, min(decimals, 300)).tolist()]


def _brief(value: float) -> float | None:
    """The number, as an int if it is whole (JSON would write 1.0 for 1); None if not finite."""
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def grouped(trace: Spec, groups: ArrayLike) -> Spec:
    """The trace with the group (its position, or -1 for none) of each of its points: choosing a group anywhere in the
    report marks its points here too. `groups` has one entry per point."""
    return {**trace, "meta": {**trace.get("meta", {}), "groups": np.asarray(groups, dtype=int).ravel().tolist()}}


@dataclass(frozen=True)
class Shown:
    """One coordinate of a figure's points, as their hover tells it, with the ends of its interval."""

    lower: ArrayLike
    upper: ArrayLike
    unit: str = ""
    name: str = ""
    value: str = "y"  # the coordinate
    interval: str = "95&nbsp;% interval"


def hover_estimate(n: Iterable[int] | None, *shown: Shown, extra: str = "") -> Spec:
    """`customdata` and `hovertemplate` of points whose `text` names a group: the group, its rows `n`, each estimate
    and its interval. `extra` is shown in a box beside it. A point whose interval is missing says so."""
    ends = [numbers(end) for one in shown for end in (one.lower, one.upper)]
    sizes = [None] * len(ends[0]) if n is None else [int(size) for size in n]
    rows = [list(row) for row in zip(sizes, *ends, strict=True)]
    gaps = {tuple(end is None for end in row[1:]) for row in rows}
    templates = {gap: _hover_template(shown, gap, n is not None, extra) for gap in gaps}
    each = [templates[tuple(end is None for end in row[1:])] for row in rows]
    return {"customdata": rows, "hovertemplate": each if len(templates) > 1 else next(iter(templates.values()), "")}


def _hover_template(shown: Sequence[Shown], gap: tuple[bool, ...], has_n: bool, extra: str) -> str:
    lines = ["<b>%{text}</b>" + (", n = %{customdata[0]:,}" if has_n else "")]
    for k, one in enumerate(shown):
        named, unit = f"{text(one.name)}: " if one.name else "", f"\u202f{text(one.unit)}" if one.unit else ""
        lines.append(f"{named}%{{{one.value}:,.4~r}}{unit}")
        low, high = 2 * k + 1, 2 * k + 2
        known = f"{one.interval} %{{customdata[{low}]:,.4~r}} to %{{customdata[{high}]:,.4~r}}"
        lines.append("no interval" if any(gap[2 * k : 2 * k + 2]) else known)
    return "<br>".join(lines) + f"<extra>{text(extra) if extra else ''}</extra>"


def segments(start: ArrayLike, end: ArrayLike) -> list[float | None]:
    """start₀, end₀, null, start₁, end₁, null …: many line pieces as one trace."""
    first, last = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    return numbers(np.column_stack([first, last, np.full(first.shape, np.nan)]))


def padded(values: ArrayLike, share: float = 0.06) -> list[float]:
    """An axis range around the finite values."""
    array = np.asarray(values, dtype=float)
    finite = array[np.isfinite(array)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    margin = share * ((high - low) or abs(high) or 1.0)
    return [low - margin, high + margin]


def axis(title: str = "", **options: Any) -> Spec:
    """`title` is shown verbatim. Plotly's own defaults come from the theme."""
    named = {"title": {"text": text(title, 80), "standoff": 8}} if title else {}
    return {"automargin": True, "zeroline": False, **named, **options}


def panel_axis(title: str = "", **options: Any) -> Spec:
    """The axis of a small picture."""
    made = axis(title, **{"ticks": "outside", "ticklen": 3, **options})
    if title:
        made["title"] |= {"font": {"size": 11}, "standoff": 4}
    return {**made, "tickfont": {"size": 11}}


def layout(x: Spec, y: Spec, **options: Any) -> Spec:
    return {
        "xaxis": x,
        "yaxis": y,
        "margin": {"l": 8, "r": 8, "t": 30, "b": 8},
        "hovermode": "closest",
        "showlegend": False,
        **options,
    }


def inked(color: str, **options: Any) -> Spec:
    """The look of a line or a mark; without a colour the theme's ink draws it, as it does what was observed."""
    return {"color": color, **options} if color else options


def legend_above() -> Spec:
    return {
        "orientation": "h",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "title": {"text": ""},
        "tracegroupgap": 0,
    }


def band(x: ArrayLike, lower: ArrayLike, upper: ArrayLike, fill: str, name: str) -> tuple[Spec, Spec]:
    """The area between two lines, as two traces that follow one another: its lower end, and its upper, filled down."""
    edge: Spec = {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(x),
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    filled = {"y": numbers(upper), "fill": "tonexty", "fillcolor": fill, "name": text(name), "showlegend": True}
    return {**edge, "y": numbers(lower)}, {**edge, **filled}


def vertical(x: float, color: str = "", *, dash: str = "solid", width: float = 2) -> Spec:
    """A line over the whole height at `x`, in the theme's ink if it has no colour."""
    line = inked(color, dash=dash, width=width)
    return {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": line}


def horizontal(y: float, color: str, *, dash: str = "solid", width: float = 2) -> Spec:
    """A line over the whole width at `y`."""
    line = {"color": color, "dash": dash, "width": width}
    return {"type": "line", "y0": y, "y1": y, "xref": "paper", "x0": 0, "x1": 1, "line": line}


def spec(data: Iterable[Spec], figure_layout: Spec) -> Spec:
    return {"data": list(data), "layout": figure_layout}


def theme(*, ink: str, grid: str, paper: str) -> Spec:
    """A Plotly template: what differs between light and dark."""
    lines = {"gridcolor": grid, "linecolor": grid, "zerolinecolor": grid, "tickcolor": grid}
    hover = {
        "bgcolor": paper,
        "bordercolor": grid,
        "font": {"color": ink, "family": FONT, "size": 13},
        "align": "left",
    }
    return {
        "layout": {
            "font": {"color": ink, "family": FONT, "size": 13},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "xaxis": lines,
            "yaxis": lines,
            "hoverlabel": hover,
            "colorway": [ink],
            "shapedefaults": {"line": {"color": ink}},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": NEUTRAL, "activecolor": ink},
        }
    }


LIGHT = theme(ink="#1b2026", grid="#dfe3e8", paper="#ffffff")
DARK = theme(ink="#e4e7eb", grid="#39414b", paper="#1d2229")
