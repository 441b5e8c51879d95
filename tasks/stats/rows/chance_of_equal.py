"""The chance that two rows of a group are equal, estimated column by column.

The chance that two rows of a group agree in a column is the largest of three estimates: how finely the column
is measured against its spread within groups, how often rows of different groups agree, and how often rows
of a group agree that differ in another column. Exact copies raise none of the three. The chance is capped at how
often rows of a group agree at all, copies included. The columns' chances are multiplied, as if columns were
independent within groups; code that uses the product must leave a margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.stats.records import Floats, GroupedData, Integers
from tasks.stats.rows.group_quantiles import group_quantiles

DECIMALS = np.arange(-6, 9)


@dataclass(frozen=True)
class Chance:
    """The chance that two rows of one group are equal: in every column of the study, and in the outcome alone."""

    row: float
    outcome: float


def chance_of_equal(sample: GroupedData) -> Chance:
    """The chance for rows that are not copies of each other; copies in `sample` do not raise it."""
    columns = (sample.y, *sample.x.T, *([] if sample.size is None else [sample.size]))
    codes = [np.unique(column, return_inverse=True)[1] for column in columns]
    alike = n_pairs(_combined([sample.group_index, *codes]))
    each = [_agree(column, code, sample.group_index, alike) for column, code in zip(columns, codes, strict=True)]
    return Chance(float(np.prod(each)), each[0])


def _agree(column: Floats, code: Integers, group: Integers, n_alike: float) -> float:
    """The chance that two rows of a group agree in a column; `n_alike` pairs agree in all columns."""
    of_all, of_group, both = n_pairs(np.zeros_like(code)), n_pairs(group), n_pairs(_combined([group, code]))
    between = (n_pairs(code) - both + 1.0) / (of_all - of_group + 1.0)
    within = (both - n_alike) / (of_group - n_alike) if of_group > n_alike else 0.0
    seen = (both + 1.0) / (of_group + 1.0)
    return min(seen, max(between, within, _resolution(column, group)))


def _resolution(column: Floats, group: Integers) -> float:
    """Half the step in which a column is measured, over its interquartile range within groups; 1 if that is 0."""
    from_median = column - group_quantiles(column, group, int(group.max()) + 1, np.array([0.5]))[group, 0]
    low, high = np.quantile(from_median, [0.25, 0.75])
    scaled = column[:, None] * 10.0**DECIMALS
    is_whole = np.abs(scaled - np.rint(scaled)) <= 1e-9 * np.maximum(np.abs(scaled), 1.0)
    decimals = np.where(is_whole.any(axis=1), DECIMALS[np.argmax(is_whole, axis=1)], DECIMALS[-1])
    step = 10.0 ** -float(np.quantile(decimals, 0.25))
    return 0.5 * float(step / (high - low)) if high > low else 1.0


def n_pairs(code: NDArray[Any]) -> float:
    """The number of pairs of equal codes."""
    n = np.unique(code, return_counts=True)[1].astype(float)
    return float((n * (n - 1) / 2).sum())


def _combined(codes: Sequence[Integers]) -> Integers:
    """One code for each combination of codes."""
    found = codes[0].astype(np.int64)
    for code in codes[1:]:
        found = np.unique(found * (int(code.max()) + 1) + code, return_inverse=True)[1]
    return found
