"""The outermost values of each column and how often they occur: additive, of fixed size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.stats.records import Floats, Integers

KEPT = 8  # distinct values at each end


@dataclass(frozen=True)
class Extremes:
    """Rows are the outcome, each predictor, and the size of a counted outcome (p or p + 1 in all).

    NaN, with a count of 0, if there are fewer than KEPT.
    """

    low: Floats  # (p, KEPT) the lowest distinct values, ascending
    n_low: Integers  # (p, KEPT)
    high: Floats  # (p, KEPT) the highest, descending
    n_high: Integers  # (p, KEPT)

    @property
    def is_constant(self) -> np.ndarray:
        """(p,) whether a column has at most one distinct value."""
        return np.isnan(self.low[:, 1])


def no_extremes(n_columns: int) -> Extremes:
    none, zero = np.full((n_columns, KEPT), np.nan), np.zeros((n_columns, KEPT), dtype=np.int64)
    return Extremes(none, zero, none, zero)


def extremes_of(columns: Sequence[Floats]) -> Extremes:
    """The extremes of `columns`, which must not contain NaN."""
    found = [_outermost(*np.unique(column, return_counts=True)) for column in columns]
    return Extremes(*(np.array(each) for each in zip(*found, strict=True)))


def added(parts: Sequence[Extremes]) -> Extremes:
    """The extremes of all parts' rows together. Exact, as the lowest of all are among the lowest of each part."""
    found = []
    for column in range(len(parts[0].low)):
        low = _counted([part.low[column] for part in parts], [part.n_low[column] for part in parts])
        high = _counted([part.high[column] for part in parts], [part.n_high[column] for part in parts])
        found.append((*_outermost(*low)[:2], *_outermost(*high)[2:]))
    return Extremes(*(np.array(each) for each in zip(*found, strict=True)))


def _counted(values: Sequence[Floats], counts: Sequence[Integers]) -> tuple[Floats, Integers]:
    """Distinct values, ascending, and how often each occurs."""
    all_values, all_counts = np.concatenate(values), np.concatenate(counts)
    distinct, at = np.unique(all_values[all_counts > 0], return_inverse=True)
    n = np.zeros(distinct.size, dtype=np.int64)
    np.add.at(n, at, all_counts[all_counts > 0])
    return distinct, n


def _outermost(distinct: Floats, n: Integers) -> tuple[Floats, Integers, Floats, Integers]:
    ends = ((distinct[:KEPT], n[:KEPT]), (distinct[::-1][:KEPT], n[::-1][:KEPT]))
    low, high = (
        (
            np.concatenate([values, np.full(KEPT - values.size, np.nan)]),
            np.concatenate([counts, np.zeros(KEPT - counts.size, dtype=np.int64)]).astype(np.int64),
        )
        for values, counts in ends
    )
    return (*low, *high)
