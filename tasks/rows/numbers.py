"""Numbers written as text, whole columns at once.

A number is an optional sign, digits with at most one decimal mark, and an optional exponent; or
infinity (`inf`, `-Infinity`). Where a style says so, digits stand in groups of three and signs or units
before or after the number are taken off. Not supported, and so not numbers: digits outside ASCII, and
whole numbers beyond 2^53 that a double would change.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tasks.stats.records import Floats

MISSING = ("", "na", "n/a", "#n/a", "nan", "null", "none")
SPACES = " \u00a0\u2009\u202f"
MOST_EXACT = 2.0**53


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written. `thousands` is "" for none; " " stands for any space.

    An affix is taken off and nothing else: 12 % is read as 12.
    """

    decimal: str = "."
    thousands: str = ""
    affixes: tuple[str, ...] = ()


PLAIN = NumberStyle()


def parse_numbers(text: pd.Series, style: NumberStyle = PLAIN) -> Floats:
    """(N,) the doubles nearest to what the text says; NaN for anything that is no number."""
    kept, numbers = _read(text, style)
    is_changed = _is_changed(kept, numbers)
    return np.where(is_changed, np.nan, numbers) if is_changed.any() else numbers


def has_too_many_digits(text: pd.Series, style: NumberStyle) -> np.ndarray:
    """(N,) whether the text is a whole number that a double cannot hold."""
    return _is_changed(*_read(text, style))


def is_missing(text: pd.Series, words: Sequence[str] = (), style: NumberStyle = PLAIN) -> np.ndarray:
    """(N,) whether a number is missing: empty, a usual word for it in any case, or one of `words`.

    A number among `words` stands for all spellings of it: -999 for -999.0 too.
    """
    trimmed = pc.utf8_trim_whitespace(as_arrow(text))
    found = np.array(pc.is_in(pc.utf8_lower(trimmed), pa.array(MISSING, pa.large_string())), dtype=bool)
    if not words:
        return found
    is_word = np.array(pc.is_in(trimmed, pa.array(words, pa.large_string())), dtype=bool)
    codes = parse_numbers(pd.Series(list(words), dtype="str"))
    return found | is_word | np.isin(parse_numbers(text, style), codes[~np.isnan(codes)])


def without_affixes(text: pa.ChunkedArray, affixes: Sequence[str]) -> pa.ChunkedArray:
    """The values, each without one affix before the number (after its sign) and one after it."""
    if not affixes:
        return text
    any_affix = "|".join(re.escape(affix) for affix in sorted(affixes, key=len, reverse=True))
    text = pc.replace_substring_regex(text, rf"^([+-]?)[{SPACES}]*(?:{any_affix})[{SPACES}]*", r"\1")
    return pc.replace_substring_regex(text, rf"[{SPACES}]*(?:{any_affix})$", "")


def as_arrow(text: pd.Series) -> pa.ChunkedArray:
    """The texts as an Arrow column; null becomes an empty text."""
    array = pa.array(text, from_pandas=True)
    chunked = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
    return pc.fill_null(pc.cast(chunked, pa.large_string()), "")


def _read(text: pd.Series, style: NumberStyle) -> tuple[Any, Floats]:
    """Texts that are numbers, in plain style, with null for others; and their values, with NaN for others."""
    trimmed = without_affixes(pc.utf8_trim_whitespace(as_arrow(text)), style.affixes)
    kept = pc.if_else(pc.match_substring_regex(trimmed, _pattern(style)), trimmed, pa.scalar(None, pa.large_string()))
    if style.thousands:
        kept = pc.replace_substring_regex(kept, f"[{_separators(style)}]", "")
    if style.decimal == ",":
        kept = pc.replace_substring(kept, ",", ".")
    return kept, np.array(pc.fill_null(pc.cast(kept, pa.float64()), np.nan), dtype=np.float64)


def _pattern(style: NumberStyle) -> str:
    mark = re.escape(style.decimal)
    whole = rf"(?:[1-9]\d{{0,2}}(?:[{_separators(style)}]\d{{3}})+|\d+)" if style.thousands else r"\d+"
    return rf"^[+-]?(?:(?:{whole}(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?|(?i:inf|infinity))$"


def _separators(style: NumberStyle) -> str:
    if style.thousands in SPACES:
        return SPACES
    return "'\u2019" if style.thousands in "'\u2019" else re.escape(style.thousands)


def _is_changed(kept: pa.ChunkedArray, numbers: Floats) -> np.ndarray:
    """(N,) whether the text is a whole number that the double next to it is not."""
    is_changed = np.zeros(numbers.size, dtype=bool)
    for at in np.flatnonzero((np.abs(numbers) >= MOST_EXACT) & np.isfinite(numbers)):
        whole = re.fullmatch(r"([+-]?)0*(\d+)(?:\.0*)?", kept[at].as_py())
        is_changed[at] = whole is not None and int(whole[1] + whole[2]) != int(numbers[at])
    return is_changed
