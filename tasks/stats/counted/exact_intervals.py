"""Exact intervals of a probability and of a rate: they hold the truth at least as often as they say.

Of a probability, Clopper & Pearson 1934, *Biometrika* 26; of a rate, Garwood 1936, *Biometrika* 28. Each end leaves
half of the error to its side. They exist for groups with no events, or nothing else.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaincinv, gammaincinv

from tasks.stats.fits.cells import Family
from tasks.stats.records import Floats


def exact_interval(family: Family, events: Floats, size: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """Lower and upper end, in the shape of `events` and `size`; everything possible where there is no size."""
    ends = clopper_pearson if family == "binomial" else garwood
    return ends(np.asarray(events, dtype=float), np.asarray(size, dtype=float), level)


def clopper_pearson(events: Floats, trials: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    tail = (1.0 - level) / 2.0
    failures = trials - events
    lower = np.where(events > 0, betaincinv(np.maximum(events, 0.5), failures + 1.0, tail), 0.0)
    upper = np.where(failures > 0, betaincinv(events + 1.0, np.maximum(failures, 0.5), 1.0 - tail), 1.0)
    return lower, upper


def garwood(events: Floats, exposure: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    tail = (1.0 - level) / 2.0
    lower = np.where(events > 0, gammaincinv(np.maximum(events, 0.5), tail), 0.0)
    upper = gammaincinv(events + 1.0, 1.0 - tail)
    some = exposure > 0
    per = np.where(some, exposure, 1.0)
    return np.where(some, lower / per, 0.0), np.where(some, upper / per, np.inf)
