"""Complete pooling of counted outcomes: one logistic or Poisson regression for all cells, the groups ignored.

statsmodels fits it. Coefficients are on the link scale and on centre-scaled predictors: the intercept is the link of
the probability or rate at the predictors' means, a slope is per standard deviation. A fit that diverges may well stop
and call itself converged: whether the estimates are finite is proved apart (`tasks.stats.counted.separation`).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from statsmodels.genmod.families import Binomial, Poisson
from statsmodels.genmod.generalized_linear_model import GLM

from tasks.stats.counted.links import log_likelihood_of, mean_of, pearson_of, ratio_of, variance_of
from tasks.stats.counted.predictors import centre_scaled
from tasks.stats.counted.regressions import Regressions, maximum_likelihood
from tasks.stats.counted.separation import is_finite_by_score, separated_terms, sides_of
from tasks.stats.fits.cells import Cells, Family
from tasks.stats.fits.intervals import Z_95
from tasks.stats.fits.pooling import has_full_rank
from tasks.stats.records import Floats, Scaling

MOST_ITERATIONS = 100
STEP_TOLERANCE = 1e-9  # on the link scale, per standard deviation
# Score over its own standard deviation: a fit that stopped elsewhere than at the maximum has more.
SCORE_TOLERANCE = 1e-5

# Why there are no estimates: predictors that the data cannot tell apart; a term without a finite estimate.
Problem = Literal["", "no spread", "separated", "not converged"]


@dataclass(frozen=True)
class CompleteRates:
    """NaN wherever a `problem` leaves no number. Standard errors take the family's variance for granted.

    `dispersion` is Pearson's chi-squared over `df` = C - p, over cells. It sees rows that vary more than the family
    says only as far as they lie in different cells: rows with the same group and predictors are one cell, and how they
    vary about each other is gone. For single trials that is no loss, as 0 and 1 cannot vary in another way. Of the
    normal approximation it asks more than five expected events a cell; `tasks.stats.counted.dispersion` asks nothing.
    """

    family: Family
    problem: Problem
    separated: tuple[int, ...]  # positions of the terms without a finite estimate
    coef: Floats  # (p,)
    cov: Floats  # (p, p)
    robust_cov: Floats  # (p, p) clustered by group; NaN for a single one
    lower: Floats  # (p,) 95 % interval, of `se`
    upper: Floats  # (p,)
    pearson: float
    df: int
    log_likelihood: float  # of the rows, constant included
    mean: Floats  # (C,) fitted probability or rate

    @property
    def se(self) -> Floats:
        """(p,)"""
        return np.sqrt(np.diag(self.cov))

    @property
    def robust_se(self) -> Floats:
        """(p,)"""
        return np.sqrt(np.diag(self.robust_cov))

    @property
    def aic(self) -> float:
        return 2.0 * self.coef.size - 2.0 * self.log_likelihood

    @property
    def dispersion(self) -> float:
        return self.pearson / self.df if self.df > 0 else float("nan")

    @property
    def quasi_se(self) -> Floats:
        """(p,) `se` times the square root of the dispersion (McCullagh & Nelder 1989, §4.5 and §6.2)."""
        return self.se * np.sqrt(self.dispersion)

    def on_outcome(self, values: Floats) -> Floats:
        """(p,) `coef`, `lower` or `upper` as a reader meets them.

        First the probability or rate at the predictors' means, then odds or rate ratios per standard deviation.
        """
        return np.concatenate([mean_of(self.family, values[:1]), ratio_of(values[1:])])


def complete_rates(cells: Cells, scaling: Scaling) -> CompleteRates:
    """Fit by maximum likelihood; robust standard errors as in `tasks.stats.fits.pooling`, N the number of rows."""
    x = centre_scaled(cells, scaling)
    if not has_full_rank((x.T @ x)[None])[0]:
        return _without_fit(cells, "no spread")
    coef = _reweighted(cells, x)
    if not _is_maximum(cells, x, coef):
        coef = _damped(cells, x)
    eta = x @ coef
    mean = mean_of(cells.family, eta)
    residual = cells.events - cells.size * mean
    sides = sides_of(cells.family, cells.events, cells.size)
    proved = is_finite_by_score(x, sides, residual, np.zeros(len(x), dtype=np.int64), 1)[0]
    separated = () if proved else separated_terms(x, sides)
    if separated:
        return _without_fit(cells, "separated", separated)
    if not _is_maximum(cells, x, coef):
        return _without_fit(cells, "not converged")
    information = x.T @ (x * (cells.size * variance_of(cells.family, mean))[:, None])
    cov = np.asarray(np.linalg.inv(information), dtype=float)
    half = Z_95 * np.sqrt(np.diag(cov))
    return CompleteRates(
        family=cells.family,
        problem="",
        separated=(),
        coef=coef,
        cov=cov,
        robust_cov=_clustered_cov(cells, x * residual[:, None], cov),
        lower=coef - half,
        upper=coef + half,
        pearson=float(pearson_of(cells.family, cells.events, cells.size, mean).sum()),
        df=len(x) - x.shape[1],
        log_likelihood=float(log_likelihood_of(cells.family, cells.events, cells.size, eta).sum() + cells.constant),
        mean=mean,
    )


def _is_maximum(cells: Cells, x: Floats, coef: Floats) -> bool:
    mean = mean_of(cells.family, x @ coef)
    information = (x**2).T @ (cells.size * variance_of(cells.family, mean))
    score = x.T @ (cells.events - cells.size * mean)
    return bool((np.abs(score) < SCORE_TOLERANCE * np.sqrt(information)).all())


def _reweighted(cells: Cells, x: Floats) -> Floats:
    """(p,) by iteratively reweighted least squares. Whether it converged is not asked: it may say so far from there."""
    if cells.family == "binomial":
        model = GLM(np.column_stack([cells.events, cells.size - cells.events]), x, family=Binomial())
    else:
        model = GLM(cells.events, x, family=Poisson(), exposure=cells.size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = model.fit(maxiter=MOST_ITERATIONS, tol=STEP_TOLERANCE, tol_criterion="params")
        except (ValueError, np.linalg.LinAlgError):  # how statsmodels says that its weights overflow
            return np.full(x.shape[1], np.nan)
    return np.asarray(found.params, dtype=float)


def _damped(cells: Cells, x: Floats) -> Floats:
    """(p,) where reweighting overshoots, or stops where means round to 0 or 1."""
    if not 0.0 < cells.events.sum() < (cells.size.sum() if cells.family == "binomial" else np.inf):
        return np.full(x.shape[1], np.nan)
    one = np.zeros(len(x), dtype=np.int64)
    return maximum_likelihood(Regressions(cells.family, x, cells.events, cells.size, one, 1))[0][0]


def _clustered_cov(cells: Cells, scores: Floats, cov: Floats) -> Floats:
    n_groups, n, p = cells.n_groups, int(cells.n_rows.sum()), len(cov)
    if n_groups < 2 or n <= p:
        return np.full((p, p), np.nan)
    by_group = np.column_stack([cells.of_groups(column) for column in scores.T]) @ cov
    return np.asarray(by_group.T @ by_group * (n_groups / (n_groups - 1) * (n - 1) / (n - p)))


def _without_fit(cells: Cells, problem: Problem, separated: tuple[int, ...] = ()) -> CompleteRates:
    p, nan = len(cells.terms), float("nan")
    none = np.full(p, np.nan)
    return CompleteRates(
        family=cells.family,
        problem=problem,
        separated=separated,
        coef=none,
        cov=np.full((p, p), np.nan),
        robust_cov=np.full((p, p), np.nan),
        lower=none,
        upper=none,
        pearson=nan,
        df=cells.events.size - p,
        log_likelihood=nan,
        mean=np.full(cells.events.size, np.nan),
    )
