"""What draws of every model have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from numpy import float64
from numpy.typing import NDArray

Floats = NDArray[float64]


@dataclass(frozen=True, kw_only=True)
class Draws:
    """On centre-scaled predictors; the first two axes are chain, draw. p, q, J as in `tasks.stats.records`."""

    beta: Floats  # (C, D, p)
    sigma_group: Floats  # (C, D, q)
    correlation: Floats  # (C, D, q, q)
    group_coef: Floats  # (C, D / group_thin, J, p)
    divergent: Floats  # (C, D)
    energy: Floats  # (C, D)
    treedepth: Floats  # (C, D)
    acceptance: Floats  # (C, D)
    n_leapfrog: Floats  # (C, D)
    group_thin: int = 1  # group effects are drawn for every group_thin-th draw
    checked_coef: Floats | None = None  # (C, D, J / checked_step, p) some groups, unthinned; None if all groups are
    checked_step: int = 1  # `checked_coef` holds every checked_step-th group
    from_chains: bool = True  # False: resampled by importance, in random order; what a sampler says of a draw is 0

    @property
    def scalars(self) -> Mapping[str, Floats]:
        """(C, D) each, of what the model has besides fixed effects and the spread of groups."""
        return {}
