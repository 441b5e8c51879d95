"""Rows by group: where the runs of a group start and end, and sums over them, block by block in a processor's cache."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array

from tasks.stats.records import Floats, Integers

BLOCK_ROWS = 2**15


def blocks(stops: Integers) -> list[slice]:
    """Neighbouring groups with about as many rows as fit a processor's cache; each ends at `stops` (J,)."""
    block = np.maximum(stops - 1, 0) // BLOCK_ROWS
    cuts = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), stops.size]
    return [slice(start, stop) for start, stop in pairwise(cuts)]


def by_group(group_index: Integers, n_groups: int, order: Integers | None) -> Integers:
    """Positions of the rows by group, and by `order` within.

    Groups are numbers, so rows are counted into them rather than compared, as in transposing a sparse matrix.
    """
    n = group_index.size
    by_order = None if order is None else np.argsort(order, kind="stable")
    index = group_index if by_order is None else group_index[by_order]
    if (index[1:] >= index[:-1]).all():
        return np.arange(n) if by_order is None else by_order
    each = csr_array((np.ones(n, dtype=bool), index.astype(np.int32), np.arange(n + 1)), shape=(n, n_groups))
    within = each.tocsc().indices
    return within if by_order is None else by_order[within]


@dataclass(frozen=True)
class Runs:
    """Rows by group: where the runs of a group start and end. Groups without rows have none."""

    n: Integers  # (J,) rows
    has_rows: np.ndarray  # (J,)
    first: Integers  # of each run
    last: Integers

    @classmethod
    def of(cls, n: Integers) -> Runs:
        ends = np.cumsum(n)
        has_rows = n > 0
        return cls(n, has_rows, (ends - n)[has_rows], ends[has_rows] - 1)

    def sums(self, values: Floats) -> Floats:
        """(J,) of `values` (N,), over each group."""
        return self.spread(np.add.reduceat(values, self.first))

    def sums_of_pairs(self, values: Floats) -> Floats:
        """(J,) of `values` (N - 1,), one per row and its next, over each group. Overwrites those across two groups."""
        values[self.last[:-1]] = 0.0
        return self.sums(np.append(values, 0.0))

    def spread(self, of_runs: Floats) -> Floats:
        """(J, ...) with 0 for groups without rows."""
        if self.has_rows.all():
            return of_runs
        values = np.zeros((self.n.size, *of_runs.shape[1:]))
        values[self.has_rows] = of_runs
        return values


def sums_of_products(w: Floats, runs: Runs) -> tuple[Floats, Floats]:
    """(J, m, m) sums of w w' with a 1 before each row's w, and of w w_next'; `w` is (m - 1, N), by group.

    Products of 0/1 columns, of which a category has one for each level, are counted rather than summed.
    """
    m, n_groups = len(w) + 1, runs.n.size
    sets = _disjoint(w)
    is_level = np.isin(np.arange(m - 1), [i for each in sets for i in each.columns])
    wide, lag = np.empty((2, m, m, n_groups))
    wide[0, 0], lag[0, 0] = runs.n, np.maximum(runs.n - 1, 0)
    for i in range(m - 1):
        wide[0, i + 1] = wide[i + 1, 0] = runs.sums(w[i])
        lag[0, i + 1] = wide[0, i + 1] - runs.spread(w[i, runs.first])
        lag[i + 1, 0] = wide[0, i + 1] - runs.spread(w[i, runs.last])
        for k in np.flatnonzero(~is_level) if is_level[i] else range(m - 1):
            lag[i + 1, k + 1] = runs.sums_of_pairs(w[i, :-1] * w[k, 1:])
            if k >= i:
                wide[i + 1, k + 1] = wide[k + 1, i + 1] = runs.sums(w[i] * w[k])
    _count(sets, runs, wide, lag)
    return np.ascontiguousarray(np.moveaxis(wide, -1, 0)), np.ascontiguousarray(np.moveaxis(lag, -1, 0))


@dataclass(frozen=True)
class _Disjoint:
    """0/1 columns of which no row has more than one."""

    columns: Integers  # (L,)
    code: Integers  # (N,) 1 + the place of the row's column among these; 0 where it has none


def _disjoint(w: Floats) -> list[_Disjoint]:
    """All 0/1 columns of `w` (m - 1, N), in as few sets as going through them once finds."""
    sets: list[tuple[list[int], Integers]] = []
    for i, column in enumerate(w):
        if not ((column == 0.0) | (column == 1.0)).all():
            continue
        has = column != 0.0
        at = next((at for at, (_, code) in enumerate(sets) if not code[has].any()), len(sets))
        if at == len(sets):
            sets.append(([], np.zeros(column.size, dtype=np.int64)))
        columns, code = sets[at]
        columns.append(i)
        code[has] = len(columns)
    return [_Disjoint(np.array(columns), code) for columns, code in sets]


def _count(sets: list[_Disjoint], runs: Runs, wide: Floats, lag: Floats) -> None:
    """Fill in the sums of products of two 0/1 columns: `wide` and `lag` are (m, m, J)."""
    group = np.repeat(np.arange(runs.n.size), runs.n)
    has_next = np.ones(group.size, dtype=bool)
    has_next[runs.last] = False
    row = np.flatnonzero(has_next)
    for one in sets:
        for other in sets:
            place = np.ix_(1 + one.columns, 1 + other.columns)
            shape = (runs.n.size, one.columns.size + 1, other.columns.size + 1)
            wide[place] = _counts(group, one.code, other.code, shape)
            lag[place] = _counts(group[row], one.code[row], other.code[row + 1], shape)


def _counts(group: Integers, one: Integers, other: Integers, shape: tuple[int, int, int]) -> Floats:
    """(A, B, J) rows of each group by two codes, 0 left out; `shape` is (J, A + 1, B + 1)."""
    found = np.bincount(np.ravel_multi_index((group, one, other), shape), minlength=int(np.prod(shape)))
    return np.moveaxis(found.reshape(shape)[:, 1:, 1:], 0, -1).astype(float)


def sums_of_ends(w: Floats, runs: Runs) -> Floats:
    """(J, m, m) sums of w w' over the first and over the last row of each group."""
    ends = np.stack([w[:, runs.first].T, w[:, runs.last].T])
    ends = np.concatenate([np.ones((*ends.shape[:2], 1)), ends], axis=2)
    return runs.spread(np.einsum("eji,ejk->jik", ends, ends))
