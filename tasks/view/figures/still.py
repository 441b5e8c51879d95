"""Every group at a glance, as a picture that needs no script: what the report shows until Plotly has drawn its figure,
where there are no scripts, and in mails.

Places are shares of the picture's width and height, so that it fits any width while its text keeps its size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tasks.stats.records import Floats, Integers
from tasks.view.figures.glance import (
    APART,
    POINT_PIXELS,
    RIBBON,
    SMALL_POINT_PIXELS,
    THIN_WHISKER_PIXELS,
    WHISKER_PIXELS,
    Glance,
)
from tasks.view.figures.style import ALERT, NEUTRAL, TICK_LABEL_LENGTH
from tasks.view.words import numbers, text

WHOLE = 10_000  # a share is a whole number of its parts
TICKS_ACROSS, TICKS_DOWN = 6.3, 6.95  # about as many as Plotly would take at this size
FEWER_TICKS = (4.0, 2.0, 1.0)
ROOM, NARROW = 480, 330  # the figure's width in CSS pixels, as it is on a desktop and in a mail, and on a phone
LETTER_PIXELS, GAP_PIXELS = 8, 10
TITLE_LENGTH = 80

Line = tuple[float, float, float, float]  # x and y of both ends, in parts of WHOLE from the left and from the top
Point = tuple[float, float]


@dataclass(frozen=True)
class Tick:
    """`at` is in per cent, from the left or from the top."""

    at: float
    label: str


@dataclass(frozen=True)
class Marks:
    """Groups that are drawn alike: a point each, and its interval unless a ribbon has it."""

    label: str
    color: str
    is_open: bool
    size: float  # of a point, in CSS pixels
    width: float  # of a whisker
    points: tuple[Point, ...]
    whiskers: tuple[Line, ...]


@dataclass(frozen=True)
class Still:
    height: int  # CSS pixels, with titles and legend
    left: tuple[Tick, ...]  # names of groups, or values of the outcome
    left_title: str
    below: tuple[Tick, ...]
    below_title: str
    grid: tuple[Line, ...]
    mean: Line | None
    ribbon: tuple[Point, ...]  # corners
    ribbon_label: str
    marks: tuple[Marks, ...]
    targets: tuple[Line, ...] = ()
    target_color: str = ALERT
    neutral: str = NEUTRAL  # of the mean, and, faint, of the ribbon

    @property
    def n_keys(self) -> int:
        """Entries of the legend; with one there is none."""
        return len(self.marks) + bool(self.ribbon)

    @property
    def is_crowded(self) -> bool:
        """Whether a phone has no room for all the ticks below."""
        return not _have_room([tick.label for tick in self.below], [tick.label for tick in self.left], NARROW)


def _have_room(below: Sequence[str], left: Sequence[str], width: int) -> bool:
    """Whether the labels below the axis keep apart in a figure of this width."""
    needed = sum(LETTER_PIXELS * len(label) + GAP_PIXELS for label in below)
    return needed <= width - LETTER_PIXELS * max(map(len, left), default=0)


def still(glance: Glance) -> Still:
    """The picture of the same groups at the same places."""
    values = ticks_between(*glance.values, TICKS_DOWN)
    labels = _labels(values)
    if glance.is_named:
        left = [text.label(name, TICK_LABEL_LENGTH) for name in glance.names]
        values, labels = _across(*glance.values, left)
        at = _parts(values, *glance.values)
        rows = _down(glance)
        axes = (_ticks(rows, left), "", _ticks(at, labels), text.label(glance.title, TITLE_LENGTH))
        grid = tuple((x, 0, x, WHOLE) for x in at)
    else:
        at = [WHOLE - y for y in _parts(values, *glance.values)]
        ranks, written = _across(*glance.ranks, labels)
        below = _ticks(_parts(ranks, *glance.ranks), written)
        axes = (_ticks(at, labels), text.label(glance.title, TITLE_LENGTH), below, glance.ranks_title)
        grid = tuple((0, y, WHOLE, y) for y in at)
    places = glance.ribbon
    edges = [*_along(glance, places, glance.upper), *_along(glance, places, glance.lower)[::-1]]
    marks = tuple(_marks(glance, *kind) for kind in glance.kinds())
    return Still(glance.height, *axes, grid, _mean(glance), tuple(edges), RIBBON, marks, tuple(_targets(glance)))


def ticks_between(low: float, high: float, about: float) -> Floats:
    """Round numbers – steps of 1, 2 or 5 times a power of ten – from low to high, at most `about` and one."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= rough * (1 - 1e-9))
    return step * np.arange(math.ceil(low / step), math.floor(high / step) + 1, dtype=float)


