"""Are groups as the others predict them, whatever their size: observed by expected events, by quarters of size.

A group is predicted as one without rows of its own (George et al. 2017, arXiv:1510.00842): plain partial pooling that
draws small groups to an average that does not suit them shows here, where it cannot in predictions from a group itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.added_terms import group_sizes
from tasks.stats.counted.left_out import group_left_out_moments
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.partial_pooling import CountedPartialPooling
from tasks.stats.fits.intervals import Z_95

QUARTERS = 4
FEWEST_GROUPS = 8


@dataclass(frozen=True)
class SizeQuarter:
    """Groups of `smallest` to `largest` trials or exposure; the model's chance alone makes `se`."""

    smallest: float
    largest: float
    n_groups: int
    observed: float  # events
    expected: float
    se: float  # of observed less expected

    @property
    def ratio(self) -> float:
        return self.observed / self.expected

    @property
    def z(self) -> float:
        return (self.observed - self.expected) / self.se

    @property
    def band(self) -> tuple[float, float]:
        """Where the ratio lies with 95 % if the fit is right."""
        half = Z_95 * self.se / self.expected
        return max(1.0 - half, 0.0), 1.0 + half


def calibration_by_size(model: CountedModel, fit: CountedPartialPooling) -> tuple[SizeQuarter, ...]:
    """Quarters of the groups, smallest first; groups of equal size stay together. None below FEWEST_GROUPS groups."""
    sizes, events = group_sizes(model.cells), model.cells.of_groups(model.cells.events)
    expected, variance = group_left_out_moments(model, fit)
    some = np.flatnonzero(sizes > 0)
    if some.size < FEWEST_GROUPS:
        return ()
    edges = np.unique(np.quantile(sizes[some], np.arange(1, QUARTERS) / QUARTERS, method="lower"))
    place = np.searchsorted(edges, sizes[some], side="left")
    return tuple(
        SizeQuarter(
            smallest=float(sizes[groups].min()),
            largest=float(sizes[groups].max()),
            n_groups=int(groups.size),
            observed=float(events[groups].sum()),
            expected=float(expected[groups].sum()),
            se=float(np.sqrt(variance[groups].sum())),
        )
        for groups in (some[place == k] for k in np.unique(place))
    )
