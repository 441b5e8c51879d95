"""Names beside points: each where it hides the least of other names and points.

Plotly draws a text where it is told to. Sides are chosen here, for a picture on a phone and one on a desktop at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.figures.style import Spec, grouped, numbers, text

MOST_NAMED = 12  # up to so many groups, all are named; of more, those that stand out
LENGTH = 16  # characters of a name
WIDTHS, HEIGHT = (300.0, 880.0), 320.0  # pixels of the pictures that sides are chosen for
LETTER, LINE = 5.8, 13.0  # pixels of a letter's width and a line's height
GAP = 6.0  # pixels from the middle of a point to its name
STACKED = 0.02  # of the width: points that stand above one another leave no room for names
MARK = 10  # pixels of a mark that is not seen: Plotly keeps a text clear of the marks of its own trace only
NOTHING = np.empty(0), np.empty(0)
# Each side, with where a name's middle lies: in shares of its width and height, and in gaps.
SIDES = (
    ("top center", 0.0, 0.5, 0, 1),
    ("bottom center", 0.0, -0.5, 0, -1),
    ("middle right", 0.5, 0.0, 1, 0),
    ("middle left", -0.5, 0.0, -1, 0),
    ("top right", 0.5, 0.5, 0, 1),
    ("top left", -0.5, 0.5, 0, 1),
    ("bottom right", 0.5, -0.5, 0, -1),
    ("bottom left", -0.5, -0.5, 0, -1),
)


def standing_out(far: Floats, most: int = MOST_NAMED) -> Integers:
    """Positions of the points to name: all, if `most` at the most; else those of the `most` greatest `far`."""
    if far.size <= most:
        return np.arange(far.size)
    return np.argsort(-np.nan_to_num(far, nan=-np.inf), kind="stable")[:most]


def named(
    x: Floats,
    y: Floats,
    labels: Sequence[str],
    groups: Integers,
    chosen: Integers,
    *,
    x_axis: Spec,
    y_axis: Spec,
    beside: tuple[Floats, Floats] = NOTHING,
) -> Spec:
    """A trace of the names of the points at the positions `chosen`; other points, and the marks `beside` them (x and
    y), are only kept clear of.

    Points that are not finite have no name.
    """
    across, up = _shares(np.append(x, beside[0]), x_axis), _shares(np.append(y, beside[1]), y_axis)
    marks = np.column_stack([across, up])
    across, up = across[: x.size], up[: x.size]
    known = np.isfinite(across) & np.isfinite(up)
    is_stacked = known.sum() > 1 and float(np.ptp(across[known])) < STACKED
    chosen = chosen[:0] if is_stacked else chosen[known[chosen]]
    shown = [text(labels[k], LENGTH) for k in chosen]
    widths = [LETTER * min(len(labels[k]), LENGTH) for k in chosen]
    trace: Spec = {
        "type": "scatter",
        "mode": "markers+text",
        "name": "names",
        "x": numbers(x[chosen]),
        "y": numbers(y[chosen]),
        "text": shown,
        "textposition": _sides(marks[np.isfinite(marks).all(axis=1)], marks[chosen], widths),
        "textfont": {"size": 11},
        "marker": {"size": MARK, "opacity": 0},
        "cliponaxis": False,
        "showlegend": False,
        "hoverinfo": "skip",
    }
    return grouped(trace, groups[chosen])


def _shares(values: Floats, axis: Spec) -> Floats:
    """Places along the axis, from 0 to 1; beyond them what is beyond its range."""
    at = np.log10(values) if axis.get("type") == "log" else values
    finite = at[np.isfinite(at)]
    low, high = axis.get("range") or ((finite.min(), finite.max()) if finite.size else (0.0, 1.0))
    return np.asarray((at - low) / ((high - low) or 1.0))


def _sides(points: Floats, at: Floats, widths: Sequence[float]) -> list[str]:
    """A side per name, in turn: that on which it covers the least of earlier names, of the edge and of points."""
    taken: list[list[Floats]] = [[] for _ in WIDTHS]  # left, bottom, right, top
    sides = []
    for place, width in zip(at, widths, strict=True):
        boxes = [[_box(place * (wide, HEIGHT), width, *side[1:]) for side in SIDES] for wide in WIDTHS]
        costs = [
            [_cost(box, points * (wide, HEIGHT), before, wide) for box in these]
            for these, before, wide in zip(boxes, taken, WIDTHS, strict=True)
        ]
        best = int(np.argmin(np.sum(costs, axis=0)))
        sides.append(SIDES[best][0])
        for these, before in zip(boxes, taken, strict=True):
            before.append(these[best])
    return sides


def _cost(box: Floats, points: Floats, names: Sequence[Floats], wide: float) -> float:
    beyond = max(-box[0], 0.0) + max(box[2] - wide, 0.0) + max(-box[1], 0.0) + max(box[3] - HEIGHT, 0.0)
    return 10.0 * _covered(box, names) + 20.0 * float(beyond) / LETTER + _hidden(box, points)


def _box(place: Floats, width: float, across: float, up: float, gap_x: int, gap_y: int) -> Floats:
    x, y = place[0] + across * width + gap_x * GAP, place[1] + up * LINE + gap_y * GAP
    return np.array([x - width / 2, y - LINE / 2, x + width / 2, y + LINE / 2])


def _covered(box: Floats, names: Sequence[Floats]) -> float:
    """Area that the box shares with others, in characters."""
    if not names:
        return 0.0
    others = np.array(names)
    wide = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    high = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    return float((np.clip(wide, 0, None) * np.clip(high, 0, None)).sum() / (LETTER * LINE))


def _hidden(box: Floats, points: Floats) -> float:
    """How many points the box covers."""
    inside = (points[:, 0] > box[0]) & (points[:, 0] < box[2]) & (points[:, 1] > box[1]) & (points[:, 1] < box[3])
    return float(inside.sum())