def _across(low: float, high: float, left: Sequence[str]) -> tuple[Floats, list[str]]:
    """Ticks of an axis from left to right with their labels: fewer where they would run into each other."""
    for about in (TICKS_ACROSS, *FEWER_TICKS):
        values = ticks_between(low, high, about)
        labels = _labels(values)
        if _have_room(labels, left, ROOM):
            break
    return values, labels


def _labels(values: Floats) -> list[str]:
    """To the decimal place of their step, without trailing zeros."""
    step = float(values[1] - values[0]) if values.size > 1 else float(np.abs(values).max(initial=1.0)) or 1.0
    decimals = -math.floor(math.log10(step) + 1e-9)
    written = [numbers.fixed(float(value), decimals) for value in values]
    return [one.rstrip("0").rstrip(".") if "." in one and "×" not in one else one for one in written]


def _ticks(at: list[int], labels: list[str]) -> tuple[Tick, ...]:
    return tuple(Tick(100 * part / WHOLE, label) for part, label in zip(at, labels, strict=True))


def _parts(values: ArrayLike, low: float, high: float) -> list[int]:
    """Finite values between low and high as parts of WHOLE."""
    share = (np.asarray(values, dtype=float) - low) / (high - low)
    parts: list[int] = np.round(WHOLE * share).astype(int).tolist()
    return parts


def _down(glance: Glance) -> list[int]:
    """Where rows of named groups stand: those of `intervals.interval_plot`, which leaves a tenth of a row outside."""
    return _parts(np.arange(glance.groups.size), -0.6, glance.groups.size - 0.4)


def _along(glance: Glance, places: Integers, values: Floats) -> list[Point]:
    """Points of groups, at these places in the order, at their values."""
    along = _parts(values[places], *glance.values)
    if glance.is_named:
        rows = _down(glance)
        return [(x, rows[place]) for x, place in zip(along, places, strict=True)]
    ranks = _parts(places + 1, *glance.ranks)
    return [(x, WHOLE - y) for x, y in zip(ranks, along, strict=True)]


def _marks(glance: Glance, label: str, color: str, places: Integers) -> Marks:
    known = places[np.isfinite(glance.lower[places]) & np.isfinite(glance.upper[places])]
    starts, ends = (_along(glance, known, end) for end in (glance.lower, glance.upper))
    return Marks(
        label=label,
        color=color,
        is_open=glance.is_named and label != APART,
        size=POINT_PIXELS if glance.is_named else SMALL_POINT_PIXELS,
        width=WHISKER_PIXELS if glance.is_named else THIN_WHISKER_PIXELS,
        points=tuple(_along(glance, places, glance.estimate)),
        whiskers=() if glance.is_thinned else tuple((*a, *b) for a, b in zip(starts, ends, strict=True)),
    )


def _mean(glance: Glance) -> Line | None:
    if glance.mean is None:
        return None
    (at,) = _parts([glance.mean], *glance.values)
    return (at, 0, at, WHOLE) if glance.is_named else (0, WHOLE - at, WHOLE, WHOLE - at)


def _targets(glance: Glance) -> Iterator[Line]:
    """A mark across the line of each group that has a target."""
    low, high = (-0.6, glance.groups.size - 0.4) if glance.is_named else (glance.ranks[0] - 1, glance.ranks[1] - 1)
    for first, last, value in glance.targets:
        start, end = _parts([first, last], low, high)
        (at,) = _parts([value], *glance.values)
        yield (at, start, at, end) if glance.is_named else (start, WHOLE - at, end, WHOLE - at)
