"""Rows that vary more than their family says: beta-binomial events, negative binomial counts.

The dispersion phi is at least 0; with 0 rows are binomial or Poisson, and nothing is singular there. Counts have the
variance m + phi m^2 with their mean m = exposure times rate, as if each row's rate were multiplied by a gamma variable
of mean 1 and variance phi. Events of n trials have the variance n p (1 - p) (1 + (n - 1) r), as if each row had a
probability of its own, beta(p / phi, (1 - p) / phi); r = phi / (1 + phi) is the correlation of two trials of a row.

All densities come from R(a, k) = sum over i < k of log(a + i phi), which is a difference of two log gammas, and of two
large numbers where phi is small: then it is Stirling's series of that difference.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, gammaln, psi

from tasks.stats.counted.links import mean_of
from tasks.stats.fits.cells import Cells, Family
from tasks.stats.records import Floats

ONE = np.ones(())
LARGE = 1e4  # of a / phi: from here on by the series


def log_density(family: Family, events: Floats, size: Floats, eta: Floats, dispersion: Floats | float) -> Floats:
    """Log probability of each row, constants included; all of shapes that go together, `dispersion` >= 0."""
    phi = np.asarray(dispersion, dtype=float)
    if family == "binomial":
        others = size - events
        value = rising(expit(eta), events, phi)[0] + rising(expit(-eta), others, phi)[0] - rising(ONE, size, phi)[0]
        return np.asarray(value + gammaln(size + 1.0) - gammaln(events + 1.0) - gammaln(others + 1.0))
    mean = size * mean_of(family, eta)
    value = rising(ONE, events, phi)[0] + events * (eta + np.log(size)) - gammaln(events + 1.0)
    return np.asarray(value - events * np.log1p(phi * mean) - mean * log1p_ratio(phi * mean))


def derivatives(
    family: Family, events: Floats, size: Floats, eta: Floats, dispersion: Floats | float
) -> tuple[Floats, Floats]:
    """Of `log_density`, in eta and in log dispersion."""
    phi = np.asarray(dispersion, dtype=float)
    if family == "binomial":
        p, other = expit(eta), expit(-eta)
        of_events, of_others = rising(p, events, phi)[1], rising(other, size - events, phi)[1]
        of_all = rising(ONE, size, phi)[1]
        return np.asarray(p * other * (of_events - of_others)), np.asarray(of_all - p * of_events - other * of_others)
    mean = size * mean_of(family, eta)
    spread = 1.0 + phi * mean
    by_dispersion = events - rising(ONE, events, phi)[1]
    by_dispersion = by_dispersion + mean * (log1p_ratio(phi * mean) - (1.0 + phi * events) / spread)
    return np.asarray((events - mean) / spread), np.asarray(by_dispersion)


def weight(family: Family, size: Floats, eta: Floats, dispersion: Floats | float) -> Floats:
    """About the information that a row has of eta: the squared slope of its mean by its variance."""
    mean = mean_of(family, eta)
    return np.asarray(size * mean * (1.0 - mean if family == "binomial" else 1.0)) / inflation(
        family, size, mean, dispersion
    )


def inflation(family: Family, size: Floats, mean: Floats, dispersion: Floats | float) -> Floats:
    """Variance of a row, by what the family says it is; `mean` is a probability or rate."""
    phi = np.asarray(dispersion, dtype=float)
    if family == "binomial":
        return np.asarray(1.0 + (size - 1.0) * phi / (1.0 + phi) + 0.0 * mean)
    return np.asarray(1.0 + phi * size * mean)


def simulated_rows(cells: Cells, mean: Floats, dispersion: float, rng: np.random.Generator) -> Floats:
    """(C,) events of rows like these, of a probability or rate `mean` (C,)."""
    if cells.family == "binomial":
        own = np.clip(mean, 1e-12, 1.0 - 1e-12)
        own = rng.beta(own / dispersion, (1.0 - own) / dispersion) if dispersion > 0 else mean
        return rng.binomial(np.rint(cells.size).astype(np.int64), own).astype(float)
    own = rng.gamma(1.0 / dispersion, dispersion, mean.size) if dispersion > 0 else np.ones(mean.size)
    return rng.poisson(cells.size * mean * own).astype(float)


def log1p_ratio(x: Floats) -> Floats:
    """log(1 + x) / x, 1 at 0."""
    return np.asarray(np.where(x > 0, np.log1p(x) / np.where(x > 0, x, 1.0), 1.0))


def rising(a: Floats, count: Floats, phi: Floats) -> tuple[Floats, Floats]:
    """R(a, count), and its derivative in a: the sum over i < count of 1 / (a + i phi)."""
    is_large = np.asarray(phi * LARGE < a)
    if is_large.all():
        return _by_series(a, count, phi)
    if not is_large.any():
        return _by_gammas(a, count, phi)
    by_series = _by_series(np.where(is_large, a, 1.0), count, np.where(is_large, phi, 0.0))
    by_gammas = _by_gammas(np.where(is_large, 1.0, a), count, np.where(is_large, 1.0, phi))
    return tuple(np.where(is_large, *both) for both in zip(by_series, by_gammas, strict=True))  # type: ignore[return-value]


def _by_gammas(a: Floats, count: Floats, phi: Floats) -> tuple[Floats, Floats]:
    z = a / phi
    value = gammaln(z + count) - gammaln(z) + count * np.log(phi)
    return np.asarray(value), np.asarray((psi(z + count) - psi(z)) / phi)


def _by_series(a: Floats, count: Floats, phi: Floats) -> tuple[Floats, Floats]:
    """With w = count / z, z = a / phi: log gamma(z) = (z - 1/2) log z - z + 1 / (12 z) + …, of which z may be inf."""
    w, inverse = count * phi / a, phi / a
    farther = inverse / (1.0 + w)  # 1 / (z + count)
    value = (
        count * np.log(a) + count * (log1p_ratio(w) - 1.0) + (count - 0.5) * np.log1p(w) + (farther - inverse) / 12.0
    )
    half = 0.5 * inverse * farther * count + (inverse**2 - farther**2) / 12.0
    slope = np.where(phi > 0, (np.log1p(w) + half) / np.where(phi > 0, phi, 1.0), count / a)
    return np.asarray(value), np.asarray(slope)
