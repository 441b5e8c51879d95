"""Finds what values that are no plain numbers look like, and which settings read them; for messages and for drafts.

It knows the decimal comma, thousands, signs and units, dates, words for categories, and a word for what is missing.
What could be read in two ways is reported as such; neither is chosen.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import pandas as pd

from tasks.rows.numbers import PLAIN, SPACES, NumberStyle, parse_numbers
from tasks.rows.values import ONE_GROUP, SURE_SHARE
from tasks.study.toml_text import toml_key, toml_value

NEARLY_ALL = 0.9
MOST_VALUES = 1_000  # values looked at per column
MOST_WORDS = 8  # different words in a column of categories
THOUSANDS = (",", ".", " ", "'")
MAGNITUDE = re.compile(r"(?i:k|mn|mio|bn|b|tsd)|M")  # suffixes by which a number is multiplied
AFFIXED = re.compile(
    rf"(?P<before>[^\d\s{SPACES}.,+-]{{0,4}}\.?)[{SPACES}]*[+-]?[.,]?\d[\d.,'’{SPACES}]*?(?:[eE][+-]?\d+)?"
    rf"[{SPACES}]*(?P<after>[^\d\s{SPACES}.,+-][^\d\s{SPACES}]{{0,7}})?"
)
TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S", "T%H:%M", "T%H:%M:%S%z", " %H:%M:%S%z", " %I:%M %p")
DAYS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d"),
    *(form.replace("-", mark) for mark in "/.-" for form in ("%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y")),
    *("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%Y %b %d"),
)


@dataclass(frozen=True)
class Look:
    """What a column's values look like (`what`), and the settings that read them.

    `others` are further ways of reading them, in words, if the values do not show which is right.
    """

    what: str
    style: NumberStyle | None = None
    date_format: str = ""
    codes: Mapping[str, float] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    others: str = ""
    is_partial: bool = False  # whether other values of the column lack the sign or unit


def look_of(values: Sequence[str], is_all: bool, base: NumberStyle = PLAIN, is_mark_known: bool = False) -> Look | None:
    """The look of `values` that `base` does not read as numbers, or None; `is_all` if the column has hardly any others.

    `is_mark_known` if the decimal mark of `base` is certain.
    """
    shown = pd.Series([value.strip() for value in values[:MOST_VALUES]], dtype="str")
    if shown.empty:
        return None
    found = _number(shown, base, is_mark_known) or _date(shown) or _time(shown)
    return found or (_categories(shown) if is_all else _word_for_missing(shown))


def is_measured(values: Sequence[str], base: NumberStyle = PLAIN) -> bool:
    """Whether nearly all of `values` look like numbers, dates or times, so that they are no names of categories."""
    shown = pd.Series([value.strip() for value in values[:MOST_VALUES]], dtype="str")
    return not shown.empty and bool(_number(shown, base, False) or _date(shown) or _time(shown))


def codes_setting(column: str, codes: Mapping[str, float]) -> str:
    pairs = ", ".join(f"{toml_key(word)} = {value:g}" for word, value in codes.items())
    return f"codes.{toml_key(column)} = {{ {pairs} }}"


def date_setting(column: str, date_format: str) -> str:
    return f"dates.{toml_key(column)} = {toml_value(date_format)}"


def date_formats(values: Sequence[str]) -> list[str]:
    """The date formats that read nearly all of `values`."""
    sample = [value.strip() for value in values[:MOST_VALUES]]
    first = next((value for value in sample if value), "")
    fitting = [day + time for day in DAYS for time in TIMES if _is_date(first, day + time)]
    return [one for one in fitting if np.mean([_is_date(value, one) for value in sample]) >= NEARLY_ALL]


def _number(shown: pd.Series, base: NumberStyle, is_mark_known: bool) -> Look | None:
    affixes = (*base.affixes, *_affixes(shown, base.affixes))
    for decimal, thousands in _marks(base):
        if is_mark_known and decimal != base.decimal:
            continue
        style = NumberStyle(decimal, thousands, affixes)
        if np.isfinite(parse_numbers(shown, style)).mean() >= NEARLY_ALL:
            return _told(shown, style, base)
    return None


def _marks(base: NumberStyle) -> list[tuple[str, str]]:
    plain = [(base.decimal, base.thousands), (".", ""), (",", "")]
    return plain + [(mark, between) for between in THOUSANDS for mark in ".," if mark != between]


def _told(shown: pd.Series, style: NumberStyle, base: NumberStyle) -> Look:
    marked = _cores(shown, style)
    marked = marked[marked.str.contains(style.decimal, regex=False)]
    is_open = not style.thousands and bool(marked.str.match(ONE_GROUP).mean() > 1 - SURE_SHARE)
    if style.decimal != base.decimal and is_open:
        grouped = replace(style, decimal=base.decimal, thousands=style.decimal)
        whole, fraction = _first(marked, grouped), _first(marked, style)
        what = f"a number with thousands separators ({whole:.15g}) or with decimals ({fraction:.15g})"
        return Look(what, grouped, others=f"decimal = {toml_value(style.decimal)}")
    new = [f'"{affix}"' for affix in style.affixes if affix not in base.affixes]
    words = [
        "thousands separators" if style.thousands != base.thousands else "",
        " and ".join(new),
        f'the decimal mark "{style.decimal}"' if style.decimal != base.decimal and not style.thousands else "",
    ]
    return Look(f"a number with {' and '.join(filter(None, words))}", style)


def _cores(shown: pd.Series, style: NumberStyle) -> pd.Series:
    found = shown
    for affix in style.affixes:
        found = found.str.removeprefix(affix).str.removesuffix(affix).str.strip()
    return found


def _first(shown: pd.Series, style: NumberStyle) -> float:
    numbers = parse_numbers(shown, style)
    return float(numbers[np.isfinite(numbers)][0])


def _affixes(shown: pd.Series, known: Sequence[str]) -> tuple[str, ...]:
    """Signs and units before or after the values, the most frequent first; none if they are doubtful."""
    parts = [match for value in shown if (match := AFFIXED.fullmatch(value.lstrip("+-")))]
    before, after = (Counter(match[side] or "" for match in parts) for side in ("before", "after"))
    found = (before + after).most_common()
    is_sure = all(map(_is_money, {*before} - {"", *known})) and all(map(_is_unit, {*after} - {"", *known}))
    new = [(affix, n) for affix, n in found if affix and affix not in known]
    is_everywhere = all(n >= NEARLY_ALL * len(shown) for _, n in new)  # two different units would mean two scales
    return tuple(affix for affix, _ in new) if is_sure and is_everywhere else ()


def _is_money(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Z]{3}|Fr\.?|kr\.?", text)) or any(unicodedata.category(each) == "Sc" for each in text)


def _is_unit(text: str) -> bool:
    is_one = re.fullmatch(r"[%‰°]|[°µ]?[^\W\d_]{1,5}[²³]?(/[^\W\d_]{1,5}[²³]?)?", text) is not None
    return (is_one or _is_money(text)) and not MAGNITUDE.fullmatch(text)


def _date(shown: pd.Series) -> Look | None:
    formats = date_formats(shown.tolist())
    if not formats:
        return None
    others = f"{toml_value(formats[1])} if the month comes first" if formats[1:] else ""
    return Look("a date", date_format=formats[0], others=others)


def _is_date(text: str, date_format: str) -> bool:
    try:
        datetime.strptime(text, date_format)
    except ValueError:
        return False
    return True


def _time(shown: pd.Series) -> Look | None:
    is_time = shown.str.fullmatch(r"\d{1,3}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp][Mm])?").mean() >= NEARLY_ALL
    return Look("a time") if is_time else None


def _categories(shown: pd.Series) -> Look | None:
    words = sorted(set(shown), key=lambda word: (word.lower(), word))
    if not 2 <= len(words) <= MOST_WORDS or 2 * len(words) > len(shown) or any(len(word) > 40 for word in words):
        return None
    codes = {word: float(i) for i, word in enumerate(words)}
    return Look("a word for a category", codes=codes)


def _word_for_missing(shown: pd.Series) -> Look | None:
    words = sorted(set(shown))
    if len(shown) < 2 or len(words) > 2 or any(len(word) > 20 or re.search(r"\d", word) for word in words):
        return None
    return Look("a word for a missing value", missing=tuple(words))
