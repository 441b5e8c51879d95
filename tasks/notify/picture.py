"""The first figure of a report as a PNG, for mails: drawn without a browser, on white, at one width."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace

from tasks.look.render import environment
from tasks.view.figures.still import WHOLE, Line, Point, Still, Tick
from tasks.view.figures.style import FONT, LIGHT
from tasks.view.words import text

WIDTH = 480  # CSS pixels: on a telephone, which shows it smaller, its text can still be read
SHARPNESS = 2  # pixels per CSS pixel
LETTER, CAPITAL, WIDEST = 7.8, 9.4, 12.8  # CSS pixels
TITLE_LENGTH, UPRIGHT_TITLE_LENGTH = 50, 32
KEY_SYMBOL, KEY_HEIGHT = 40, 20
TITLE_WIDTH, NAME_GAP, RIGHT = 27, 16, 26
ABOVE, BELOW = 18, 46
PROBE = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><text y="15">{}</text></svg>'


class NoFont(Exception):
    """The machine has no font that a picture's text could be written in."""


@dataclass(frozen=True)
class Key:
    """An entry of the legend: where its symbol begins, and the middle of its line."""

    label: str
    color: str
    x: float
    y: float
    is_ribbon: bool = False
    is_open: bool = False


@dataclass(frozen=True)
class Box:
    """Where the axes enclose the drawing, in CSS pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def point(self, x: float, y: float) -> Point:
        """A point given in parts of WHOLE."""
        across, down = self.right - self.left, self.bottom - self.top
        return round(self.left + across * x / WHOLE, 1), round(self.top + down * y / WHOLE, 1)

    def line(self, ends: Line) -> Line:
        return (*self.point(*ends[:2]), *self.point(*ends[2:]))

    def ticks(self, ticks: tuple[Tick, ...], *, down: bool) -> tuple[Tick, ...]:
        places = [self.point(tick.at * WHOLE / 100, tick.at * WHOLE / 100)[down] for tick in ticks]
        return tuple(Tick(at, tick.label) for at, tick in zip(places, ticks, strict=True))


def png(still: Still) -> bytes:
    """The picture, WIDTH CSS pixels wide. Raises NoFont, and what the drawing library raises."""
    import resvg_py

    if resvg_py.svg_to_bytes(svg_string=PROBE.format("a")) == resvg_py.svg_to_bytes(svg_string=PROBE.format("")):
        raise NoFont("no font is installed")
    return resvg_py.svg_to_bytes(svg_string=svg(still), zoom=SHARPNESS)


def svg(still: Still) -> str:
    """The picture with text of fixed size at fixed places."""
    left = NAME_GAP + max((_pixels(tick.label) for tick in still.left), default=0.0)
    left += TITLE_WIDTH if still.left_title else 0
    keys = _keys(still, left)
    box = Box(left, max((key.y + KEY_HEIGHT for key in keys), default=ABOVE), WIDTH - RIGHT, still.height - BELOW)
    theme = LIGHT["layout"]
    return (
        environment()
        .get_template("picture.svg.j2")
        .render(
            still=_placed(still, box),
            box=box,
            title_at=min((box.left + box.right) / 2, WIDTH - _pixels(still.below_title[:TITLE_LENGTH]) / 2),
            keys=keys,
            width=WIDTH,
            font=f"'DejaVu Sans', {FONT}",
            ink=theme["font"]["color"],
            grid=theme["xaxis"]["gridcolor"],
        )
    )


def _placed(still: Still, box: Box) -> Still:
    """The picture's shapes in CSS pixels."""
    marks = tuple(
        replace(
            one,
            points=tuple(box.point(*point) for point in one.points),
            whiskers=tuple(box.line(ends) for ends in one.whiskers),
        )
        for one in still.marks
    )
    return replace(
        still,
        left=box.ticks(still.left, down=True),
        below=box.ticks(still.below, down=False),
        grid=tuple(box.line(ends) for ends in still.grid),
        mean=still.mean and box.line(still.mean),
        ribbon=tuple(box.point(*corner) for corner in still.ribbon),
        left_title=text.label(still.left_title, UPRIGHT_TITLE_LENGTH) if still.left_title else "",
        below_title=text.label(still.below_title, TITLE_LENGTH),
        marks=marks,
    )


def _keys(still: Still, left: float) -> tuple[Key, ...]:
    """Side by side if there is room."""
    if still.n_keys < 2:
        return ()
    ribbon = [(still.ribbon_label, still.neutral, True, False)] if still.ribbon else []
    entries = [*ribbon, *((one.label, one.color, False, one.is_open) for one in still.marks)]
    widths = [KEY_SYMBOL + _pixels(entry[0]) + 5 for entry in entries]
    in_one_line = left + sum(widths) <= WIDTH
    start = max(0.0, min(left, WIDTH - (sum(widths) if in_one_line else max(widths))))
    return tuple(
        Key(
            label,
            color,
            start + (sum(widths[:k]) if in_one_line else 0),
            ABOVE + (0 if in_one_line else KEY_HEIGHT * k),
            is_ribbon,
            is_open,
        )
        for k, (label, color, is_ribbon, is_open) in enumerate(entries)
    )


def _pixels(written: str) -> float:
    """About how wide a text is: no font is asked."""
    return sum(map(_letter_pixels, written))


def _letter_pixels(letter: str) -> float:
    if letter in "mwMW@%…" or unicodedata.east_asian_width(letter) in "WF":
        return WIDEST
    return CAPITAL if letter.isupper() or letter in "<>&+=#~^" else LETTER
