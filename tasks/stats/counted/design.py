"""What the likelihood is computed from: cells in the order of their groups, predictors in an orthonormal basis.

The search for the fixed effects
is in a basis that is uncorrelated over rows, with SDs of 1: predictors that are nearly combinations of one another slow
nothing down. One that is a combination of others to rounding is aliased, and has no estimate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tasks.stats.fits.cells import Cells, Family
from tasks.stats.records import Floats, Integers

ALIASED = 1e-7  # what is left of a predictor given those before it, relative to its own size

FEW_PER_GROUP = 8  # cells: with fewer, adding them one by one is quicker


@dataclass(frozen=True)
class Design:
    """C cells of J groups, each of which has one at least."""

    family: Family
    basis: Floats  # (C, m) the fixed effects' columns; m is p less the aliased ones
    z: Floats  # (q, C) predictors whose effect varies by group
    events: Floats  # (C,)
    size: Floats  # (C,)
    group: Integers  # (C,) ascending, every one of 0 … J - 1
    first: Integers  # (J,) each group's first cell

    @property
    def m(self) -> int:
        return self.basis.shape[1]

    @property
    def q(self) -> int:
        return len(self.z)

    @property
    def n_groups(self) -> int:
        return self.first.size

    @property
    def is_cell_per_group(self) -> bool:
        return self.first.size == self.events.size

    def sums(self, values: Floats) -> Floats:
        """(…, J) sums of `values` (…, C) over each group's cells."""
        if self.is_cell_per_group:
            return values
        if self.events.size > FEW_PER_GROUP * self.first.size:
            return np.add.reduceat(values, self.first, axis=-1)
        several = [np.bincount(self.group, each, self.first.size) for each in values.reshape(-1, self.events.size)]
        return np.asarray(several, dtype=float).reshape(*values.shape[:-1], self.first.size)

    def spread(self, values: Floats) -> Floats:
        """(…, C) each cell's value of its group, from (…, J)."""
        return values if self.is_cell_per_group else np.take(values, self.group, axis=-1)


@dataclass(frozen=True)
class Basis:
    """Coefficients on centre-scaled predictors are `to_scaled` @ coefficients on the basis; NaN where aliased."""

    columns: Floats  # (C, m)
    to_scaled: Floats  # (p, m)
    is_aliased: np.ndarray  # (p,)


def basis_of(x: Floats, n_rows: Integers) -> Basis:
    """Gram and Schmidt's basis of `x` (C, p), column by column, each projected twice against rounding."""
    share = n_rows / n_rows.sum()
    p, m = x.shape[1], 0
    columns, steps = np.empty((len(x), p), order="F"), np.zeros((p, p))
    is_aliased = np.zeros(p, dtype=bool)
    for k in range(p):
        rest, made_of = x[:, k].copy(), np.eye(p)[k]
        for _ in range(2):
            onto = columns[:, :m].T @ (share * rest)
            rest, made_of = rest - columns[:, :m] @ onto, made_of - steps[:, :m] @ onto
        length, own = (float(np.sqrt(share @ values**2)) for values in (rest, x[:, k]))
        is_aliased[k] = length <= ALIASED * own
        if not is_aliased[k]:
            columns[:, m], steps[:, m] = rest / length, made_of / length
            m += 1
    steps = steps[:, :m]
    steps[is_aliased] = np.nan
    return Basis(np.ascontiguousarray(columns[:, :m]), steps, is_aliased)


def design_of(cells: Cells, basis: Basis, z: Floats) -> Design:
    """`z` is (q, C). Groups without a cell are left out."""
    _, first, group = np.unique(cells.group_index, return_index=True, return_inverse=True)
    return Design(cells.family, basis.columns, z, cells.events, cells.size, group, first)


def every(design: Design, step: int) -> Design:
    """Every `step`-th group."""
    return of_groups(design, np.arange(design.n_groups) % step == 0)


def of_groups(design: Design, is_kept: np.ndarray) -> Design:
    """Some of the groups, by (J,) whether each is kept."""
    cells = np.flatnonzero(is_kept[design.group])
    group = (np.cumsum(is_kept) - 1)[design.group[cells]]
    return _of(design, cells, group, np.flatnonzero(np.diff(group, prepend=-1)))


def parts(design: Design, most_cells: int) -> Iterator[tuple[slice, Design]]:
    """The design cut between groups into parts of about `most_cells` cells, so that they stay in a cache."""
    n_parts = max(1, round(design.events.size / most_cells))
    bounds = np.searchsorted(design.first, np.linspace(0, design.events.size, n_parts + 1))
    for start, end in pairwise(bounds):
        if start < end:
            yield slice(start, end), _part(design, start, end)


def _part(design: Design, start: int, end: int) -> Design:
    cells = slice(design.first[start], design.first[end] if end < design.n_groups else design.events.size)
    return _of(design, cells, design.group[cells] - start, design.first[start:end] - design.first[start])


def _of(design: Design, cells: slice | Integers, group: Integers, first: Integers) -> Design:
    basis, z = design.basis[cells], np.ascontiguousarray(design.z[:, cells])
    return Design(design.family, basis, z, design.events[cells], design.size[cells], group, first)
