"""Numbers as text: rounded to what their uncertainty supports, with units.

An estimate is printed to the decimal place of the second significant digit of its standard error;
more would be noise. Numbers in one table column share that place, so that they can be compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

MINUS = "−"
MISSING = "–"
THIN_SPACE = "\u202f"  # narrow, does not break a line
MOST_DECIMALS = 6
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def decimals_for(uncertainty: float, digits: int = 2) -> int:
    """Decimal places that show `digits` significant digits of `uncertainty`; negative for tens, hundreds."""
    if not math.isfinite(uncertainty) or uncertainty <= 0:
        return 3
    rounded = float(f"{uncertainty:.{digits - 1}e}")
    return digits - 1 - math.floor(math.log10(rounded))


def common_decimals(uncertainties: ArrayLike) -> int:
    """Decimal places for a whole column: those of the median uncertainty, without missing ones and zeros."""
    values = np.asarray(uncertainties, dtype=float)
    known = values[np.isfinite(values) & (values > 0)]
    return decimals_for(float(np.median(known))) if known.size else 3


def fixed(value: float, decimals: int) -> str:
    """`value` to a decimal place, in scientific notation where zeros would hide the digits."""
    if not math.isfinite(value):
        return MISSING
    if decimals > MOST_DECIMALS or decimals < -MOST_DECIMALS:
        return scientific(value, decimals)
    text = f"{round(float(value), decimals):,.{max(decimals, 0)}f}"  # a NumPy number takes ten times as long
    return signed(text)


def scientific(value: float, decimals: int) -> str:
    """`value` as a × 10ⁿ, to the same decimal place that `fixed` would show."""
    if round(value, decimals) == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    mantissa = f"{value / 10.0**exponent:.{max(decimals + exponent, 0)}f}"
    return f"{signed(mantissa)}{THIN_SPACE}×{THIN_SPACE}10{str(exponent).translate(SUPERSCRIPTS)}"


def signed(text: str) -> str:
    """The number's text with a typographic minus, or none before a zero."""
    if text.startswith("-") and not any(digit in text for digit in "123456789"):
        return text[1:]
    return text.replace("-", MINUS)


def significant(value: float, digits: int = 3) -> str:
    """`value` to a number of significant digits, for quantities without a standard error."""
    if value == 0:
        return "0"
    return fixed(value, decimals_for(abs(value), digits)) if math.isfinite(value) else MISSING


def plain(value: float) -> str:
    """At most four significant digits, whole from a thousand on, no trailing zeros: for diagnostics and limits."""
    text = f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"
    return significant(value, 1) if "e" in text else signed(text.rstrip("0").rstrip(".") if "." in text else text)


def estimate(value: float, uncertainty: float) -> str:
    """`value` to what its standard error supports."""
    return fixed(value, decimals_for(uncertainty))


def rounded(value: float, uncertainty: float, digits: int = 3) -> str:
    """As `estimate`, but to at most `digits` significant digits: for sentences, which need no more."""
    return fixed(value, min(decimals_for(uncertainty), decimals_for(abs(value), digits)))


def interval(lower: float, upper: float, decimals: int) -> str:
    """Both ends to the same decimal place; MISSING if either end is not finite."""
    if not (math.isfinite(lower) and math.isfinite(upper)):
        return MISSING
    return f"{fixed(lower, decimals)} to {fixed(upper, decimals)}"


def with_unit(text: str, unit: str) -> str:
    """The unit after the number, on the same line."""
    return f"{text}{THIN_SPACE}{unit}" if unit and text != MISSING else text


def count(value: int) -> str:
    return f"{int(value):,}"


def percent(share: float) -> str:
    """Whole per cent, but never 0 % or 100 % for a share that is not quite that."""
    if not math.isfinite(share):
        return MISSING
    if 0 < share < 0.01:
        return f"<{THIN_SPACE}1{THIN_SPACE}%"
    if 0.99 < share < 1:
        return f">{THIN_SPACE}99{THIN_SPACE}%"
    return f"{100 * share:.0f}{THIN_SPACE}%"


def plural(number: int, noun: str, many: str | None = None) -> str:
    """`1 row`, `2 rows`."""
    return f"{count(number)} {noun if number == 1 else many or noun + 's'}"


def be(number: int, one: str = "is", many: str = "are") -> str:
    """The verb that goes with a number of things: `is` or `are`."""
    return one if number == 1 else many


def about(expected: float) -> str:
    """A number of things that chance is expected to give: `about 15`, or `fewer than one`."""
    return "fewer than one" if expected < 1 else f"about {significant(expected, 1 if expected < 10 else 2)}"


def listed(items: Iterable[str], limit: int = 5) -> str:
    """`a, b and c`; beyond `limit` the rest is counted."""
    names = list(items)
    if len(names) > limit:
        return f"{', '.join(names[:limit])} and {count(len(names) - limit)} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
