"""Random-effects meta-regression: group estimates of known precision against group-level predictors.

The model is y_j ~ normal(x_j' beta, tau^2 + v_j), v_j known. tau^2 by REML (Viechtbauer 2005, *J. Educ. Behav.
Stat.* 30), standard errors and t intervals by Knapp & Hartung (2003, *Stat. Med.* 22): the
covariance is scaled by the weighted residual mean square, which metafor calls `test="knha"`. With a column
of ones alone it is random-effects meta-analysis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import stdtrit

from tasks.stats.records import Floats

GRID = 40  # values of tau that are tried before the search


@dataclass(frozen=True)
class MetaRegression:
    coef: Floats  # (k,)
    se: Floats  # (k,) Knapp-Hartung
    cov: Floats  # (k, k)
    tau: float  # between-group SD that the predictors do not explain
    df: int

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        half = stdtrit(self.df, 0.5 + level / 2.0) * self.se
        return self.coef - half, self.coef + half


def meta_regression(y: Floats, variance: Floats, x: Floats) -> MetaRegression:
    """Fit `y` (J,) with its sampling variances (J,) by the design `x` (J, k), which includes a column of ones.

    Raises ValueError when there are no more groups than columns, or columns are linearly dependent.
    """
    if y.size <= x.shape[1] or np.linalg.matrix_rank(x) < x.shape[1]:
        raise ValueError(f"{y.size} groups cannot carry {x.shape[1]} coefficients")
    tau = _reml_tau(y, variance, x)
    coef, inverse, residual, weight = _weighted(tau, y, variance, x)
    df = y.size - x.shape[1]
    cov = inverse * float(weight @ residual**2) / df
    return MetaRegression(coef, np.sqrt(np.diag(cov)), cov, tau, df)


def _weighted(tau: float, y: Floats, variance: Floats, x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Weighted least squares: coefficients, (X'WX)^-1, residuals, weights."""
    weight = 1.0 / (variance + tau**2)
    inverse = np.linalg.inv(x.T @ (weight[:, None] * x)).astype(float, copy=False)
    coef = inverse @ (x.T @ (weight * y))
    return coef, inverse, y - x @ coef, weight


def _criterion(tau: float, y: Floats, variance: Floats, x: Floats) -> float:
    """-2 log restricted likelihood, up to a constant."""
    _, inverse, residual, weight = _weighted(tau, y, variance, x)
    log_det = -float(np.linalg.slogdet(inverse)[1])
    return float(weight @ residual**2 - np.log(weight).sum()) + log_det


def _reml_tau(y: Floats, variance: Floats, x: Floats) -> float:
    """The tau with the lowest criterion: the best of a grid from 0 up, then a search between its neighbours."""
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    largest = 2.0 * float(np.sqrt(residual @ residual / (y.size - x.shape[1])))
    if largest == 0.0:
        return 0.0
    grid = np.concatenate([[0.0], largest * np.geomspace(1e-3, 1.0, GRID)])
    values = [_criterion(tau, y, variance, x) for tau in grid]
    best = int(np.argmin(values))
    between = (grid[max(best - 1, 0)], grid[min(best + 1, GRID)])
    found = minimize_scalar(
        _criterion, bounds=between, args=(y, variance, x), method="bounded", options={"xatol": 1e-9 * largest}
    )
    return float(found.x) if found.fun < values[0] else 0.0
