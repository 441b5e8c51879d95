"""Coefficients in the predictors' own units, from those on centre-scaled predictors.

The raw intercept is the expected outcome where every predictor is 0: a sum over all coefficients.
Its spread needs their covariance; where only standard errors are known it is NaN, never a guess.
"""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Floats, Scaling


def coef_in_raw_units(scaling: Scaling, coef: Floats) -> Floats:
    """(..., p) coefficients on raw predictors."""
    return coef @ scaling.to_raw.T


def se_in_raw_units(scaling: Scaling, cov: Floats) -> Floats:
    """(p,) standard errors on raw predictors from the (p, p) covariance on centre-scaled ones."""
    return np.sqrt(np.diag(scaling.to_raw @ cov @ scaling.to_raw.T))


def interval_in_raw_units(scaling: Scaling, values: Floats) -> Floats:
    """(..., p) standard errors or limits on raw predictors; NaN for an intercept beside slopes."""
    factor = np.diag(scaling.to_raw).copy()
    if factor.size > 1:
        factor[0] = np.nan
    return values * factor
