"""Where the posterior lies and how wide it is, roughly: the units in which a sampler moves in it.

A sampler that starts with steps of one size in all directions, and learns each parameter's own, takes ever
more steps the farther those sizes lie apart: groups thousands of residual SDs from each other, predictors
that go together closely. In units of the REML fit's spread they are all about 1. The units change how the
posterior is explored, not what it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.cross_products import ModelCrossProducts
from tasks.stats.priors import ResolvedPriors
from tasks.stats.records import Floats
from tasks.stats.reml import fit, mixed_model, relative_factor


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
    """From the REML fit, and the priors where these say more than the data."""
    model = mixed_model(products, varying)
    best = fit(model)
    at, sigma = best.profile, best.profile.sigma
    prior_precision = priors.beta_sd**-2.0
    prior_mean = priors.beta_mean - np.eye(model.p)[0] * products.outcome_center
    precision = np.linalg.inv(at.unscaled_cov) / sigma**2
    cov = np.linalg.inv(precision + np.diag(prior_precision))
    center = cov @ (precision @ at.fixef + prior_precision * prior_mean)
    factor = relative_factor(best.theta, model.q)
    sigma_group = sigma * np.sqrt(np.diag(factor @ factor.T))
    return ParameterUnits(
        center,
        np.linalg.cholesky(cov),
        np.minimum(np.maximum(sigma_group, _resolved(model.ztz, sigma)), priors.sigma_group_sd),
        sigma,
    )


def _resolved(ztz: Floats, sigma: float) -> Floats:
    """(q,) the smallest group SDs that groups of these sizes could show: a typical group's standard error, in part."""
    information = np.diagonal(ztz, axis1=1, axis2=2).mean(axis=0)
    return 0.3 * sigma / np.sqrt(information)
