"""How the outcome is spread in the rows, and in what the model would produce in their place: densities to be looked at.

Gabry, Simpson, Vehtari, Betancourt & Gelman (2019), J. R. Stat. Soc. A 182(2), section 4. Every density is of the same
rows with the same bandwidth, so that they differ by their values only. None is corrected at a boundary: rows that stop
at 0 and replicates that go on below it are smoothed alike, and the picture shows what the model does there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.judged.predictive import replicates, rows_at
from tasks.stats.records import Floats, GroupedData, PosteriorDraws, Scaling

ROWS_LIMIT = 5000
REPLICATES = 500
POINTS = 256
# A few far values would leave no room for the others: the grid holds all replicated ones but this share at either end,
# all observed ones that lie no farther out than ROOM of their range, and REACH bandwidths more.
LEFT_OUT, ROOM, REACH = 0.001, 0.5, 3.0
# Rounded outcomes fall on few values, and a narrow bandwidth shows these, not the spread: this many gaps smooth them.
# Of fewer than FEW_VALUES nothing is smoothed away: that a model makes values between them is what there is to see.
GAPS, FEW_VALUES = 0.75, 4


@dataclass(frozen=True)
class PredictiveDensity:
    """Densities per unit of the outcome; the band holds the middle 95 % of the replicates' at each point by itself."""

    grid: Floats  # (K,) in the outcome's unit
    observed: Floats  # (K,)
    lower: Floats  # (K,)
    median: Floats  # (K,)
    upper: Floats  # (K,)
    bandwidth: float  # SD of the kernel, in the outcome's unit
    n_rows: int  # of the observed and of every replicate
    n_beyond: int  # of the observed: rows beyond the grid
    n_replicates: int


def predictive_density(data: GroupedData, draws: PosteriorDraws, scaling: Scaling, seed: int) -> PredictiveDensity:
    """Of the rows, or of ROWS_LIMIT of them drawn at random, and of up to REPLICATES replicates of the same rows."""
    rng = np.random.default_rng(seed)
    if data.n_rows > ROWS_LIMIT:
        data = rows_at(data, np.sort(rng.choice(data.n_rows, ROWS_LIMIT, replace=False)))
    replicated = np.concatenate([*replicates(data, draws, scaling, REPLICATES, rng)])
    low, high = np.quantile(replicated, [LEFT_OUT, 1.0 - LEFT_OUT])
    room = ROOM * (high - low)
    first, last = np.clip([data.y.min(), data.y.max()], [low - room, high], [low, high + room]).tolist()
    bandwidth = bandwidth_of(data.y[(data.y >= first) & (data.y <= last)], (last - first) / POINTS)
    limits = (first - REACH * bandwidth, last + REACH * bandwidth)
    grid, observed = density(data.y, limits, bandwidth)
    made = [density(row, limits, bandwidth)[1] for row in replicated]
    lower, median, upper = np.quantile(made, [0.025, 0.5, 0.975], axis=0)
    n_beyond = int(((data.y < limits[0]) | (data.y > limits[1])).sum())
    return PredictiveDensity(grid, observed, lower, median, upper, bandwidth, data.n_rows, n_beyond, len(made))


def bandwidth_of(y: Floats, least: float) -> float:
    """ArviZ's bandwidth, which suits several peaks; at least `least`, and wide enough for rounded values."""
    from arviz_stats.base import array_stats

    distinct = np.unique(y)
    if distinct.size < 2:
        return least
    gap = float(np.median(np.diff(distinct))) if distinct.size >= FEW_VALUES else 0.0
    return max(float(array_stats.kde(y)[2]), GAPS * gap, least)


def density(y: Floats, limits: tuple[float, float], bandwidth: float) -> tuple[Floats, Floats]:
    """Grid (POINTS,) between the limits, and the kernel density of all values (N,) there."""
    from arviz_stats.base import array_stats

    shown = y[(y >= limits[0]) & (y <= limits[1])]
    if not shown.size:
        return np.linspace(*limits, POINTS), np.zeros(POINTS)
    grid, found, _ = array_stats.kde(shown, bw=bandwidth, custom_lims=limits, bound_correction=False, grid_len=POINTS)
    return grid, found * (shown.size / y.size)
