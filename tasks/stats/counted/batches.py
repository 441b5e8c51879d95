"""A design's cells for several draws of the parameters at once.

NumPy is quick where arrays hold thousands of values. So small designs are repeated for as many draws as fill them, and
large ones are cut between groups. To all that follows, a batch is one design: the groups of the first draw, then those
of the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.design import Design, parts
from tasks.stats.counted.group_modes import Linear
from tasks.stats.counted.marginal_likelihood import CELLS_AT_ONCE
from tasks.stats.records import Floats


@dataclass(frozen=True)
class Batch:
    """Some draws (s) of some groups (j); arrays over groups reshape to (…, s, j)."""

    draws: slice
    groups: slice
    design: Design  # its basis is empty: `linear` has the fixed effects
    linear: Linear
    start: Floats  # (q, s j) modes of near parameters

    @property
    def shape(self) -> tuple[int, int]:
        return self.draws.stop - self.draws.start, self.groups.stop - self.groups.start


def batches(design: Design, fixed: Floats, factor: Floats, modes: Floats) -> Iterator[Batch]:
    """Of draws of the fixed effects (S, m) and the lower factor (S, q, q); `modes` (q, J) are near those of them."""
    n_draws = len(fixed)
    for groups, piece in parts(design, CELLS_AT_ONCE):
        times = min(n_draws, max(1, CELLS_AT_ONCE // piece.events.size))
        whole = _repeated(piece, times)
        for first in range(0, n_draws, times):
            draws = slice(first, min(first + times, n_draws))
            n = draws.stop - first
            several = whole if n == times else _repeated(piece, n)
            linear = _linear(piece, several, fixed[draws], factor[draws])
            yield Batch(draws, groups, several, linear, np.tile(modes[:, groups], n))


def _repeated(design: Design, n: int) -> Design:
    step = np.arange(n)[:, None]
    return Design(
        family=design.family,
        basis=np.empty((n * design.events.size, 0)),
        z=np.tile(design.z, n),
        events=np.tile(design.events, n),
        size=np.tile(design.size, n),
        group=(step * design.n_groups + design.group).ravel(),
        first=(step * design.events.size + design.first).ravel(),
    )


def _linear(piece: Design, several: Design, fixed: Floats, factor: Floats) -> Linear:
    base = (fixed @ piece.basis.T).ravel()
    a = np.einsum("sba,bc->asc", factor, piece.z).reshape(piece.q, -1)
    return Linear(base, a, several.sums(several.events * base), several.sums(several.events * a))
