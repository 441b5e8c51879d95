"""`colours.toml` of a look: the colours of page and models, checked by name, form and contrast.

    [light]                 # and [dark]; any of the page's own colours
    paper = "#fffdf7"
    link = "#7a1f5c"
    [figures]               # the models' colours, in light and in dark
    bayes = "#00688b"

Contrast is WCAG 2's: text needs 4.5 : 1 against what it stands on (AA), lines and points 3 : 1 (1.4.11).
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.study.errors import StudyError
from tasks.study.plain_text import brief, shown
from tasks.view.figures.style import ALERT, MODELS, NEUTRAL

SCHEMES = ("light", "dark")
TINTS = ("pass-tint", "review-tint", "fail-tint", "mark-tint")
# (text, ground): the combinations that occur in a report.
TEXT_ON = (
    *((text, ground) for text in ("ink", "soft", "link") for ground in ("paper", "card")),
    *((status, ground) for status in ("pass", "review", "fail") for ground in ("paper", f"{status}-tint")),
    *(("ink", tint) for tint in TINTS),
    *((text, tint) for text in ("soft", "link") for tint in ("review-tint", "fail-tint")),
)
TEXT_CONTRAST, GRAPHIC_CONTRAST = 4.5, 3.0
FIGURE_COLOURS = {**{model: style.color for model, style in MODELS.items()}, "neutral": NEUTRAL, "alert": ALERT}
MOST_PROBLEMS = 3
_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)

Colours = Mapping[str, str]


@dataclass(frozen=True)
class LookColours:
    """What the look gives, as `#rrggbb`; the page's by scheme and name, the figures' by name."""

    light: Colours
    dark: Colours
    figures: Colours
    defaults: Mapping[str, Colours]  # Poolwise's own colours of the page, by scheme

    def page(self, scheme: str, name: str) -> str:
        """The colour of the page in use, given or default."""
        return self.given(scheme).get(name, self.defaults[scheme][name])

    def given(self, scheme: str) -> Colours:
        return self.dark if scheme == "dark" else self.light

    def figure(self, name: str) -> str:
        return self.figures.get(name, FIGURE_COLOURS[name])

    @property
    def in_figures(self) -> dict[str, str]:
        """The look's colours by Poolwise's own, these in lower case."""
        return {FIGURE_COLOURS[name].lower(): colour for name, colour in self.figures.items()}

    @property
    def css(self) -> str:
        """Style rules for the page's colours, on screens only: paper is printed in Poolwise's own."""
        rules = {
            scheme: " ".join(f"--{name}: {colour};" for name, colour in self.given(scheme).items())
            for scheme in SCHEMES
        }
        light = f"@media screen {{ :root {{ {rules['light']} }} }}\n" if rules["light"] else ""
        dark = f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {rules['dark']} }} }}\n"
        return light + (dark if rules["dark"] else "")


def page_defaults(css: str) -> dict[str, Colours]:
    """The page's own colours by scheme, from the first two `:root` blocks of `report.css`: light, dark."""
    blocks = re.findall(r":root\s*{([^}]*)}", css)[:2]
    named = (dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-fA-F]{6})\s*;", block)) for block in blocks)
    return dict(zip(SCHEMES, named, strict=True))


def read_colours(text: str, place: str, defaults: Mapping[str, Colours]) -> LookColours:
    """The colours that this text gives, checked.

    Raises StudyError, which names `place`, the value given, the rule and what to do.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f'{place} is not valid TOML: {error}. A colour is written so: paper = "#fffdf7"') from None
    known = {**{scheme: defaults[scheme] for scheme in SCHEMES}, "figures": FIGURE_COLOURS}
    for name, table in tables.items():
        _check_table(name, table, known, place)
    light, dark, figures = (
        {key: _six_digits(colour) for key, colour in tables.get(name, {}).items()} for name in (*SCHEMES, "figures")
    )
    colours = LookColours(light, dark, figures, defaults)
    problems = [*_alike(colours), *_faint_text(colours), *_faint_figures(colours)]
    if problems:
        more = len(problems) - MOST_PROBLEMS
        and_more = f" There are {more} more problems." if more > 0 else ""
        raise StudyError(f"{place}: {' '.join(problems[:MOST_PROBLEMS])}{and_more}")
    return colours


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two `#rrggbb`, between 1 and 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, glossary)."""
    shares = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _check_table(name: str, table: Any, known: Mapping[str, Colours], place: str) -> None:
    if name not in known or not isinstance(table, dict):
        raise StudyError(f"{place}: {brief(name)} is not one of its tables. It takes [light], [dark] and [figures].")
    for key, value in table.items():
        if key not in known[name]:
            close = difflib.get_close_matches(key, known[name], n=1)
            advice = f"Did you mean {close[0]}?" if close else f"[{name}] takes {', '.join(known[name])}."
            raise StudyError(f"{place}: {name}.{brief(key)} is no colour that a report has. {advice}")
        if not isinstance(value, str) or not _HEX.fullmatch(value):
            raise StudyError(
                f"{place}: {name}.{key} is {shown(value)}, but a colour has to be written as # and six digits, "
                'as in "#1f80c0".'
            )


def _six_digits(colour: str) -> str:
    digits = colour[1:].lower()
    return f"#{''.join(digit * 2 for digit in digits) if len(digits) == 3 else digits}"


def _alike(colours: LookColours) -> Iterator[str]:
    """Problems with two figure colours that are the same: figures tell models apart by colour first."""
    names = list(FIGURE_COLOURS)
    for position, name in enumerate(names):
        for other in names[:position]:
            if colours.figure(name).lower() == colours.figure(other).lower():
                yield f"figures.{name} and figures.{other} are both {colours.figure(name)}, but have to be told apart."


def _faint_text(colours: LookColours) -> Iterator[str]:
    """Problems with text whose contrast is too low."""
    for scheme in SCHEMES:
        for text, ground in TEXT_ON:
            if {text, ground} & colours.given(scheme).keys():
                above, below = colours.page(scheme, text), colours.page(scheme, ground)
                yield from _faint(f"{scheme}.{text}", above, ground, below, TEXT_CONTRAST, "text")


def _faint_figures(colours: LookColours) -> Iterator[str]:
    """Problems with lines and points whose contrast is too low."""
    for scheme in SCHEMES:
        for name in FIGURE_COLOURS:
            if name in colours.figures or "paper" in colours.given(scheme):
                above, below = colours.figure(name), colours.page(scheme, "paper")
                yield from _faint(f"figures.{name}", above, f"{scheme} paper", below, GRAPHIC_CONTRAST, "lines")


def _faint(name: str, above: str, ground: str, below: str, least: float, what: str) -> Iterator[str]:
    ratio = contrast(above, below)
    if ratio < least:
        # Rounded down: 4.499 must not be shown as 4.5.
        yield (
            f"{name} is {above}, whose contrast with the {ground} {below} is {int(ratio * 100) / 100:g} : 1; {what} "
            f"need{'s' if what == 'text' else ''} {least:g} : 1. Choose a {_other_way(below)} colour."
        )


def _other_way(ground: str) -> str:
    return "darker" if _luminance(ground) > 0.18 else "lighter"
