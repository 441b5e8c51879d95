"""Log prior and log likelihoods of posterior draws, from cross-products.

The parameters are those that have priors: fixed effects, group SDs, correlations and the residual SD. Group effects
are integrated out (`tasks.stats.bayes.group_likelihood`).
"""

from __future__ import annotations

import numpy as np

from tasks.stats.bayes import lkj
from tasks.stats.bayes.group_likelihood import ParameterDraws, group_log_lik
from tasks.stats.bayes.priors import ResolvedPriors
from tasks.stats.records import Floats, PosteriorDraws

BLOCK_VALUES = 20_000  # draws times groups at once: blocks that fit a processor's cache are three times as fast


def log_prior(draws: PosteriorDraws, priors: ResolvedPriors) -> Floats:
    """(C, D) log prior up to a constant, in the parameters as stated, without the Jacobians of Stan's transforms."""
    return np.asarray(
        -0.5 * (((draws.beta - priors.beta_mean) / priors.beta_sd) ** 2).sum(axis=-1)
        - 0.5 * ((draws.sigma_group / priors.sigma_group_sd) ** 2).sum(axis=-1)
        + lkj.log_density(draws.correlation, priors.lkj)
        - draws.sigma / priors.sigma_mean
    )


def marginal_log_lik(gram: Floats, varying: tuple[int, ...], at: ParameterDraws) -> Floats:
    """(S,) log likelihood of all groups' rows; `gram` is (J, p + 1, p + 1), as in `ModelCrossProducts`."""
    block = max(1, BLOCK_VALUES // at.sigma.size)
    starts = range(0, len(gram), block)
    return np.asarray(sum(group_log_lik(gram[start : start + block], varying, at).sum(axis=1) for start in starts))


def conditional_log_lik(gram: Floats, coef: Floats, sigma: Floats) -> Floats:
    """(S,) log likelihood of one group's rows given its coefficients (S, p), intercepts about the outcome's mean.

    `gram` is (p + 1, p + 1).
    """
    w = np.column_stack([-coef, np.ones(len(coef))])
    square = np.einsum("si,ik,sk->s", w, gram, w, optimize=True)
    return np.asarray(-0.5 * (gram[0, 0] * np.log(2.0 * np.pi * sigma**2) + square / sigma**2))
