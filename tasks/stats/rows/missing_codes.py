"""Numbers that seem to stand for "missing": -999, 9999, -1 and the like, repeated and far outside the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.stats.judgement import Judgement
from tasks.stats.rows.extremes import Extremes

LEAST_REPEATS = 2
LEAST_VALUES = 3  # distinct values that are not codes
MOST_CODES = 3  # at one end, next to each other
# Repeated digits and their neighbours (-998 beside -999), the least integers, and the fill values of climate files.
CODE = re.compile(r"-?(9*[6-9]|8+|7+)|-1|-32768|-2147483648|-?1e\+(20|30|36)|9\.969209968386\d*e\+36")


@dataclass(frozen=True)
class MissingCode:
    """`value` stands in `n_rows` rows of `column`, whose other values lie between `low` and `high`."""

    column: str
    value: float
    n_rows: int
    low: float
    high: float

    @property
    def spelled(self) -> str:
        return spelled(self.value)


def missing_codes(extremes: Extremes, columns: Sequence[str]) -> tuple[MissingCode, ...]:
    """Codes at either end of a column, further from the other values than those lie apart.

    `columns` names the outcome, the predictors and the size of a counted outcome, in the order of `extremes`.
    """
    return tuple(code for i, name in enumerate(columns) for code in _codes(extremes, i, name))


def spelled(value: float) -> str:
    return f"{value:.15g}"


def _codes(extremes: Extremes, column: int, name: str) -> list[MissingCode]:
    low, high = ([v for v in end[column].tolist() if not np.isnan(v)] for end in (extremes.low, extremes.high))
    n = {**_counts(extremes.high, extremes.n_high, column), **_counts(extremes.low, extremes.n_low, column)}
    found: list[float] = []
    while end := _outlying(low, high, n):
        found += end
        low, high = [v for v in low if v not in end], [v for v in high if v not in end]
    return [MissingCode(name, value, n[value], low[0], high[0]) for value in found]


def _counts(values: np.ndarray, n: np.ndarray, column: int) -> dict[float, int]:
    return dict(zip(values[column].tolist(), n[column].tolist(), strict=True))


def _outlying(low: Sequence[float], high: Sequence[float], n: dict[float, int]) -> list[float]:
    """The outermost values of one end, if they are codes; if both ends have codes, those with the larger gap.

    Empty if there are no codes, or too few other values.
    """
    ends = [(*_split(low, high[:1], k), low[:k]) for k in range(1, MOST_CODES + 1)]
    ends += [(*_split(high, low[:1], k), high[:k]) for k in range(1, MOST_CODES + 1)]
    for gap, rest, values in sorted(ends, key=lambda end: end[0], reverse=True):
        n_other = len({*low, *high} - {*values})
        is_far = gap >= rest > 0 and n_other >= LEAST_VALUES
        if is_far and all(map(_is_code, values)) and max(n[value] for value in values) >= LEAST_REPEATS:
            return list(values)
    return []


def _split(end: Sequence[float], other: Sequence[float], k: int) -> tuple[float, float]:
    """Distance of the k outermost values to the next value, and from that to the other end; 0 if there is no next."""
    return (abs(end[k] - end[k - 1]), abs(other[0] - end[k])) if len(end) > k else (0.0, 0.0)


def _is_code(value: float) -> bool:
    text = spelled(value)
    return CODE.fullmatch(text if "e" in text else text.replace(".", "")) is not None


def judge_missing_codes(codes: Sequence[MissingCode]) -> tuple[Judgement, ...]:
    """One judgement if there are codes, else none. Its value is the number of rows of the most frequent code."""
    if not codes:
        return ()
    return (Judgement("missing_codes", "review", "found", value=max(code.n_rows for code in codes)),)
