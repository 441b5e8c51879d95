"""Roughly where the posterior lies and how wide it is: the units in which the sampler moves.

A sampler starts with steps of one size in all directions and learns each parameter's own size. It takes ever more
steps the farther these sizes lie apart, as when groups lie thousands of residual SDs from each other, or predictors
are nearly collinear. In units of the REML fit's spread, all sizes are about 1. The units change how the posterior
is explored, not the posterior itself.
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
    """Units in the outcome's unit, with intercepts about the outcome's mean.

    beta = beta_center + beta_factor @ (about standard normal); each SD = its unit below times about 1.
    """

    beta_center: Floats  # (p,)
    beta_factor: Floats  # (p, p) lower triangle
    sigma_group: Floats  # (q,)
    sigma: float


def parameter_units(products: ModelCrossProducts, varying: tuple[int, ...], priors: ResolvedPriors) -> ParameterUnits:
    """The units from the REML fit, and from the priors if these say more than the data.

    If the fit has no optimum, as when no row is left for the residual SD, the fit with varying intercepts alone is
    used instead.
    """
    model = mixed_model(products, varying)
    best = fit(model)
    if not best.converged and varying != (0,):
        return _of_fewer(parameter_units(products, (0,), _only_intercept(priors)), model, priors)
    at, sigma = best.profile, best.profile.sigma
    prior_mean = priors.beta_mean - np.eye(model.p)[0] * products.outcome_center
    center, beta_factor = with_prior(at.fixef, sigma**2 * at.unscaled_cov, prior_mean, priors.beta_sd)
    factor = relative_factor(best.theta, model.q)
    sigma_group = sigma * np.sqrt(np.diag(factor @ factor.T))
    least = np.maximum(sigma_group, _resolved(model.ztz, sigma))
    return ParameterUnits(center, beta_factor, np.minimum(least, priors.sigma_group_sd), sigma)


def _only_intercept(priors: ResolvedPriors) -> ResolvedPriors:
    return replace(priors, sigma_group_sd=priors.sigma_group_sd[:1])


def _of_fewer(units: ParameterUnits, model: MixedModel, priors: ResolvedPriors) -> ParameterUnits:
    """`units` of the fit with varying intercepts alone, with units for the varying slopes of `model` added."""
    sigma_group = _resolved(model.ztz, units.sigma)
    sigma_group[0] = units.sigma_group[0]
    return replace(units, sigma_group=np.minimum(sigma_group, priors.sigma_group_sd))


def with_prior(mean: Floats, cov: Floats, prior_mean: Floats, prior_sd: Floats) -> tuple[Floats, Floats]:
    """Mean (p,) and lower root (p, p) of the covariance, of normal(mean, cov) times the independent normal priors.

    Computed from the eigenvalues of the covariance in units of the priors, without its inverse: nearly collinear
    predictors make the covariance almost singular.
    """
    values, vectors = np.linalg.eigh(cov / np.outer(prior_sd, prior_sd))
    values = np.maximum(values, np.finfo(float).eps * values[-1])
    pulled = vectors @ ((vectors.T @ ((mean - prior_mean) / prior_sd)) / (1.0 + values))
    root = prior_sd[:, None] * vectors * np.sqrt(values / (1.0 + values))
    lower = np.linalg.qr(root.T)[1].T
    return prior_mean + prior_sd * pulled, lower * np.where(np.diag(lower) < 0, -1.0, 1.0)


def _resolved(ztz: Floats, sigma: float) -> Floats:
    """(q,) the smallest group SDs that groups of these sizes could show: 0.3 of a typical group's standard error."""
    information = np.diagonal(ztz, axis1=1, axis2=2).mean(axis=0)
    return 0.3 * sigma / np.sqrt(information)
