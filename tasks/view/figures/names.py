"""Names beside points: each where it hides the least of other names and points.

Plotly draws a text where it is told to. Sides are chosen here, for a picture of a phone's width: what has room there
has room on a wider screen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.figures.style import NEUTRAL, Spec, grouped, numbers, text

MOST_NAMED = 12  # up to so many groups, all are named; of more, those that stand out
LENGTH = 16  # characters of a name
WIDTH, HEIGHT = 320.0, 300.0  # pixels of the picture that sides are chosen for
LETTER, LINE = 5.8, 13.0  # pixels of a letter's width and a line's height
GAP = 6.0  # pixels from the middle of a point to its name
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
    x: Floats, y: Floats, labels: Sequence[str], groups: Integers, chosen: Integers, *, logarithmic: bool = False
) -> Spec:
    """A trace of the names of the points at the positions `chosen`; other points are only kept clear of.

    `logarithmic` if the x-axis is. Points that are not finite have no name.
    """
    across = np.log10(x) if logarithmic else x
    known = np.isfinite(across) & np.isfinite(y)
    places = np.column_stack([_pixels(across, known, WIDTH), _pixels(y, known, HEIGHT)])
    chosen = chosen[known[chosen]]
    shown = [text(labels[k], LENGTH) for k in chosen]
    widths = [LETTER * min(len(labels[k]), LENGTH) for k in chosen]
    trace: Spec = {
        "type": "scatter",
        "mode": "text",
        "x": numbers(x[chosen]),
        "y": numbers(y[chosen]),
        "text": shown,
        "textposition": _sides(places[known], places[chosen], widths),
        "textfont": {"size": 11},
        "showlegend": False,
        "hoverinfo": "skip",
        "unselected": {"textfont": {"color": NEUTRAL}},
    }
    return grouped(trace, groups[chosen])


def _pixels(values: Floats, known: np.ndarray, length: float) -> Floats:
    low, span = (float(values[known].min()), float(np.ptp(values[known]))) if known.any() else (0.0, 0.0)
    return (values - low) / (span or 1.0) * length


def _sides(points: Floats, at: Floats, widths: Sequence[float]) -> list[str]:
    """A side per name, in turn: that on which it covers the least of earlier names, of the edge and of points."""
    taken = np.empty((0, 4))  # left, bottom, right, top
    sides = []
    for place, width in zip(at, widths, strict=True):
        boxes = np.array([_box(place, width, *side[1:]) for side in SIDES])
        covered = [10.0 * _covered(box, taken) + 20.0 * _beyond(box) + _hidden(box, points) for box in boxes]
        best = int(np.argmin(covered))
        sides.append(SIDES[best][0])
        taken = np.vstack([taken, boxes[best]])
    return sides


def _box(place: Floats, width: float, across: float, up: float, gap_x: int, gap_y: int) -> Floats:
    x, y = place[0] + across * width + gap_x * GAP, place[1] + up * LINE + gap_y * GAP
    return np.array([x - width / 2, y - LINE / 2, x + width / 2, y + LINE / 2])


def _covered(box: Floats, others: Floats) -> float:
    """Area that the box shares with others, in characters."""
    wide = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    high = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    return float((np.clip(wide, 0, None) * np.clip(high, 0, None)).sum() / (LETTER * LINE))


def _beyond(box: Floats) -> float:
    """How far the box reaches beyond the sides of the picture, in characters."""
    return float(max(-box[0], 0.0) + max(box[2] - WIDTH, 0.0)) / LETTER


def _hidden(box: Floats, points: Floats) -> float:
    """How many points the box covers."""
    inside = (points[:, 0] > box[0]) & (points[:, 0] < box[2]) & (points[:, 1] > box[1]) & (points[:, 1] < box[3])
    return float(inside.sum())
