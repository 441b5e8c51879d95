"""Predicted means beside what was observed: quantile residuals, calibration by bins, a rootogram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, ndtri, pdtr
from scipy.stats import binom, poisson

from tasks.stats.counted.funnel_limits import exact_limits
from tasks.stats.fits.cells import Cells
from tasks.stats.records import Floats, Integers

MOST_BINS = 10
MOST_BARS = 40
LEVEL = 0.95
EQUAL = 8  # decimals of the largest prediction: rounding, which goes with the outcome, tells no cells apart


def randomised_pit(cells: Cells, mean: Floats, seed: int) -> Floats:
    """(C,) probability of fewer events than a cell had, with a random share of the probability of as many.

    Uniform if the predictions are right, whatever the sizes (Dunn & Smyth 1996, *J. Comput. Graph. Stat.* 5).
    `mean` is (C,), or (S, C) of draws, over which probabilities are averaged.
    """
    below, up_to = _distribution(cells, mean, cells.events - 1.0), _distribution(cells, mean, cells.events)
    return np.asarray(below + np.random.default_rng(seed).uniform(size=below.size) * (up_to - below))


def quantile_residuals(cells: Cells, mean: Floats, seed: int) -> Floats:
    """(C,) standard normal if the predictions are right: normal quantiles of `randomised_pit`."""
    smallest = np.finfo(float).eps / 2.0
    return np.asarray(ndtri(np.clip(randomised_pit(cells, mean, seed), smallest, 1.0 - smallest)))


def _distribution(cells: Cells, mean: Floats, events: Floats) -> Floats:
    """(C,) probability of at most this many events, averaged over draws."""
    possible = np.maximum(events, 0.0)
    total, draws = np.zeros(events.size), np.atleast_2d(mean)
    for at in draws:
        if cells.family == "binomial":
            total += bdtr(possible, np.rint(cells.size).astype(np.int64), at)
        else:
            total += pdtr(possible, cells.size * at)
    return np.where(events < 0, 0.0, total / len(draws))


@dataclass(frozen=True)
class CalibrationTable:
    """B bins of cells with like predictions, in ascending order, of about equal trials or exposure.

    Bands say where a bin's observed rate lies if its prediction is right; the simultaneous one holds all bins at once
    with probability 95 % (each at 0.95^(1/B), as bins are independent). They are exact limits of chance, stretched by
    how much more the predictions vary than chance does, as those of a funnel (Spiegelhalter 2005, *Stat. Med.* 24).
    """

    predicted: Floats  # (B,) mean probability or rate
    observed: Floats  # (B,)
    size: Floats  # (B,) trials or exposure
    n_cells: Integers  # (B,)
    lower: Floats  # (B,)
    upper: Floats  # (B,)
    lower_simultaneous: Floats  # (B,)
    upper_simultaneous: Floats  # (B,)

    @property
    def is_inside(self) -> bool:
        """Whether the simultaneous band holds every bin."""
        below, above = self.observed < self.lower_simultaneous, self.observed > self.upper_simultaneous
        return not bool((below | above).any())


def calibration_table(
    cells: Cells, mean: Floats, n_bins: int = MOST_BINS, unknown: Floats | None = None
) -> CalibrationTable:
    """`mean` (C,). Cells with the same prediction, but for rounding, share a bin: there may be fewer than `n_bins`.

    `unknown` (C,) is the SD of a prediction about its cell's true mean, wholly shared by the cells of a group: bands
    reach to the root of the sum of squares of the exact distance and of that.
    """
    alike = np.round(mean / mean.max(), EQUAL) if mean.max() > 0 else mean
    order = np.argsort(alike, kind="stable")
    before = np.cumsum(cells.size[order]) - cells.size[order] / 2.0
    bins = np.minimum((before / cells.size.sum() * n_bins).astype(np.int64), n_bins - 1)
    first = np.searchsorted(alike[order], alike[order], side="left")
    place = np.unique(bins[first], return_inverse=True)[1]
    size = np.asarray(np.bincount(place, weights=cells.size[order]), dtype=float)
    predicted = np.bincount(place, weights=(cells.size * mean)[order]) / size
    sd = np.zeros(size.size)
    if unknown is not None:
        sd = _sd_of_bins(place, cells.group_index[order], (cells.size * unknown)[order]) / size
    single = _limits(cells, predicted, size, sd, LEVEL)
    every = _limits(cells, predicted, size, sd, LEVEL ** (1.0 / size.size))
    observed = np.asarray(np.bincount(place, weights=cells.events[order]) / size, dtype=float)
    return CalibrationTable(predicted, observed, size, np.bincount(place).astype(np.int64), *single, *every)


def _sd_of_bins(place: Integers, groups: Integers, sd: Floats) -> Floats:
    """(B,) of the events in each bin, of cells in one order."""
    n_bins, n_groups = int(place.max()) + 1, int(groups.max()) + 1
    sums = np.bincount(place * n_groups + groups, sd, n_bins * n_groups)
    return np.asarray(np.sqrt((sums.reshape(n_bins, -1) ** 2).sum(axis=1)))


def _limits(cells: Cells, predicted: Floats, size: Floats, sd: Floats, level: float) -> tuple[Floats, Floats]:
    lower, upper = exact_limits(cells.family, predicted, size, level)
    far = ndtri(0.5 + level / 2.0) * sd
    most = 1.0 if cells.family == "binomial" else np.inf
    below, above = np.hypot(predicted - lower, far), np.hypot(upper - predicted, far)
    return np.maximum(predicted - below, 0.0), np.minimum(predicted + above, most)


@dataclass(frozen=True)
class Rootogram:
    """How many cells have each number of events, and how many are predicted to (Kleiber & Zeileis 2016, *TAS* 70).

    A picture of it hangs bars of height sqrt(observed) from the curve sqrt(expected).
    """

    first: Integers  # (K,) smallest number of events of a bar; a bar reaches to the next one
    observed: Floats  # (K,)
    expected: Floats  # (K,) adds up to the number of cells together with `beyond`
    beyond: float  # cells expected above the last bar


def rootogram(cells: Cells, mean: Floats) -> Rootogram:
    """`mean` (C,). Bars are one event wide, or as many as leave at most 40 of them."""
    most = int(cells.events.max())
    width = most // MOST_BARS + 1
    edges = np.arange(0, most + width + 1, width)
    observed = np.histogram(cells.events, bins=edges)[0].astype(float)
    up_to = np.array([_number_up_to(cells, mean, float(edge) - 1.0) for edge in edges])
    return Rootogram(edges[:-1], observed, np.diff(up_to), float(cells.events.size - up_to[-1]))


def _number_up_to(cells: Cells, mean: Floats, events: float) -> float:
    """How many cells are expected to have at most this many events."""
    if cells.family == "binomial":
        return float(binom.cdf(events, cells.size, mean).sum())
    return float(poisson.cdf(events, cells.size * mean).sum())
