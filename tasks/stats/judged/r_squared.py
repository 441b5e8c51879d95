"""How much of the outcome's variance a mixed model accounts for: marginal and conditional R².

    fixed = variance of X beta over the rows,    random = mean of z'Sigma z over the rows,
    marginal = fixed / (fixed + random + sigma^2),    conditional = (fixed + random) / (fixed + random + sigma^2)

Nakagawa & Schielzeth (2013), Methods Ecol. Evol. 4; with random slopes Johnson (2014), the same journal, 5. All of it
follows from sums over the rows, draw by draw of the posterior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.bayes.posterior import estimate
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.records import Floats, MedianEstimate, PartialPooling, PosteriorDraws

MOST_DRAWS = 4000


@dataclass(frozen=True)
class RSquared:
    """Shares of the variance: REML's point values, and the plain Bayesian model's posteriors."""

    marginal_reml: float
    conditional_reml: float
    marginal: MedianEstimate  # ()
    conditional: MedianEstimate  # ()


def r_squared(products: ModelCrossProducts, fit: PartialPooling, draws: PosteriorDraws) -> RSquared:
    varying = fit.varying
    marginal, conditional = shares(products, varying, fit.fixef[None], fit.cov[None], np.array([fit.sigma]))
    every = slice(None, None, -(-draws.sigma.size // MOST_DRAWS))
    sd = draws.sigma_group.reshape(-1, len(varying))[every]
    correlation = draws.correlation.reshape(-1, len(varying), len(varying))[every]
    beta, sigma = draws.beta.reshape(-1, draws.beta.shape[-1])[every], draws.sigma.ravel()[every]
    each = shares(products, varying, beta, sd[:, :, None] * correlation * sd[:, None], sigma)
    return RSquared(float(marginal[0]), float(conditional[0]), *(estimate(share[None]) for share in each))


def shares(
    products: ModelCrossProducts, varying: tuple[int, ...], beta: Floats, cov: Floats, sigma: Floats
) -> tuple[Floats, Floats]:
    """Marginal and conditional R² (S,) of parameters `beta` (S, p), `cov` (S, q, q), `sigma` (S,)."""
    n = products.n_rows
    xtx = products.xtx.sum(axis=0) / n
    about_mean = xtx - np.outer(xtx[0], xtx[0])  # column 0 is the intercept's: its products are means
    fixed = np.einsum("sa,ab,sb->s", beta, about_mean, beta)
    ztz = xtx[np.ix_(varying, varying)]
    random = np.einsum("sab,ab->s", cov, ztz)
    total = fixed + random + sigma**2
    return fixed / total, (fixed + random) / total
