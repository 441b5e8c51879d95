"""Do predicted means account for the counts: overdispersion and zeros, against data simulated from the predictions.

`mean` is the probability or rate predicted of every cell, with its group's effect: (C,) of an estimate, or (S, C) of
posterior draws, each compared with data simulated from it (Gelman, Meng & Stern 1996, *Statistica Sinica* 6). Of an
estimate that was fitted to the same data, p-values are too large rather than too small: the data are nearer to it than
new ones would be. Rows of one cell were added up: what is seen is how cells vary, and zeros are cells without events.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.links import pearson_of
from tasks.stats.fits.cells import Cells
from tasks.stats.records import Floats

N_REPLICATES = 400


@dataclass(frozen=True)
class ReplicatedStatistic:
    """A statistic of the data beside that of R simulated ones."""

    observed: Floats  # (R,) differs between replicates if the mean does
    replicated: Floats  # (R,)

    @property
    def ratio(self) -> float:
        """Observed by replicated, on average; NaN if neither data nor replicates have any."""
        total = float(self.replicated.sum())
        return float(self.observed.sum()) / total if total > 0 else float("nan") if not self.observed.any() else np.inf

    @property
    def p_value(self) -> float:
        """Chance of a statistic at least as large, the data counted among the replicates."""
        as_large = int((self.replicated >= self.observed).sum())
        return (1.0 + as_large) / (1.0 + self.replicated.size)


def overdispersion_and_zeros(
    cells: Cells, mean: Floats, seed: int, n_replicates: int = N_REPLICATES
) -> tuple[ReplicatedStatistic, ReplicatedStatistic]:
    """Of the same replicates, Pearson's chi-squared over cells, and the number of cells without events.

    The ratio of the first is a dispersion that needs no degrees of freedom.
    """

    def both(events: Floats, at: Floats) -> tuple[float, float]:
        return float(pearson_of(cells.family, events, cells.size, at).sum()), float((events == 0).sum())

    rng = np.random.default_rng(seed)
    draws = np.atleast_2d(mean)
    # All draws in turn, or as many as there are replicates, evenly spread.
    chosen = np.arange(n_replicates) * len(draws) // n_replicates
    observed, replicated = np.empty((2, n_replicates)), np.empty((2, n_replicates))
    for place, draw in enumerate(chosen):
        at = draws[draw]
        observed[:, place] = both(cells.events, at)
        replicated[:, place] = both(simulated_events(cells, at, rng), at)
    return ReplicatedStatistic(observed[0], replicated[0]), ReplicatedStatistic(observed[1], replicated[1])


def simulated_events(cells: Cells, mean: Floats, rng: np.random.Generator) -> Floats:
    """(C,) events of cells like these, of a probability or rate `mean` (C,)."""
    if cells.family == "binomial":
        return rng.binomial(np.rint(cells.size).astype(np.int64), np.clip(mean, 0.0, 1.0)).astype(float)
    return rng.poisson(cells.size * mean).astype(float)
