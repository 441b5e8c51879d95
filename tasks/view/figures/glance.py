"""Every group at a glance: the record that both of its drawings are made of, and the interactive one.

The other, which stands until a script has drawn this one, is in `tasks.view.figures.still`. Of up to MOST_NAMED groups
each has a row and a name; of more they stand side by side with whiskers, and of very many some of them on a ribbon.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.figures import intervals
from tasks.view.figures.style import (
    ALERT,
    NEUTRAL,
    Shown,
    Spec,
    axis,
    grouped,
    horizontal,
    hover_estimate,
    layout,
    legend_above,
    numbers,
    padded,
    segments,
    spec,
    text,
)

MOST_NAMED = 25  # groups that have a row of their own
HEIGHT = 320  # of more groups, side by side
MOST_WHISKERS = 400
APART, CLOSE, RIBBON = "clearly above or below the average", "too close to call", "95 % intervals"
RIBBON_OPACITY = 0.25
TARGET = "target"
TARGET_ROWS, MOST_TARGETS = 0.35, 200  # half the length of a target's mark, in places; no shorter than so many of all
POINT_PIXELS, SMALL_POINT_PIXELS = 8, 5
WHISKER_PIXELS, THIN_WHISKER_PIXELS = 2, 1.2
MOST_IN_FULL, FINEST_IN_FULL = 1e7, 0.01  # ticks of larger values, or of a narrower range, are left to Plotly


@dataclass(frozen=True)
class Glance:
    """The groups that have an estimate, the highest first; arrays are (J,), in the outcome's unit, ends of intervals
    NaN where there are none."""

    names: tuple[str, ...]
    groups: Integers  # positions in the report
    n_rows: Integers
    estimate: Floats
    lower: Floats
    upper: Floats
    apart: np.ndarray  # whether the group can be told from the mean
    mean: float | None  # of the groups; None where they are not compared with it
    color: str  # of those that are apart
    outcome: str
    unit: str = ""
    target: Floats | None = None  # that each group has; NaN for a group without one
    axis_title: str = ""  # in place of the outcome with its unit

    @property
    def is_named(self) -> bool:
        return self.groups.size <= MOST_NAMED

    @property
    def is_thinned(self) -> bool:
        return self.groups.size > MOST_WHISKERS

    @property
    def height(self) -> int:
        """CSS pixels."""
        return intervals.height(self.groups.size, 1, has_upper_axis=False) - 30 if self.is_named else HEIGHT

    @property
    def title(self) -> str:
        return self.axis_title or (f"{self.outcome} ({self.unit})" if self.unit else self.outcome)

    @property
    def ranks_title(self) -> str:
        return f"{self.groups.size:,} groups, the highest first"

    @cached_property
    def shown(self) -> Integers:
        """Places in the order, from 0, of the groups that are drawn: spaced evenly, so that as large a share of them
        is coloured as of all."""
        return np.unique(np.linspace(0, self.groups.size - 1, min(self.groups.size, MOST_WHISKERS)).astype(int))

    @cached_property
    def values(self) -> tuple[float, float]:
        """What the axis of the outcome reaches from and to."""
        targets = np.empty(0) if self.target is None else self.target
        low, high = padded(np.concatenate([self.estimate, self.lower, self.upper, targets]), 0.03)
        return low, high

    @property
    def targets(self) -> Iterator[tuple[float, float, float]]:
        """Of each group drawn that has one: from and to which place in the order a mark stands, and at what value."""
        half = TARGET_ROWS if self.is_named else max(TARGET_ROWS, self.groups.size / MOST_TARGETS)
        targets = np.full(self.groups.size, np.nan) if self.target is None else self.target
        for place in self.shown[np.isfinite(targets[self.shown])]:
            yield float(place) - half, float(place) + half, float(targets[place])

    @cached_property
    def ranks(self) -> tuple[float, float]:
        """The same of places in the order, from 1."""
        low, high = padded(self.shown + 1, 0.02)
        return low, high

    @property
    def ribbon(self) -> Integers:
        """Places of the groups drawn whose intervals make the ribbon; none where each has its whisker."""
        known = np.isfinite(self.lower[self.shown]) & np.isfinite(self.upper[self.shown])
        return self.shown[known] if self.is_thinned else self.shown[:0]

    def kinds(self) -> Iterator[tuple[str, str, Integers]]:
        """Label, colour and places of the groups drawn alike: what is drawn first may be covered by what follows."""
        close = (CLOSE, NEUTRAL, self.shown[~self.apart[self.shown]])
        apart = (APART, self.color, self.shown[self.apart[self.shown]])
        for kind in (apart, close) if self.is_named else (close, apart):
            if kind[2].size:
                yield kind


def interactive(glance: Glance) -> Spec:
    """For Plotly."""
    return _named(glance) if glance.is_named else _side_by_side(glance)


def _named(glance: Glance) -> Spec:
    """A row per group, with its name."""
    drawn = intervals.interval_plot(
        glance.names,
        [_series(glance, *kind) for kind in glance.kinds()],
        x_title=glance.title,
        reference=glance.mean,
        together=True,
        groups=glance.groups,
        n=glance.n_rows.tolist(),
        unit=glance.unit,
        has_upper_axis=False,
    )
    figure_layout, targets = drawn["layout"], _targets(glance)
    return {
        **drawn,
        "data": [*drawn["data"], *targets],
        "layout": {**figure_layout, "xaxis": {**figure_layout["xaxis"], **_ticks(glance)}},
    }


def _series(glance: Glance, label: str, color: str, places: Integers) -> intervals.Series:
    chosen = np.isin(glance.shown, places)
    estimate, lower, upper = (np.where(chosen, part, np.nan) for part in (glance.estimate, glance.lower, glance.upper))
    symbol = "circle" if label == APART else "circle-open"
    return intervals.Series(label, color, symbol, estimate, lower, upper, WHISKER_PIXELS)


def _ticks(glance: Glance) -> Spec:
    """How Plotly writes the outcome's ticks: in full, as the still picture does."""
    low, high = glance.values
    is_in_full = max(abs(low), abs(high)) < MOST_IN_FULL and high - low > FINEST_IN_FULL
    return {"tickformat": ",~f"} if is_in_full else {}


