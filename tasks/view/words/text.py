"""Text that others wrote – labels, column names – made safe to read within our own sentences.

Escaping for HTML is the templates' work. Here: control and direction characters go, right-to-left
text is kept from turning the sentence around it, and very long labels are shortened in the middle.
"""

from __future__ import annotations

import re
import unicodedata

from tasks.study.plain_text import shorten

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
RIGHT_TO_LEFT = {"R", "AL", "AN"}


def clean(text: str) -> str:
    """The text without control, format and line-separating characters, which could hide or reorder text."""
    return " ".join(_seen(text, keep="").split())


def sentence(text: str) -> str:
    """A cleaned sentence of ours that keeps narrow spaces before units and the isolation of labels."""
    return re.sub(r"[^\S\u202f]+", " ", _seen(text, keep=FIRST_STRONG_ISOLATE + POP_ISOLATE)).strip()


def typeset(text: str) -> str:
    """A sentence of ours as it is printed: with typographic apostrophes, minus and per cent signs."""
    text = re.sub(r"(?<=\w)'(?=\w)|(?<=s)'(?= )", "’", sentence(text))
    text = re.sub(r"(?<![\w.-])-(?=\d)", "−", text)
    return re.sub(r"(?<=\d)%", "\u202f%", text)


def _seen(text: str, keep: str) -> str:
    """Control and line-separating characters become spaces; invisible ones are removed, except those in `keep`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text if c in keep or not _is_invisible(c)
    )


def _is_invisible(character: str) -> bool:
    """True for direction marks and lone surrogates, not for joiners, which emoji and many scripts need."""
    return character in "\u200e\u200f\u061c\ufeff" or (
        "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069" or "\ud800" <= character <= "\udfff"
    )


def markdown(text: str) -> str:
    """Text that Markdown shows as it is: cleaned, and escaped against emphasis, links, pictures and tags."""
    return re.sub(r"([\\`*_{}\[\]<>()#+.!|~&:@$-])", r"\\\1", clean(text))


def label(text: str, limit: int = 60) -> str:
    """A label as shown: cleaned, shortened, isolated when it runs right to left; never empty."""
    shown = shorten(clean(text), limit) or "(blank)"
    if not shown.isascii() and any(unicodedata.bidirectional(c) in RIGHT_TO_LEFT for c in shown):
        return f"{FIRST_STRONG_ISOLATE}{shown}{POP_ISOLATE}"
    return shown


def readable(column: str) -> str:
    """A column's name as words."""
    return label(column.replace("_", " "))


# After a long word or a short one in small letters, a number, a bracket or a quotation.
_SENTENCE_END = re.compile(
    r"(?<=[\w%)”’\u202f]{3}[.!?]) (?=[A-Z“])|(?<= [a-z]{2}[.!?]) (?=[A-Z“])|(?<=[\d)>”’'][.!?]) (?=[A-Z“\d])"
    r"|(?<=\w{4}[.!?]) (?=\d)"
)


def first_sentence(text: str) -> tuple[str, str]:
    """The first of our sentences, and the others. A full stop after a short word, as in `St. Ives`, ends none."""
    parts = _SENTENCE_END.split(text, maxsplit=1)
    return parts[0], parts[1] if len(parts) > 1 else ""


def singular(unit: str) -> str:
    """`years` → `year`; short forms such as `ms` and words such as `celsius` stay."""
    is_plural = unit.isalpha() and len(unit) > 3 and unit.endswith("s") and not unit.endswith(("ss", "us"))
    return unit[:-1] if is_plural else unit


def sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
