"""What an interval covers if another model's uncertainty is right: the measure by which intervals are judged here.

"Half as wide" says little: half as wide covers 67 %, and an interval of the right width in the wrong place covers less
than it seems. So an interval is judged by the probability that the other model puts on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from tasks.stats.records import Floats, Integers

LEVEL = 0.95
PROMISED = 0.92  # the least coverage of a 95 % interval that is recommended
PROMISED_SMALLEST = 0.90  # of the smallest groups' levels
SMALLEST = 0.25  # share of the groups, those with fewest rows


@dataclass(frozen=True)
class ImpliedCoverage:
    """Means over groups; `smallest` is of the levels of the smallest groups."""

    terms: Floats  # (p,)
    smallest: float

    @property
    def is_kept(self) -> bool:
        """Whether the intervals hold the truth about as often as they say, for every term."""
        return bool((self.terms >= PROMISED).all() and self.smallest >= PROMISED_SMALLEST)


def by_normal(lower: Floats, upper: Floats, estimate: Floats, se: Floats, sizes: Integers | Floats) -> ImpliedCoverage:
    """Of the intervals `lower` to `upper` (J, p) if the truth is normal(estimate, se), (J, p) each."""
    with np.errstate(divide="ignore", invalid="ignore"):
        held = ndtr((upper - estimate) / se) - ndtr((lower - estimate) / se)
    return _averaged(np.where(se > 0, held, (lower <= estimate) & (estimate <= upper)), sizes)


def by_draws(lower: Floats, upper: Floats, draws: Floats, sizes: Integers | Floats) -> ImpliedCoverage:
    """Of the intervals (J, p) if the truth is distributed as `draws` (C, D, J, p)."""
    return _averaged(((lower <= draws) & (draws <= upper)).mean(axis=(0, 1)), sizes)


def widening_by_draws(lower: Floats, upper: Floats, draws: Floats) -> Floats:
    """(p,) by how much intervals (J, p) about their middle are too narrow to hold 95 % of `draws` (C, D, J, p).

    Over all groups; at least 1.
    """
    middle, half = (lower + upper) / 2.0, (upper - lower) / 2.0
    some = half > 0
    distance = np.where(some, np.abs(draws - middle) / np.where(some, half, 1.0), 0.0)
    of_terms = np.moveaxis(distance, -1, 0).reshape(draws.shape[-1], -1)
    return np.maximum(np.quantile(of_terms, LEVEL, axis=1), 1.0)


def _averaged(held: Floats, sizes: Integers | Floats) -> ImpliedCoverage:
    small = sizes <= np.sort(sizes)[max(int(SMALLEST * sizes.size) - 1, 0)]
    return ImpliedCoverage(held.mean(axis=0), float(held[small, 0].mean()))
