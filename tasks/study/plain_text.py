"""Text that others wrote – labels, names of files and columns, values – in messages and on a terminal.

HTML has rules of its own, in `tasks.view.words.text`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

MOST_CHARACTERS = 60
# Control, format and direction characters, lone surrogates, line and paragraph separators.
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
JOINERS = "\u200c\u200d"  # many scripts and emoji need them
NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    """The text on one line; characters that move the cursor, colour or turn text are spelled out, as in `\\x1b`."""
    return text if text.isprintable() else "".join(map(_spelled, text))


def shorten(text: str, limit: int = MOST_CHARACTERS) -> str:
    """At most `limit` characters: the beginning, an ellipsis, the end."""
    if len(text) <= limit:
        return text
    tail = limit // 4
    return f"{text[: limit - tail - 1].rstrip()}…{text[-tail:].lstrip()}"


def brief(text: str, limit: int = MOST_CHARACTERS) -> str:
    """A name or value within a sentence, without quotes."""
    return visible(shorten(text, limit))


def shown(value: object, limit: int = MOST_CHARACTERS) -> str:
    """A value within a sentence, in quotes; for short, plain values the same as `repr`."""
    return repr(shorten(value, limit)) if isinstance(value, str) else brief(repr(value), limit)


def listed(names: Iterable[str], most: int = 20) -> str:
    """`a, b, c and 7 more`"""
    names = list(names)
    rest = len(names) - most
    parts = ", ".join(brief(name) for name in names[:most])
    return f"{parts} and {rest:,} more" if rest > 0 else parts


def _spelled(character: str) -> str:
    if character in NAMED:
        return NAMED[character]
    if character in JOINERS or unicodedata.category(character) not in UNSEEN:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is not UTF-8
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
