"""Which place each group's standardised rate takes among all: the twin of `tasks.stats.judged.ranks`.

Rankability is on the link's scale, of the groups' levels: tau^2 of a draw, and the sampling variance of a group's own
level from the information in its own cells at the means of the quadrature fit, its other varying effects partially
pooled.
"""

from __future__ import annotations

import numpy as np

from tasks.stats.bayes.posterior import estimate
from tasks.stats.counted.draws import CountedDraws
from tasks.stats.counted.fits import all_draws, spread_of_groups
from tasks.stats.counted.links import mean_of, variance_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.partial_pooling import CountedPartialPooling
from tasks.stats.counted.predictors import centre_scaled
from tasks.stats.counted.standardised_rates import CaseMix, standardised_rates
from tasks.stats.fits.small_matrices import cholesky
from tasks.stats.judged.ranks import (
    RANKABILITY_DRAWS,
    VALUES_LIMIT,
    Ranks,
    evenly,
    n_extreme,
    ranked,
    sampling_variance,
)
from tasks.stats.records import Floats, MedianEstimate

MOST_MEANS = 50_000_000  # means computed for rates; draws are thinned evenly to that
FEWEST_DRAWS = 200


def counted_ranks(
    model: CountedModel,
    plain: CountedModel,
    fit: CountedPartialPooling,
    draws: CountedDraws,
    mix: CaseMix,
    least_rankability: float,
) -> Ranks:
    """One ranking, by rates on everybody's case mix `mix`.

    `draws` are of `model`; `fit` is the quadrature fit of `plain`, the model of the study's own terms.
    """
    coef, n_groups = all_draws(draws), plain.cells.n_groups
    most = max(FEWEST_DRAWS, min(MOST_MEANS // (n_groups * len(mix.share)), VALUES_LIMIT // n_groups))
    rates = standardised_rates(plain.cells.family, mix, coef[evenly(len(coef), most)])
    share = estimate(rankability(model, plain, fit, draws)[None])
    of_level = MedianEstimate(share.mean, share.sd, share.lower, share.upper, share.median)
    return Ranks(len(rates), n_extreme(n_groups), (ranked("intercept", rates, of_level, least_rankability),))


def rankability(model: CountedModel, plain: CountedModel, fit: CountedPartialPooling, draws: CountedDraws) -> Floats:
    """(R,) for R evenly spread draws: tau^2 / (tau^2 + median over groups of the sampling variance)."""
    q = len(plain.varying)
    tau = spread_of_groups(model, draws).reshape(-1, q)
    kept = evenly(len(tau), min(RANKABILITY_DRAWS, max(1, VALUES_LIMIT // (plain.cells.n_groups * q**2))))
    tau, correlation = tau[kept], draws.correlation.reshape(-1, q, q)[kept]
    others = list(range(1, q))
    root = tau[:, others, None] * cholesky(correlation[:, 1:, 1:]) if others else None
    error = sampling_variance(group_information(plain, fit), 0, others, root, np.ones(len(tau)))
    middle = np.median(error, axis=1)
    return np.asarray(tau[:, 0] ** 2 / (tau[:, 0] ** 2 + middle))


def group_information(plain: CountedModel, fit: CountedPartialPooling) -> Floats:
    """(J, q, q) information of a group's own cells on its varying effects, at the means that the fit predicts."""
    cells, design = plain.cells, centre_scaled(plain.cells, plain.scaling)
    z = design[:, list(plain.varying)]
    linear = design @ np.nan_to_num(fit.fixef) + (z * fit.conditional_mode[cells.group_index]).sum(axis=1)
    weight = cells.size * variance_of(cells.family, mean_of(cells.family, linear))
    q = z.shape[1]
    products = (weight[:, None, None] * z[:, :, None] * z[:, None, :]).reshape(len(z), q * q)
    return np.stack([cells.of_groups(column) for column in products.T], axis=1).reshape(-1, q, q)
