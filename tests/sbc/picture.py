"""The ECDFs of ranks less the uniform one, each in its band, as one SVG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from tasks.stats.records import Floats
from tests.sbc.bands import Uniformity

WIDTH, HEIGHT, MARGIN, TITLE = 230, 120, 14, 34
Panel = tuple[str, Uniformity]


def picture(rows: Sequence[tuple[str, Sequence[Panel]]]) -> str:
    """`rows` are titles and panels."""
    columns = max(len(panels) for _, panels in rows)
    width, height = columns * (WIDTH + MARGIN) + MARGIN, len(rows) * (HEIGHT + 2 * TITLE) + MARGIN
    body = "\n".join(_row(at, title, panels) for at, (title, panels) in enumerate(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif">\n<rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _row(at: int, title: str, panels: Sequence[Panel]) -> str:
    top = at * (HEIGHT + 2 * TITLE) + MARGIN
    heading = f'<text x="{MARGIN}" y="{top + 10}" font-size="13" font-weight="bold">{escape(title)}</text>'
    drawn = (_panel(MARGIN + k * (WIDTH + MARGIN), top + TITLE, *panel) for k, panel in enumerate(panels))
    return "\n".join((heading, *drawn))


def _panel(left: float, top: float, name: str, found: Uniformity) -> str:
    lower, upper = found.band
    most = 1.1 * max(abs(lower).max(), abs(upper).max(), abs(found.difference).max())

    def points(values: Floats, *, backwards: bool = False) -> str:
        pairs: Iterable[tuple[float, float]] = zip(WIDTH * found.at, HEIGHT / 2 * (1 - values / most), strict=True)
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in (reversed([*pairs]) if backwards else pairs))

    is_out = found.p_value < 0.05
    colour = "#b3261e" if is_out else "#1f4e79"
    return (
        f'<g transform="translate({left} {top})">'
        f'<text x="0" y="-5" font-size="11" fill="{colour}">{escape(name)}: p {found.p_value:.2g}</text>'
        f'<polygon points="{points(lower)} {points(upper, backwards=True)}" fill="#cfd8e3"/>'
        f'<line x1="0" x2="{WIDTH}" y1="{HEIGHT / 2}" y2="{HEIGHT / 2}" stroke="#888" stroke-dasharray="3 3"/>'
        f'<polyline points="{points(found.difference)}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        f"</g>"
    )
