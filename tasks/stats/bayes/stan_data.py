"""The one place that makes the data that Stan's programs declare, from cross-products or from rows.

Both programs see the outcome centred and divided by its standard deviation s, so that the sampler's
start, step sizes and tolerances suit any unit. `tasks.stats.bayes.posterior` brings the draws back.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tasks.stats.bayes.parameter_units import ParameterUnits, parameter_units
from tasks.stats.bayes.priors import ResolvedPriors
from tasks.stats.fits.cross_products import ModelCrossProducts, residual_sum_of_squares
from tasks.stats.records import GroupedData, Scaling

StanData = dict[str, Any]


def marginal_data(
    products: ModelCrossProducts, varying: tuple[int, ...], priors: ResolvedPriors, scaling: Scaling
) -> StanData:
    """Data of partial_pooling_marginal.stan."""
    s = scaling.outcome_scale
    columns = list(varying)
    xtx = products.xtx.sum(axis=0)
    beta_complete = np.linalg.solve(xtx, products.xty.sum(axis=0))
    return {
        "N": products.n_rows,
        "J": len(products.labels),
        "p": products.p,
        "q": len(varying),
        "xtx": xtx,
        "beta_complete": beta_complete / s,
        "rss_complete": float(residual_sum_of_squares(products, beta_complete).sum()) / s**2,
        "ztz": np.swapaxes(products.gram[:, columns][:, :, columns], 0, 1),
        "ztx": np.swapaxes(products.gram[:, columns, :-1], 0, 1),
        "zty": products.gram[:, columns, -1] / s,
        **unit_data(parameter_units(products, varying, priors), s),
        **prior_data(priors, scaling),
    }


def rows_data(data: GroupedData, varying: tuple[int, ...], priors: ResolvedPriors, scaling: Scaling) -> StanData:
    """Data of partial_pooling_noncentered.stan."""
    x = design_matrix(data, scaling)
    return {
        "N": data.n_rows,
        "J": data.n_groups,
        "p": x.shape[1],
        "q": len(varying),
        "group": data.group_index + 1,
        "X": x,
        "Z": x[:, list(varying)],
        "y": (data.y - scaling.outcome_center) / scaling.outcome_scale,
        **prior_data(priors, scaling),
    }


def design_matrix(data: GroupedData, scaling: Scaling) -> np.ndarray:
    """(N, p) ones, then centre-scaled predictors."""
    return np.column_stack([np.ones(data.n_rows), (data.x - scaling.center) / scaling.scale])


def unit_data(units: ParameterUnits, s: float) -> StanData:
    return {
        "beta_center": units.beta_center / s,
        "beta_factor": units.beta_factor / s,
        "sigma_group_unit": units.sigma_group / s,
        "sigma_unit": units.sigma / s,
    }


def prior_data(priors: ResolvedPriors, scaling: Scaling) -> StanData:
    s = scaling.outcome_scale
    center = np.eye(priors.beta_mean.size)[0] * scaling.outcome_center
    return {
        "beta_mean": (priors.beta_mean - center) / s,
        "beta_sd": priors.beta_sd / s,
        "sigma_group_sd": priors.sigma_group_sd / s,
        "sigma_mean": priors.sigma_mean / s,
        "lkj": priors.lkj,
    }
