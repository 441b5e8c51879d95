"""Cells: rows of one group with equal predictors, added up. A counted outcome's likelihood depends on nothing else.

Of the binomial family the outcome is a number of events out of a number of trials, of the Poisson family a count over
an exposure. The cells of several files add up to the cells of all their rows: sums of whole numbers are exact in any
order, those of exposures but for rounding. So does the constant of the likelihood, which the cells no longer show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from tasks.stats.records import Floats, Integers

Family = Literal["binomial", "poisson"]
LARGEST_KEY = 2**62


@dataclass(frozen=True)
class Cells:
    """C cells, in the order of their groups; `group_index` points into `labels`."""

    family: Family
    x: Floats  # (C, p - 1) predictors in raw units
    group_index: Integers  # (C,)
    events: Floats  # (C,) whole numbers: events, or counts
    size: Floats  # (C,) trials, or exposure
    n_rows: Integers  # (C,)
    labels: tuple[str, ...]  # J
    terms: tuple[str, ...]  # p, "intercept" first
    constant: float  # of the log likelihood of all rows: binomial coefficients, or factorials and exposures

    @property
    def n_groups(self) -> int:
        return len(self.labels)

    def of_groups(self, values: Floats) -> Floats:
        """(J,) sums over each group's cells."""
        return _summed(self.group_index, values, self.n_groups)


def cells_of(
    family: Family,
    events: Floats,
    size: Floats,
    x: Floats,
    group_index: Integers,
    labels: Sequence[str],
    terms: Sequence[str],
) -> Cells:
    """Of rows: `events`, `size`, `group_index` (N,) and `x` (N, p - 1). Sizes are positive, events whole.

    Cells are ordered by group, then by the predictors from the first on.
    """
    first, cell = _equal_rows(x, group_index)
    n = first.size
    return Cells(
        family=family,
        x=x[first] + 0.0,
        group_index=group_index[first].astype(np.int64),
        events=_summed(cell, events, n),
        size=_summed(cell, size, n),
        n_rows=np.bincount(cell, minlength=n).astype(np.int64),
        labels=tuple(labels),
        terms=tuple(terms),
        constant=constant_of(family, events, size),
    )


def no_cells(family: Family, terms: Sequence[str]) -> Cells:
    none, whole = np.empty(0), np.empty(0, dtype=np.int64)
    return Cells(family, np.empty((0, len(terms) - 1)), whole, none, none, whole, (), tuple(terms), 0.0)


def added(parts: Sequence[Cells]) -> Cells:
    """The cells of all rows of several parts, whose groups, terms and family are the same."""
    x, group, events, size, n_rows = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("x", "group_index", "events", "size", "n_rows")
    )
    first, cell = _equal_rows(x, group)
    n = first.size
    return replace(
        parts[0],
        x=x[first],
        group_index=group[first],
        events=_summed(cell, events, n),
        size=_summed(cell, size, n),
        n_rows=_summed(cell, n_rows, n).astype(np.int64),
        constant=sum(part.constant for part in parts),
    )


def less(whole: Cells, part: Cells) -> Cells | None:
    """The cells of the rows that `part` lacks; both have the same groups and terms. None if it has other rows too."""
    left = added([whole, _negative(part)])
    n, events, size = left.n_rows, left.events, left.size
    is_none = n == 0
    if (n < 0).any() or (events < 0).any() or (events[is_none] != 0).any() or (size[~is_none] <= 0).any():
        return None
    if left.family == "binomial" and (events > size).any():
        return None
    return _only(left, ~is_none)


def of_some_groups(cells: Cells, groups: Integers) -> Cells:
    """The cells of some groups, at positions in `labels`, which stay as they are; its constant says nothing."""
    return _only(cells, np.isin(cells.group_index, groups))


def no_rows(cells: Cells) -> Cells:
    """None of these, with the same groups and terms."""
    return _only(cells, np.zeros(cells.events.size, dtype=bool))


def _only(cells: Cells, chosen: NDArray[np.bool_]) -> Cells:
    names = ("x", "group_index", "events", "size", "n_rows")
    return replace(cells, **{name: getattr(cells, name)[chosen] for name in names})


def _negative(cells: Cells) -> Cells:
    return replace(cells, events=-cells.events, size=-cells.size, n_rows=-cells.n_rows, constant=-cells.constant)


def relabelled(cells: Cells, labels: Sequence[str], index: Integers) -> Cells:
    """The cells with these labels: group j becomes `index[j]` (J,); groups that become one are merged."""
    return added([replace(cells, labels=tuple(labels), group_index=index[cells.group_index])])


def added_among(parts: Sequence[Cells], labels: Sequence[str]) -> Cells:
    """The cells of all rows of several parts, with these labels, among which are all of theirs."""
    position = {label: j for j, label in enumerate(labels)}
    index = [np.array([position[label] for label in part.labels], dtype=np.int64) for part in parts]
    return added(
        [
            replace(part, labels=tuple(labels), group_index=at[part.group_index])
            for part, at in zip(parts, index, strict=True)
        ]
    )


def _equal_rows(x: Floats, group_index: Integers) -> tuple[Integers, Integers]:
    """One row of each set of equal ones, in order; and (N,) which of the sets each row belongs to."""
    key, n_keys = group_index.astype(np.int64), int(group_index.max(initial=-1)) + 1
    for column in x.T:
        code, n_codes = _coded(column)
        if n_keys * n_codes > LARGEST_KEY:
            distinct, key = np.unique(key, return_inverse=True)
            n_keys = distinct.size
        key, n_keys = key * n_codes + code, n_keys * n_codes
    _, first, cell = np.unique(key, return_index=True, return_inverse=True)
    return first, cell


def _coded(column: Floats) -> tuple[Integers, int]:
    """(N,) whole numbers from 0 in the order of the values, and how many there may be."""
    if np.all((column == 0.0) | (column == 1.0)):
        return column.astype(np.int64), 2
    distinct, code = np.unique(column, return_inverse=True)
    return code, distinct.size


def constant_of(family: Family, events: Floats, size: Floats) -> float:
    """Of the log likelihood of cells or rows: binomial coefficients, or factorials and exposures."""
    if family == "binomial":
        terms = gammaln(size + 1.0) - gammaln(events + 1.0) - gammaln(size - events + 1.0)
    else:
        terms = events * np.log(size) - gammaln(events + 1.0)
    return float(terms.sum())


def _summed(places: Integers, values: Floats | Integers, n: int) -> Floats:
    return np.asarray(np.bincount(places, weights=values, minlength=n), dtype=float)
