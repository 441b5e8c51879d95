"""Cells: rows of one group with equal predictors, added up. A counted outcome's likelihood depends on nothing else.

Of the binomial family the outcome is a number of events out of a number of trials, of the Poisson family a count over
an exposure. Sums of events and of sizes are exact in any order, so that the cells of several files add up to the cells
of all their rows; so does the constant of the likelihood, which the cells no longer show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import gammaln

from tasks.stats.records import Floats, Integers

Family = Literal["binomial", "poisson"]


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
    """Of rows: `events`, `size`, `group_index` (N,) and `x` (N, p - 1). Sizes are positive, events whole."""
    every = np.column_stack([group_index.astype(float), x])
    keys, cell, n_rows = np.unique(every, axis=0, return_inverse=True, return_counts=True)
    cell = cell.ravel()
    return Cells(
        family=family,
        x=keys[:, 1:],
        group_index=keys[:, 0].astype(np.int64),
        events=_summed(cell, events, len(keys)),
        size=_summed(cell, size, len(keys)),
        n_rows=n_rows.astype(np.int64),
        labels=tuple(labels),
        terms=tuple(terms),
        constant=constant_of(family, events, size),
    )


def added(parts: Sequence[Cells]) -> Cells:
    """The cells of all rows of several parts, whose groups, terms and family are the same."""
    x, group, events, size, n_rows = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("x", "group_index", "events", "size", "n_rows")
    )
    first = parts[0]
    summed = cells_of(first.family, events, size, x, group, first.labels, first.terms)
    every = np.column_stack([group.astype(float), x])
    cell = np.unique(every, axis=0, return_inverse=True)[1].ravel()
    counted = np.bincount(cell, weights=n_rows, minlength=summed.events.size).astype(np.int64)
    return replace(summed, n_rows=counted, constant=sum(part.constant for part in parts))


def constant_of(family: Family, events: Floats, size: Floats) -> float:
    """Of the log likelihood of cells or rows: binomial coefficients, or factorials and exposures."""
    if family == "binomial":
        return float((gammaln(size + 1.0) - gammaln(events + 1.0) - gammaln(size - events + 1.0)).sum())
    return float((events * np.log(size) - gammaln(events + 1.0)).sum())


def _summed(places: Integers, values: Floats, n: int) -> Floats:
    return np.asarray(np.bincount(places, weights=values, minlength=n), dtype=float)