def _side_by_side(glance: Glance) -> Spec:
    """Groups from left to right, without names; beyond MOST_WHISKERS some of them, and a ribbon for intervals."""
    traces, kinds = [_ribbon(glance)] if glance.is_thinned else [], list(glance.kinds())
    for label, color, places in kinds:
        traces += _points(glance, label, color, places)
    traces += _targets(glance)
    axes = layout(
        axis(glance.ranks_title, range=list(glance.ranks), showgrid=False, tickformat=","),
        axis(glance.title, range=list(glance.values), **_ticks(glance)),
        shapes=[] if glance.mean is None else [horizontal(glance.mean, NEUTRAL, dash="dot", width=1.5)],
        margin={"l": 8, "r": 20, "t": 30, "b": 8},  # the last tick's label is half beyond the axis
        showlegend=glance.is_thinned or len(kinds) > 1,
        legend=legend_above(),
    )
    return spec(traces, axes)


def _targets(glance: Glance) -> list[Spec]:
    """A mark across each group's line; none without targets."""
    marks = list(glance.targets)
    if not marks:
        return []
    first, last, value = map(np.array, zip(*marks, strict=True))
    along, across = segments(first, last), segments(value, value)
    if not glance.is_named:
        along = [None if at is None else at + 1 for at in along]
    x, y = (across, along) if glance.is_named else (along, across)
    look = {"color": ALERT, "width": WHISKER_PIXELS}
    return [{"type": "scatter", "mode": "lines", "name": TARGET, "x": x, "y": y, "line": look, "hoverinfo": "skip"}]


def _ribbon(glance: Glance) -> Spec:
    """The intervals of the groups shown, where they have one."""
    at = glance.ribbon
    return {
        "type": "scatter",
        "mode": "lines",
        "name": RIBBON,
        "x": numbers(np.concatenate([at, at[::-1]]) + 1),
        "y": numbers(np.concatenate([glance.upper[at], glance.lower[at[::-1]]])),
        "fill": "toself",
        "fillcolor": f"rgba(128,128,128,{RIBBON_OPACITY})",
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def _points(glance: Glance, label: str, color: str, places: Integers) -> list[Spec]:
    groups, estimate, lower, upper = (
        part[places] for part in (glance.groups, glance.estimate, glance.lower, glance.upper)
    )
    points: Spec = {
        "type": "scatter",
        "mode": "markers",
        "name": text(label),
        "x": (places + 1).tolist(),
        "y": numbers(estimate),
        "text": [text(glance.names[place]) for place in places],
        "marker": {"color": color, "size": SMALL_POINT_PIXELS},
        **hover_estimate(glance.n_rows[places].tolist(), Shown(lower, upper, glance.unit)),
    }
    whiskers: Spec = {
        "type": "scatter",
        "mode": "lines",
        "x": segments(places + 1, places + 1),
        "y": segments(lower, upper),
        "line": {"color": color, "width": THIN_WHISKER_PIXELS},
        "showlegend": False,
        "hoverinfo": "skip",
    }
    drawn = [grouped(points, groups)]
    return drawn if glance.is_thinned else [grouped(whiskers, np.repeat(groups, 3)), *drawn]
