"""What the value of a judgement can be, by the words that its measure puts beside it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

Rule = tuple[str, Callable[[float], bool]]


def _is_share(value: float) -> bool:
    return 0.0 <= value <= 1.0


def _is_number_of(value: float) -> bool:
    return value >= 0.0 and float(value).is_integer()


def _is_size(value: float) -> bool:
    return value >= 0.0 and math.isfinite(value)


# The first pattern that is in a measure says what its value is.
MEANINGS: tuple[Rule, ...] = (
    (r"as wide as needed|\{share\}, at least", lambda value: value >= 0.0),
    (r"\{share\}", _is_share),
    (r"\bp( =)? \{value\}", _is_share),
    (r"correlation \{value\}", lambda value: -1.0 <= value <= 1.0),
    (r"Pareto k|^highest \{value\}|^\{value\}, below|deviance", math.isfinite),
    (r"variance inflation", lambda value: value >= 1.0),
    (r"^\{value\}, at least|ratio|times|standard errors|least spread|days old|draws", _is_size),
    (r"none allowed|[a-z]: \{value\}|\{value\} groups", _is_number_of),
)


def is_what_is_said(measure: str, value: float) -> bool:
    """Raises LookupError for a measure whose words are not known here."""
    for pattern, holds in MEANINGS:
        if re.search(pattern, measure):
            return holds(value)
    raise LookupError(measure)
