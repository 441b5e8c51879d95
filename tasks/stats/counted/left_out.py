"""What a fit of partial pooling predicts of rows, and of rows and groups that are left out.

Without a row, the group effects' conditional normal approximation loses the row's curvature and score: one Newton step,
which is exact where the row is its group's only one. Without a group, its effects are as the fit says of any group. The
parameters stay those of all rows.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from tasks.stats.counted.links import mean_of, variance_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.overdispersed_fit import OverdispersedFit
from tasks.stats.counted.partial_pooling import CountedPartialPooling
from tasks.stats.counted.quadrature import MOST_DIMENSIONS, POINTS, rule
from tasks.stats.records import Floats

N_DRAWS = 10
SAMPLED = 200  # effects of a group left out where there is no rule
LARGEST = 0.999  # leverage: rows with more are all that is known of an effect


def linear_predictor(model: CountedModel, fit: CountedPartialPooling | OverdispersedFit) -> Floats:
    """(C,) with the groups' effects at their modes. `model` has the fit's terms, on any cells of its groups."""
    effects = fit.conditional_mode[model.cells.group_index]
    z = model.design[:, list(model.varying)]
    return np.asarray(model.design @ np.nan_to_num(fit.fixef) + (z * effects).sum(axis=1))


def left_out_rates(model: CountedModel, fit: CountedPartialPooling) -> Floats:
    """(D, C) probabilities or rates of each cell, predicted while it is left out: D values of equal weight."""
    cells, z, eta = model.cells, model.design[:, list(model.varying)], linear_predictor(model, fit)
    rate = mean_of(cells.family, eta)
    variance = effect_variance(model, fit)
    leverage = np.minimum(cells.size * variance_of(cells.family, rate) * variance, LARGEST)
    without = np.minimum(variance / (1.0 - leverage), _prior_variance(z, fit))
    at = eta - without * (cells.events - cells.size * rate)
    normal = ndtri((np.arange(N_DRAWS) + 0.5) / N_DRAWS)
    return mean_of(cells.family, at + np.sqrt(without) * (normal / normal.std())[:, None])


def effect_variance(model: CountedModel, fit: CountedPartialPooling) -> Floats:
    """(C,) conditional variance of z'b."""
    z = model.design[:, list(model.varying)]
    return np.einsum("ck,ckl,cl->c", z, fit.conditional_cov[model.cells.group_index], z, optimize=True)


def _prior_variance(z: Floats, fit: CountedPartialPooling) -> Floats:
    return np.einsum("ck,kl,cl->c", z, fit.cov, z)


def group_left_out_moments(model: CountedModel, fit: CountedPartialPooling) -> tuple[Floats, Floats]:
    """(J,) each: mean and variance of a group's events, its effects unknown."""
    cells = model.cells
    nodes, weights = _effects(len(model.varying))
    base, z = model.design @ np.nan_to_num(fit.fixef), model.design[:, list(model.varying)]
    values, vectors = np.linalg.eigh(fit.cov)
    effects = nodes @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
    mean, square, chance = np.zeros((3, cells.n_groups))
    for effect, share in zip(effects, weights, strict=True):
        rate = mean_of(cells.family, base + z @ effect)
        expected = cells.of_groups(cells.size * rate)
        mean, square = mean + share * expected, square + share * expected**2
        chance = chance + share * cells.of_groups(cells.size * variance_of(cells.family, rate))
    return mean, np.maximum(square - mean**2, 0.0) + chance


def _effects(q: int) -> tuple[Floats, Floats]:
    """(K, q) standard normal effects, and (K,) their weights."""
    if q > MOST_DIMENSIONS:
        return np.random.default_rng(q).standard_normal((SAMPLED, q)), np.full(SAMPLED, 1.0 / SAMPLED)
    at = rule(q, POINTS[q])
    return at.nodes, np.exp(at.log_weights - 0.5 * (at.nodes**2).sum(axis=1))
