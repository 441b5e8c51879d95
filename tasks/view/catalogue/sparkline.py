"""A trend as a small picture: SVG path data for a line, the band of its intervals, and marks.

One step to the right is one run. Heights are scaled to what is shown, so only the text beside the picture
gives values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, MARGIN = 160, 40, 4

Values = Sequence[float | None]
Point = tuple[float, float]


@dataclass(frozen=True)
class Sparkline:
    """Path data and positions, in a box of WIDTH × HEIGHT."""

    band: str  # between the limits of neighbouring runs
    whiskers: str  # the limits of runs without a neighbour
    line: str
    dots: tuple[Point, ...]  # the newest run, and runs without a neighbour
    crosses: tuple[Point, ...]  # runs that are marked
    zero: float | None  # height of the value 0, if the picture includes it


def sparkline(mean: Values, lower: Values, upper: Values, marked: Sequence[bool]) -> Sparkline:
    """The picture of one estimate over runs, oldest first; `None` where a run has no such estimate."""
    known = [value for value in (*mean, *lower, *upper) if value is not None]
    if not known:
        return Sparkline("", "", "", (), (), None)
    across, down = _across(len(mean)), _down(min(known), max(known))
    points = [None if value is None else (across(at), down(value)) for at, value in enumerate(mean)]
    pieces = list(_pieces([value is not None for value in mean]))
    bands = list(_pieces([None not in ends for ends in zip(lower, upper, strict=True)]))
    newest = next(point for point in reversed(points) if point) if any(points) else None
    alone = [points[piece[0]] for piece in pieces if len(piece) == 1]
    return Sparkline(
        band="".join(_area(piece, lower, upper, across, down) for piece in bands if len(piece) > 1),
        whiskers="".join(_area(piece, lower, upper, across, down) for piece in bands if len(piece) == 1),
        line="".join(_path([points[at] for at in piece]) for piece in pieces if len(piece) > 1),
        dots=tuple(dict.fromkeys(point for point in (*alone, newest) if point)),
        crosses=tuple(point for point, is_marked in zip(points, marked, strict=True) if point and is_marked),
        zero=down(0.0) if min(known) < 0 < max(known) else None,
    )


def _across(n: int) -> Callable[[int], float]:
    step = (WIDTH - 2 * MARGIN) / max(n - 1, 1)
    return lambda at: round(MARGIN + at * step if n > 1 else WIDTH - MARGIN, 1)


def _down(low: float, high: float) -> Callable[[float], float]:
    """The height of a value: larger values lie higher; if all are equal, in the middle."""
    room = HEIGHT - 2 * MARGIN
    span = high / 2 - low / 2  # in halves, as the whole span of huge numbers overflows
    if not (span > 0 and math.isfinite(span)):
        return lambda value: HEIGHT / 2
    return lambda value: round(MARGIN + room * ((high / 2 - value / 2) / span), 1)


def _pieces(present: Sequence[bool]) -> Iterator[list[int]]:
    """Each unbroken series of positions that are present."""
    piece: list[int] = []
    for at, is_present in enumerate((*present, False)):
        if is_present:
            piece.append(at)
        elif piece:
            yield piece
            piece = []


def _area(
    piece: list[int], lower: Values, upper: Values, across: Callable[[int], float], down: Callable[[float], float]
) -> str:
    there = [(across(at), down(upper[at] or 0.0)) for at in piece]
    back = [(across(at), down(lower[at] or 0.0)) for at in reversed(piece)]
    return _path([*there, *back]) + "Z"


def _path(points: Sequence[Point | None]) -> str:
    """Path data: `M` to the first point, lines to the others."""
    return "M" + " ".join(f"{point[0]:g} {point[1]:g}" for point in points if point)
