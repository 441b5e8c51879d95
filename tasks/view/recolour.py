"""A finished report in other colours: the fixed colours of figures and swatches are replaced.

Colours are found by exact value, in whichever way a figure writes them (`#1F80C0`, `rgba(31,128,192,0.2)`), and only
where Plotly reads a colour: a group that is labelled `#1F80C0` keeps its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tasks.view.figures.still import Still
from tasks.view.records import Block, Figure, Fold, Panels, ReportPage

COLOUR_KEYS = ("color", "colors", "colorscale")
_RGBA = re.compile(r"rgba\((\d+),\s*(\d+),\s*(\d+),\s*([\d.]+)\)")


def recoloured(page: ReportPage, colours: Mapping[str, str]) -> ReportPage:
    """The page with its colours replaced; `colours` maps `#rrggbb` in lower case to `#rrggbb`."""
    if not colours:
        return page
    return replace(
        page,
        hero=page.hero and _figure(page.hero, colours),
        colours=tuple((model, _colour(colour, colours)) for model, colour in page.colours),
        sections=tuple(
            replace(section, blocks=tuple(_block(block, colours) for block in section.blocks))
            for section in page.sections
        ),
    )


def _figure(figure: Figure, colours: Mapping[str, str]) -> Figure:
    still = _still(figure.still, colours) if figure.still else None
    longer = figure.longer and replace(figure.longer, spec=_spec(figure.longer.spec, colours))
    return replace(figure, spec=_spec(figure.spec, colours), longer=longer, still=still)


def _still(still: Still, colours: Mapping[str, str]) -> Still:
    marks = tuple(replace(one, color=_colour(one.color, colours)) for one in still.marks)
    return replace(still, neutral=_colour(still.neutral, colours), marks=marks)


def _block(block: Block, colours: Mapping[str, str]) -> Block:
    if isinstance(block, Figure):
        return _figure(block, colours)
    if isinstance(block, Panels):
        return replace(block, panels=tuple(replace(panel, spec=_spec(panel.spec, colours)) for panel in block.panels))
    if isinstance(block, Fold):
        return replace(block, blocks=tuple(_block(inner, colours) for inner in block.blocks))
    return block


def _spec(value: Any, colours: Mapping[str, str], is_colour: bool = False) -> Any:
    if isinstance(value, dict):
        return {key: _spec(item, colours, is_colour or key.endswith(COLOUR_KEYS)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        holds_more = is_colour or any(isinstance(item, dict | list | tuple) for item in value)
        return [_spec(item, colours, is_colour) for item in value] if holds_more else value
    return _colour(value, colours) if is_colour and isinstance(value, str) else value


def _colour(colour: str, colours: Mapping[str, str]) -> str:
    found = _RGBA.fullmatch(colour)
    if not found:
        return colours.get(colour.lower(), colour)
    red, green, blue = (int(part) for part in found.groups()[:3])
    other = colours.get(f"#{red:02x}{green:02x}{blue:02x}")
    if other is None:
        return colour
    return f"rgba({','.join(str(int(other[at : at + 2], 16)) for at in (1, 3, 5))},{found[4]})"
