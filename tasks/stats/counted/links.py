"""Canonical links of counted outcomes: logit of a probability, log of a rate, with what follows from them.

`mean` is a probability per trial or a rate per unit of exposure; `eta` is its link. Shapes are free.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, log_expit, logit

from tasks.stats.fits.cells import Family
from tasks.stats.records import Floats

# Beyond it a rate is infinite to a computer.
LARGEST_LOG = 700.0


def mean_of(family: Family, eta: Floats) -> Floats:
    return np.asarray(expit(eta) if family == "binomial" else np.exp(np.minimum(eta, LARGEST_LOG)))


def ratio_of(difference: Floats) -> Floats:
    """The odds or rate ratio of a difference in `eta`: inf, in silence, where it is too large for a number."""
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(difference))


def link_of(family: Family, mean: Floats) -> Floats:
    """-inf of 0, and inf of a probability of 1."""
    with np.errstate(divide="ignore"):
        return np.asarray(logit(mean) if family == "binomial" else np.log(mean))


def variance_of(family: Family, mean: Floats) -> Floats:
    """Variance of one trial, or of a count over one unit of exposure: also the slope of the mean in `eta`."""
    return np.asarray(mean * (1.0 - mean) if family == "binomial" else mean)


def log_likelihood_of(family: Family, events: Floats, size: Floats, eta: Floats) -> Floats:
    """Of each cell, without the constant that `Cells` keeps for all of them."""
    if family == "binomial":
        return np.asarray(events * log_expit(eta) + (size - events) * log_expit(-eta))
    return np.asarray(events * eta - size * mean_of(family, eta))


def pearson_of(family: Family, events: Floats, size: Floats, mean: Floats) -> Floats:
    """Squared Pearson residuals, in the shape of all four together; 0 where nothing else was possible."""
    residual, variance = events - size * mean, size * variance_of(family, mean)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(np.where(residual == 0.0, 0.0, residual**2 / variance))
