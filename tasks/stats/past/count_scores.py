"""What a likelihood ratio of few events is expected to be while nothing moves.

A signed root of few events is no standard normal: it takes few values, and is skewed. Evidence would grow or shrink by
that, report for report. So the expectation is summed over all numbers of new events that were possible, given how many
there are in both parts together: then the new ones are binomial for counts, hypergeometric for trials, whatever the
group's level is. For trials of unlike chances they are so nearly: with as many trials of one chance as have the same
mean and variance.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, xlogy

from tasks.stats.fits.cells import Family
from tasks.stats.past.evidence import EFFECTS, log_ratio
from tasks.stats.records import Floats

SDS, EVENTS = 11.0, 12.0  # numbers of new events farther than this from what is expected do not count
POINTS = 256  # numbers of new events looked at; where more are possible, evenly spread
BLOCK = 2_000  # groups at a time
TINY = 1e-12
ROUNDING = 1.0 + 1e-8


def log_expected_of_counts(family: Family, new: tuple[Floats, Floats], old: tuple[Floats, Floats]) -> Floats:
    """(K, len(EFFECTS)) for the mean and the variance (K,) of a group's new and of its old events, were nothing moving.

    0 less half the squared effect where new events can only be as they are: their ratio then says nothing.
    """
    k = new[0].size
    parts = [slice(at, at + BLOCK) for at in range(0, k, BLOCK)]
    found = [_block(family, *([moment[part, None] for moment in each] for each in (new, old))) for part in parts]
    return np.concatenate([np.empty((0, EFFECTS.size)), *found])


def _block(family: Family, new: list[Floats], old: list[Floats]) -> Floats:
    total = np.rint(new[0] + old[0])
    trials = [_trials(family, *each) for each in (new, old)]
    events = _possible(new, old, total, trials)
    parts = [(events, new[0], trials[0]), (total - events, old[0], trials[1])]
    weight = sum(_log_weight(*part) for part in parts)
    gain = sum(_gain(*part) for part in parts)
    chance = np.exp(weight - np.nanmax(weight, axis=1, keepdims=True))
    chance = np.nan_to_num(chance / np.nansum(chance, axis=1, keepdims=True))
    root = np.nan_to_num(np.sign(events - new[0]) * np.sqrt(2.0 * np.maximum(gain, 0.0)))
    ratios = np.exp(log_ratio(root[:, :, None] * np.sign(EFFECTS)))
    return np.asarray(np.log(np.einsum("kg,kge->ke", chance, ratios)))


def _trials(family: Family, mean: Floats, variance: Floats) -> Floats:
    """(K, 1) of one chance with this mean and variance; infinitely many for counts."""
    if family == "poisson":
        return np.full_like(mean, np.inf)
    return np.asarray(mean**2 / np.maximum(mean - variance, TINY * np.maximum(mean, TINY)))


def _possible(new: list[Floats], old: list[Floats], total: Floats, trials: list[Floats]) -> Floats:
    """(K, points) numbers of new events; NaN beyond those that are possible."""
    reach = SDS * np.sqrt(new[1] * old[1] / np.maximum(new[1] + old[1], TINY)) + EVENTS
    least = np.ceil(np.maximum(np.maximum(0.0, total - trials[1] * ROUNDING), new[0] - reach))
    most = np.floor(np.minimum(np.minimum(total, trials[0] * ROUNDING), new[0] + reach))
    step = np.maximum((most - least) / POINTS, 1.0)
    events = least + step * np.arange(POINTS + 1)
    return np.where(events <= most * ROUNDING, np.minimum(events, most), np.nan)


def _log_weight(events: Floats, mean: Floats, trials: Floats) -> Floats:
    """Logarithm of the chance of each number of events, but for a constant."""
    with np.errstate(invalid="ignore"):
        rest = np.where(np.isfinite(trials), np.maximum(trials - events, 0.0), 0.0)
        counted = np.where(np.isfinite(trials), np.maximum(trials, TINY), 1.0)
        left = np.where(np.isfinite(trials), gammaln(counted + 1.0) - gammaln(rest + 1.0), 0.0)
        left = left + xlogy(rest, np.maximum(1.0 - mean / counted, TINY))
    chance = np.where(np.isfinite(trials), mean / counted, mean)
    return np.asarray(xlogy(events, np.maximum(chance, TINY)) - gammaln(events + 1.0) + left)


def _gain(events: Floats, mean: Floats, trials: Floats) -> Floats:
    """Of the log likelihood, with the chance at its likeliest instead of at the mean."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rest, expected = (np.where(np.isfinite(trials), np.maximum(trials - each, 0.0), 1.0) for each in (events, mean))
        own = xlogy(events, events / np.maximum(mean, TINY)) - (events - mean)
        return np.asarray(own + xlogy(rest, rest / np.maximum(expected, TINY)) - (rest - expected))
