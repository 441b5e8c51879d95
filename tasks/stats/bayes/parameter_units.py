"""Where the posterior lies and how wide it is, roughly: the units in which a sampler moves in it.

A sampler that starts with steps of one size in all directions, and learns each parameter's own, takes ever
more steps the farther those sizes lie apart: groups thousands of residual SDs from each other, predictors
that go together closely. In units of the REML fit's spread they are all about 1. The units change how the
posterior is explored, not what it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tasks.stats.bayes.priors import ResolvedPriors
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.reml import MixedModel, fit, mixed_model, relative_factor
from tasks.stats.records import Floats


@dataclass(frozen=True)
class ParameterUnits:
    """beta = beta_center + beta_factor @ (about standard normal); the SDs are theirs times about 1.

    In the outcome's unit, about its mean.
    """

    beta_center: Floats  # (p,)
    beta_factor: Floats  # (p, p) lower triangle
    sigma_group: Floats  # (q,)
    sigma: float


def parameter_units(products: ModelCrossProducts, varying: tuple[int, ...], priors: ResolvedPriors) -> ParameterUnits:
    """From the REML fit, and the priors where these say more than the data.

    Where it has no optimum, as with no row to spare for the residual SD, that with varying intercepts stands in.
    """
    model = mixed_model(products, varying)
    best = fit(model)
    if not best.converged and varying != (0,):
        return _of_fewer(parameter_units(products, (0,), _only_intercept(priors)), model, priors)
    at, sigma = best.profile, best.profile.sigma
    prior_mean = priors.beta_mean - np.eye(model.p)[0] * products.outcome_center
    center, beta_factor = _with_prior(at.fixef, sigma**2 * at.unscaled_cov, prior_mean, priors.beta_sd)
    factor = relative_factor(best.theta, model.q)
    sigma_group = sigma * np.sqrt(np.diag(factor @ factor.T))
    least = np.maximum(sigma_group, _resolved(model.ztz, sigma))
    return ParameterUnits(center, beta_factor, np.minimum(least, priors.sigma_group_sd), sigma)


def _only_intercept(priors: ResolvedPriors) -> ResolvedPriors:
    return replace(priors, sigma_group_sd=priors.sigma_group_sd[:1])


def _of_fewer(units: ParameterUnits, model: MixedModel, priors: ResolvedPriors) -> ParameterUnits:
    """With units for slopes that the fit behind them did not let vary."""
    sigma_group = _resolved(model.ztz, units.sigma)
    sigma_group[0] = units.sigma_group[0]
    return replace(units, sigma_group=np.minimum(sigma_group, priors.sigma_group_sd))


def _with_prior(mean: Floats, cov: Floats, prior_mean: Floats, prior_sd: Floats) -> tuple[Floats, Floats]:
    """Mean (p,) and lower root (p, p) of the covariance, of normal(mean, cov) times the independent normal priors.

    By the eigenvalues of the covariance in units of the priors: predictors that go together leave it all but
    singular, and its inverse is never needed.
    """
    values, vectors = np.linalg.eigh(cov / np.outer(prior_sd, prior_sd))
    values = np.maximum(values, np.finfo(float).eps * values[-1])
    pulled = vectors @ ((vectors.T @ ((mean - prior_mean) / prior_sd)) / (1.0 + values))
    root = prior_sd[:, None] * vectors * np.sqrt(values / (1.0 + values))
    lower = np.linalg.qr(root.T)[1].T
    return prior_mean + prior_sd * pulled, lower * np.where(np.diag(lower) < 0, -1.0, 1.0)


def _resolved(ztz: Floats, sigma: float) -> Floats:
    """(q,) the smallest group SDs that groups of these sizes could show: a typical group's standard error, in part."""
    information = np.diagonal(ztz, axis1=1, axis2=2).mean(axis=0)
    return 0.3 * sigma / np.sqrt(information)
