"""Group levels against group size, with the limits that chance alone explains (Spiegelhalter 2005, *Stat. Med.* 24).

A group's adjusted level is its mean outcome moved to the predictors' averages along the slopes within groups, so it
exists for every group, even of one row. About the level of the average group, chance limits are z sigma / sqrt(n_j);
wider ones, z sqrt(tau^2 + sigma^2 / n_j), allow for ordinary differences between groups too (his additive
random effects). Slopes and sigma are taken as known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.meta_regression import meta_regression
from tasks.stats.records import Flavour, Floats, PartialPooling, SimpsonCheck

WARNING, ALARM = 0.95, 0.998
LIMITS = (WARNING, ALARM)


@dataclass(frozen=True)
class Funnel:
    slopes: Floats  # (p - 1,) used for the adjustment, per SD of the predictor
    level: Floats  # (J,) adjusted, in the outcome's unit
    n: Floats  # (J,)
    average: float  # the level of the average group
    average_se: float
    sigma: float  # SD of a row about its group's level
    tau: float  # SD of the groups' levels about the average

    @property
    def z(self) -> Floats:
        """(J,) distance from the average in standard errors, chance alone."""
        return (self.level - self.average) / self.half_width(self.n, 1.0, between=False)

    @property
    def z_between(self) -> Floats:
        """(J,) the same with differences between groups allowed for."""
        return (self.level - self.average) / self.half_width(self.n, 1.0, between=True)

    def half_width(self, n: Floats | float, z: float, *, between: bool) -> Floats:
        return np.asarray(z * np.sqrt(self.sigma**2 / n + (self.tau**2 if between else 0.0)))

    def outside(self, limit: float, *, between: bool) -> np.ndarray:
        """(J,) whether a group lies beyond the two-sided `limit`, such as 0.95."""
        return np.abs(self.z_between if between else self.z) > quantile(limit)


def quantile(limit: float) -> float:
    """The standard normal quantile of a two-sided `limit`: 1.96 for 0.95."""
    return float(ndtri(0.5 + limit / 2.0))


def funnel(
    products: ModelCrossProducts, simpson: tuple[SimpsonCheck, ...], partial: Mapping[Flavour, PartialPooling]
) -> Funnel:
    slopes = within_slopes(simpson, partial["varying_intercept"])
    level, sigma = adjusted_levels(products, slopes), partial["varying_intercept"].sigma
    overall = meta_regression(level, sigma**2 / products.n, np.ones((level.size, 1)))
    return Funnel(
        slopes=slopes,
        level=level,
        n=products.n,
        average=float(overall.coef[0]),
        average_se=float(overall.se[0]),
        sigma=sigma,
        tau=overall.tau,
    )


def within_slopes(simpson: tuple[SimpsonCheck, ...], fit: PartialPooling) -> Floats:
    """(p - 1,) the slopes within groups; the mixed model's slope for a predictor that does not vary within groups."""
    within = np.array([check.within for check in simpson], dtype=float)
    return np.where(np.isfinite(within), within, fit.fixef[1:])


def adjusted_levels(products: ModelCrossProducts, slopes: Floats) -> Floats:
    """(J,) mean outcome at the predictors' averages, in the outcome's unit."""
    means = products.gram[:, 0, 1:] / products.n[:, None]
    return np.asarray(products.outcome_center + means[:, -1] - means[:, :-1] @ slopes)
