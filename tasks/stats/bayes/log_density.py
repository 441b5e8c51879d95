"""Log prior of posterior draws, and the log likelihood of a group's rows given its coefficients.

The parameters are those that have priors: fixed effects, group SDs, correlations and the residual SD. The likelihood
with group effects integrated out is `tasks.stats.bayes.group_likelihood`'s.
"""

from __future__ import annotations

import numpy as np

from tasks.stats.bayes import lkj
from tasks.stats.bayes.priors import ResolvedPriors
from tasks.stats.records import Floats, PosteriorDraws


def log_prior(draws: PosteriorDraws, priors: ResolvedPriors) -> Floats:
    """(C, D) log prior up to a constant, in the parameters as stated, without the Jacobians of Stan's transforms."""
    return log_prior_of(draws.beta, draws.sigma_group, draws.correlation, draws.sigma, priors)


def log_prior_of(
    beta: Floats, sigma_group: Floats, correlation: Floats, sigma: Floats, priors: ResolvedPriors
) -> Floats:
    """(...) as `log_prior`, of parameters (..., p), (..., q), (..., q, q) and (...)."""
    return np.asarray(
        -0.5 * (((beta - priors.beta_mean) / priors.beta_sd) ** 2).sum(axis=-1)
        - 0.5 * ((sigma_group / priors.sigma_group_sd) ** 2).sum(axis=-1)
        + lkj.log_density(correlation, priors.lkj)
        - sigma / priors.sigma_mean
    )


def conditional_log_lik(gram: Floats, coef: Floats, sigma: Floats) -> Floats:
    """(S,) log likelihood of one group's rows given its coefficients (S, p), intercepts about the outcome's mean.

    `gram` is (p + 1, p + 1).
    """
    w = np.column_stack([-coef, np.ones(len(coef))])
    square = np.einsum("si,ik,sk->s", w, gram, w, optimize=True)
    return np.asarray(-0.5 * (gram[0, 0] * np.log(2.0 * np.pi * sigma**2) + square / sigma**2))
