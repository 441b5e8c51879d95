"""The two families in their canonical links: logit for events of trials, log for counts over an exposure.

Of a cell with linear predictor eta, the log likelihood is events * eta - size * A(eta), apart from `Cells.constant`.
A' is the rate: the probability of an event, or the counts expected per unit of exposure.
"""

from __future__ import annotations

import numpy as np

from tasks.stats.fits.cells import Family
from tasks.stats.records import Floats

# Farther out on the log scale, no exposure makes a count likely; closer in, nothing overflows.
HIGHEST_LOG_RATE = 100.0


def cumulant_and_rate(family: Family, eta: Floats) -> tuple[Floats, Floats]:
    """A(eta) and A'(eta), of any shape."""
    if family == "poisson":
        rate = np.exp(np.minimum(eta, HIGHEST_LOG_RATE))
        return rate, rate
    small = np.abs(eta)
    np.negative(small, out=small)
    np.exp(small, out=small)
    above, rate = np.maximum(eta, 0.0), np.minimum(eta, 0.0)
    np.exp(rate, out=rate)
    rate /= 1.0 + small
    np.log1p(small, out=small)
    small += above
    return small, rate


def cumulant_of(family: Family, eta: Floats) -> Floats:
    """A(eta) alone, of any shape: half the work."""
    if family == "poisson":
        return np.exp(np.minimum(eta, HIGHEST_LOG_RATE))
    value = np.abs(eta)
    np.negative(value, out=value)
    np.exp(value, out=value)
    np.log1p(value, out=value)
    value += np.maximum(eta, 0.0)
    return value


def weight_and_change(family: Family, rate: Floats) -> tuple[Floats, Floats]:
    """A'' and A''', from the rate."""
    if family == "poisson":
        return rate, rate
    weight = rate * (1.0 - rate)
    return weight, weight * (1.0 - 2.0 * rate)


def derivatives(family: Family, rate: Floats, order: int) -> Floats:
    """(order, C) A', A'' and so on, from rates (C,).

    Of the logit each is a polynomial in the rate r, whose derivative in eta is its derivative in r times r (1 - r).
    """
    if family == "poisson":
        return np.tile(rate, (order, 1))
    slope, each = np.polynomial.Polynomial([0.0, 1.0, -1.0]), np.polynomial.Polynomial([0.0, 1.0])
    found = np.empty((order, rate.size))
    for k in range(order):
        found[k] = each(rate)
        each = each.deriv() * slope
    return found
