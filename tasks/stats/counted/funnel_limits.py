"""Funnel limits of probabilities and rates: what chance alone explains, and chance with ordinary differences.

Spiegelhalter 2005, *Stat. Med.* 24 (DOI 10.1002/sim.1970). Exact limits interpolate the distribution of the number of
events, so that they are smooth in a group's size. Where that is done at both ends in the same way, chance passes the
upper one more often than it says (Seaton & Manktelow 2012, *BMC Med. Res. Methodol.* 12:98, compare such limits). Here
the upper limit is the lower one in a mirror, so that it does on neither side.

Groups may differ in what is expected of them (case mix): all is relative to each group's own target, and a `ratio` is
observed by expected. Targets are taken as known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri
from scipy.stats import binom, norm, poisson

from tasks.stats.counted.links import variance_of
from tasks.stats.fits.cells import Family
from tasks.stats.records import Floats

LEVELS = (0.95, 0.998)
# Share of the groups on either side whose distance is cut back before the spread of all is taken.
WINSORISED = 0.1

# How limits allow for differences between groups: not; all standard errors times one factor; a variance added to all.
Widening = Literal["none", "multiplicative", "additive"]


@dataclass(frozen=True)
class CountedFunnel:
    family: Family
    observed: Floats  # (J,) events
    size: Floats  # (J,)
    target: Floats  # (J,) the probability or rate expected of each group
    dispersion: float  # variance of the groups' distances, in units of chance; 1: no more than chance
    tau: float  # SD of the groups' true ratios about 1

    @property
    def ratio(self) -> Floats:
        """(J,) observed by expected."""
        return np.asarray(self.observed / (self.size * self.target))

    def limits(self, level: float, widening: Widening = "none") -> tuple[Floats, Floats]:
        """(J,) lower and upper limit of each group's ratio."""
        return self.limits_at(self.size, self.target, level, widening)

    def limits_at(
        self, size: Floats, target: Floats | float, level: float, widening: Widening = "none"
    ) -> tuple[Floats, Floats]:
        """The same at any sizes and targets, for the lines of a picture.

        Widened limits stretch the exact ones, so that they are his where the normal distribution holds: by the root
        of the dispersion; or to the root of the sum of squares of the exact distance and of tau's.
        """
        lower, upper = (end / target for end in exact_limits(self.family, target, size, level))
        if widening == "multiplicative":
            below, above = ((1.0 - lower) * np.sqrt(self.dispersion), (upper - 1.0) * np.sqrt(self.dispersion))
        elif widening == "additive":
            far = ndtri(0.5 + level / 2.0) * self.tau
            below, above = np.hypot(1.0 - lower, far), np.hypot(upper - 1.0, far)
        else:
            return lower, upper
        most = 1.0 / target if self.family == "binomial" else np.inf
        return np.maximum(1.0 - below, 0.0), np.minimum(1.0 + above, most)

    def outside(self, level: float, widening: Widening = "none") -> np.ndarray:
        """(J,) -1: below the limits, 1: above them, 0: neither."""
        lower, upper = self.limits(level, widening)
        return np.asarray((self.ratio > upper).astype(np.int64) - (self.ratio < lower))


def counted_funnel(family: Family, observed: Floats, size: Floats, target: Floats | float) -> CountedFunnel:
    """Of events (J,), sizes (J,) > 0 and targets: one for all, or expected events by size (J,). Targets are inside.

    Distances are Pearson's z = (ratio - 1) / se, whose square has expectation 1 by chance at any size. The variance
    added is DerSimonian & Laird's (1986) with the winsorised dispersion for their Q / J, as in Spiegelhalter's
    appendix.
    """
    each = np.broadcast_to(np.asarray(target, dtype=float), observed.shape)
    se = np.sqrt(variance_of(family, each) / size) / each
    spread = winsorised_dispersion((observed / (size * each) - 1.0) / se)
    weight, n = 1.0 / se**2, observed.size
    room = weight.sum() - (weight**2).sum() / weight.sum()
    variance = max(n * spread - (n - 1.0), 0.0) / room if n > 1 else 0.0
    return CountedFunnel(family, observed, size, each, max(spread, 1.0), float(np.sqrt(variance)))


def winsorised_dispersion(z: Floats, share: float = WINSORISED) -> float:
    """Mean square of the distances (J,), the outermost `share` of them on either side cut back to the next one.

    So that the groups that limits are to find do not widen them. Cutting back takes from ordinary groups too, 32 % of
    the mean square at a share of 0.1: it is divided by what is left of a standard normal one.
    """
    k = int(share * z.size)
    if k == 0:
        return float((z**2).mean())
    ordered = np.sort(z)
    cut = np.clip(z, ordered[k], ordered[-k - 1])
    return float((cut**2).mean() / _winsorised_normal(k / z.size))


def _winsorised_normal(share: float) -> float:
    """Mean square of a standard normal variable, cut back to its quantiles at `share` and 1 - `share`."""
    q = float(ndtri(share))
    return float(1.0 - 2.0 * share + 2.0 * q * norm.pdf(q) + 2.0 * share * q**2)


def exact_limits(family: Family, target: Floats | float, size: Floats, level: float) -> tuple[Floats, Floats]:
    """Limits of a probability or rate by chance alone: beyond either, no more than half of 1 - `level`.

    Below: with r the smallest number of events of which P(R <= r) >= p, the limit is r - (P(R <= r) - p) / P(R = r).
    """
    tail = (1.0 - level) / 2.0
    size, target = np.broadcast_arrays(np.asarray(size, dtype=float), np.asarray(target, dtype=float))
    chance = binom(size, target) if family == "binomial" else poisson(size * target)
    low, high = chance.ppf(tail), chance.isf(tail)
    lower = low - (chance.cdf(low) - tail) / chance.pmf(low)
    upper = high + (chance.sf(high - 1.0) - tail) / chance.pmf(high)
    most = size if family == "binomial" else np.inf
    return np.maximum(lower, 0.0) / size, np.minimum(upper, most) / size
