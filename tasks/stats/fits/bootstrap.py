"""The parametric bootstrap from cross-products: exact, and O(J) a replicate.

A data set drawn from the fitted model is needed only through its cross-products. With
y_j = X_j beta + Z_j u_j + e_j, u_j ~ N(0, Sigma) drawn anew and e_j ~ N(0, sigma^2 I),

    X_j'y_j ~ N(X_j'X_j beta + X_j'Z_j u_j, sigma^2 X_j'X_j),

and the part of e_j'e_j that X_j does not explain is sigma^2 times a chi-squared with n_j - rank(X_j) degrees of
freedom, independent of X_j'y_j. Fits need only the sum over groups of y_j'y_j, so all groups' parts are drawn as one.
Nothing below depends on beta (REML is invariant to it, and so are errors of estimation), so beta is 0 here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tasks.stats.fits.batched_reml import Batch, batch_of, fit_in_blocks, standard_errors
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.intervals import Z_95
from tasks.stats.fits.pooling import RANK_TOLERANCE
from tasks.stats.fits.singularity import is_singular
from tasks.stats.fits.small_matrices import semidefinite_factor
from tasks.stats.records import Floats, PartialPooling

MOST_REPLICATES = 499
FEWEST_REPLICATES = 39  # the fewest whose smallest and largest value bound 95 %
VALUES_LIMIT = 2_000_000  # replicates x groups x varying effects x fixed effects: about 2 s of fits
FEWEST_FOR_QUANTILES = 200


@dataclass(frozen=True)
class Outcomes:
    """R drawn data sets with the same predictors, reduced to the sums that fits need."""

    xty: Floats  # (R, p, J)
    yty: Floats  # (R,) over all groups
    effects: Floats  # (R, p, J) the group effects drawn; 0 for terms that do not vary


@dataclass(frozen=True)
class Bootstrap:
    """How a fit's estimates would vary if the fit itself were the truth.

    `lower`, `upper` are 95 % prediction intervals of the groups' coefficients beta + u_j: the estimate less
    the quantiles of the replicates' errors (beta* + b_j*) - (beta + u_j), or 1.96 root mean square errors
    to both sides if there are fewer than 200 replicates. They hold the uncertainty of every estimate, variances
    included, but only within the fitted model: data are drawn with a variance of 0 if the fit estimates 0.
    Limits of SDs are the 2.5 % and 97.5 % quantiles of the replicates' estimates.

    `widening` is for the joint intervals of the fit: the factor by which they have to be wider to hold 95 % of what was
    drawn, over all groups, when each replicate makes them from variances of its own (the bootstrap-t of Efron 1979, one
    quantile for all groups). It is where the uncertainty of the variances shows.
    """

    n_replicates: int
    n_singular: int
    lower: Floats  # (J, p)
    upper: Floats  # (J, p)
    sigma_group_lower: Floats  # (q,)
    sigma_group_upper: Floats  # (q,)
    sigma_lower: float
    sigma_upper: float
    icc_lower: float  # at the predictors' means
    icc_upper: float
    widening: Floats  # (p,) at least 1
    average_widening: Floats  # (p,) the same for the fixed effects


def affordable_replicates(n_groups: int, q: int, p: int) -> int:
    """The number of replicates: 499, fewer for many groups or effects, never fewer than 39."""
    return int(np.clip(VALUES_LIMIT // (n_groups * q * p), FEWEST_REPLICATES, MOST_REPLICATES))


def draw_outcomes(
    products: ModelCrossProducts,
    varying: tuple[int, ...],
    cov: Floats,
    sigma: float,
    n_replicates: int,
    rng: np.random.Generator,
) -> Outcomes:
    """Replicates under group effects of covariance `cov` (q, q), possibly singular, and residual SD `sigma`."""
    n_groups, p = products.xty.shape
    effects = np.zeros((n_replicates, p, n_groups))
    draws = rng.standard_normal((n_replicates, len(varying), n_groups))
    effects[:, list(varying)] = np.einsum("ik,rkn->rin", semidefinite_factor(cov), draws)
    root, rank = _root_and_rank(products.xtx)
    noise = sigma * rng.standard_normal((n_replicates, p, n_groups)) * rank.T
    xte = np.einsum("nab,rbn->ran", root, noise)
    xty = np.einsum("nab,rbn->ran", products.xtx, effects) + xte
    spare = products.n_rows - int(rank.sum())
    unexplained = sigma**2 * rng.chisquare(spare, n_replicates) if spare else np.zeros(n_replicates)
    yty = (effects * (xty + xte)).sum(axis=(1, 2)) + (noise**2).sum(axis=(1, 2)) + unexplained
    return Outcomes(xty, yty, effects)


def _root_and_rank(xtx: Floats) -> tuple[Floats, Floats]:
    """A (J, p, p) with A A' = X'X, and (J, p) which of its columns are not 0 (1, else 0): as many as X has rank."""
    values, vectors = np.linalg.eigh(xtx)
    kept = values > RANK_TOLERANCE * values[:, -1:]
    return vectors * np.sqrt(np.where(kept, values, 0.0))[:, None, :], kept.astype(float)


def batch_of_outcomes(products: ModelCrossProducts, varying: tuple[int, ...], outcomes: Outcomes) -> Batch:
    """The replicates as problems to fit."""
    return replace(
        batch_of(products, varying),
        zty=outcomes.xty[:, list(varying)],
        xty=outcomes.xty.sum(axis=-1),
        yty=outcomes.yty,
    )


def bootstrap(
    products: ModelCrossProducts,
    fit: PartialPooling,
    seed: int,
    n_replicates: int | None = None,
    singular_tolerance: float = 1e-4,
) -> Bootstrap:
    """Draw from `fit`, fit each replicate by REML, compare with what was drawn."""
    q = len(fit.varying)
    r = n_replicates or affordable_replicates(len(products.labels), q, products.p)
    outcomes = draw_outcomes(products, fit.varying, fit.cov, fit.sigma, r, np.random.default_rng([seed, 2]))
    batch = batch_of_outcomes(products, fit.varying, outcomes)
    fits = fit_in_blocks(batch, fit.cov / fit.sigma**2)
    errors = fits.fixef[:, :, None] - outcomes.effects
    errors[:, list(fit.varying)] += fits.modes
    low, high = _error_limits(errors)
    sd_low, sd_high = np.quantile(fits.sigma_group, [0.025, 0.975], axis=0)
    sigma_low, sigma_high = np.quantile(fits.sigma, [0.025, 0.975])
    between = fits.sigma_group[:, 0] ** 2
    icc_low, icc_high = np.quantile(between / (between + fits.sigma**2), [0.025, 0.975])
    return Bootstrap(
        n_replicates=r,
        n_singular=sum(is_singular(factor, singular_tolerance) for factor in fits.factor),
        lower=fit.coef - high,
        upper=fit.coef - low,
        sigma_group_lower=sd_low,
        sigma_group_upper=sd_high,
        sigma_lower=float(sigma_low),
        sigma_upper=float(sigma_high),
        icc_lower=float(icc_low),
        icc_upper=float(icc_high),
        widening=_widening(errors, standard_errors(batch, fits, fit.varying)),
        average_widening=_widening(fits.fixef[:, :, None], fits.fixef_se[:, :, None]),
    )


def _widening(errors: Floats, se: Floats) -> Floats:
    """(p,) the 95 % quantile of |error| / se, both (R, p, J), over replicates and groups, relative to a normal's.

    NaN where there is none, as so many replicates have no standard error: then no factor makes intervals wide enough.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(se > 0, np.abs(errors) / se, np.where(errors == 0, 0.0, np.inf))
    quantile = np.quantile(ratio, 0.95, axis=(0, 2), method="higher")
    return np.where(np.isfinite(quantile), np.maximum(quantile / Z_95, 1.0), np.nan)


def _error_limits(errors: Floats) -> tuple[Floats, Floats]:
    """Limits (J, p) that hold 95 % of the errors (R, p, J). Few errors are taken for normal with mean 0."""
    if len(errors) >= FEWEST_FOR_QUANTILES:
        low, high = np.quantile(errors, [0.025, 0.975], axis=0)
        return low.T, high.T
    half = Z_95 * np.sqrt((errors**2).mean(axis=0)).T
    return -half, half
