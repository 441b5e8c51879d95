"""Simulated data sets with a known truth: website visits in eight English counties.

Made after the published 'bounce rates' example, in its shape only; no published row is copied. A
county's visitors share one slope of bounce time on age, so the true slope variance is 0, but older
counties start higher. Looking at all rows at once therefore shows a much steeper slope: Simpson's
paradox. With a true slope variance of 0 the full partial-pooling fit tends to land on its boundary,
and the default seed is one for which it does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from tasks.stats.records import Floats, Integers

SEED = 5169


@dataclass(frozen=True)
class County:
    """The truth for one county: `baseline` is the mean bounce time in seconds at `REFERENCE_AGE`."""

    name: str
    n: int
    mean_age: float
    baseline: float


COUNTIES = (
    County("cumbria", 7, 50.0, 219.0),
    County("cheshire", 22, 42.0, 184.5),
    County("essex", 37, 40.0, 205.0),
    County("kent", 75, 48.0, 221.0),
    County("dorset", 90, 51.0, 211.0),
    County("devon", 112, 45.5, 187.0),
    County("norfolk", 120, 48.0, 204.0),
    County("london", 150, 36.0, 190.0),
)
REFERENCE_AGE = 44.5
AGE_SD = 10.5  # within a county, years
AGE_LIMITS = (18, 80)
SLOPE = 0.112  # seconds per year of age, in every county
RESIDUAL_SD = 8.0  # seconds


@dataclass(frozen=True)
class BounceRates:
    """One entry per visit, county by county."""

    bounce_time: Floats  # (N,) seconds, two decimals
    age: Integers  # (N,) whole years
    county: tuple[str, ...]  # N


def simulate_bounce_rates(seed: int = SEED) -> BounceRates:
    """Draw the 613 visits; the same seed gives the same values on every platform and NumPy version.

    Only PCG64's uniform doubles are used, whose stream is fixed, and values are rounded.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    sizes = [county.n for county in COUNTIES]
    mean_age = np.repeat([county.mean_age for county in COUNTIES], sizes)
    baseline = np.repeat([county.baseline for county in COUNTIES], sizes)
    age = np.clip(np.rint(mean_age + AGE_SD * _normal(rng, mean_age.size)), *AGE_LIMITS)
    mean = baseline + SLOPE * (age - REFERENCE_AGE)
    return BounceRates(
        bounce_time=np.round(mean + RESIDUAL_SD * _normal(rng, mean.size), 2),
        age=age.astype(np.int64),
        county=tuple(county.name for county in COUNTIES for _ in range(county.n)),
    )


def _normal(rng: np.random.Generator, size: int) -> Floats:
    """Standard normal draws, by the inverse distribution function of uniform ones."""
    return np.asarray(ndtri(1.0 - rng.random(size)), dtype=np.float64)
