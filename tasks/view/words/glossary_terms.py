"""Finds terms of the glossary in a text, so that the page can explain them where they stand.

A glossary entry's head may name its term in several ways: `Group SD (τ, sigma_group)`, `E-BFMI, divergences`.
Each name is found as a whole word, also in the plural; single symbols are not searched for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from tasks.view.words.glossary import GLOSSARY

EVERYDAY = {"Group", "Level (intercept)"}  # words too common to be marked wherever they stand
_SEPARATORS = re.compile(r"\s*[(),]\s*")


@dataclass(frozen=True)
class Segment:
    """A piece of a text; `meaning` is the id of its explanation, or empty."""

    text: str
    meaning: str = ""


def segments(text: str, seen: set[str]) -> tuple[Segment, ...]:
    """The text in pieces. The first mention of each term not in `seen` is marked, and the term added to `seen`."""
    pieces: list[Segment] = []
    end = 0
    for match in _pattern().finditer(text):
        meaning = _ids()[_plain(match[0])]
        if meaning not in seen:
            seen.add(meaning)
            pieces += [Segment(text[end : match.start()]), Segment(match[0], meaning)]
            end = match.end()
    return tuple(piece for piece in (*pieces, Segment(text[end:])) if piece.text)


def meanings(used: set[str]) -> tuple[tuple[str, str, str], ...]:
    """(id, term, meaning) of the entries in `used`, in the glossary's order."""
    entries = [(_identifier(head), head, meaning) for head, meaning in GLOSSARY]
    return tuple(entry for entry in entries if entry[0] in used)


def _names(head: str) -> list[str]:
    """The ways in which an entry's head names its term: `Group SD`, `sigma_group`."""
    return [name for name in _SEPARATORS.split(head) if len(name) > 1 and head not in EVERYDAY]


def _identifier(head: str) -> str:
    return "meaning-" + re.sub(r"[^a-z]+", "-", _SEPARATORS.split(head)[0].lower()).strip("-")


@cache
def _ids() -> dict[str, str]:
    """Entry ids by name; names as `_plain` gives them."""
    return {_plain(name): _identifier(head) for head, _ in GLOSSARY for name in _names(head)}


@cache
def _pattern() -> re.Pattern[str]:
    """Matches any name as a whole word; the longest if several begin at one place."""
    names = sorted((name for head, _ in GLOSSARY for name in _names(head)), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(_spelling, names))})(?![\w-])")


def _spelling(name: str) -> str:
    """A pattern: short forms as written; other names in any case, singular or plural, with space or hyphen."""
    if name.isupper() or "_" in name:
        return re.escape(name)
    return f"(?i:{'[ -]'.join(map(re.escape, name.removesuffix('s').split(' ')))}s?)"


def _plain(name: str) -> str:
    return name.lower().replace("-", " ").removesuffix("s")
