"""Which groups a sampler should take as centred: it moves in what their cells determine.

Non-centred effects of a group with many events are tied to the fixed effects and the group SDs by what its cells say,
as narrow as the events are many: a sampler then takes hundreds of small steps to a draw. Centred effects of a group
with few events are tied to the group SDs instead (Papaspiliopoulos, Roberts & Sköld 2007, *Stat. Sci.* 22).
"""

from __future__ import annotations

import numpy as np

from tasks.stats.counted.left_out import linear_predictor
from tasks.stats.counted.links import mean_of, variance_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.partial_pooling import CountedPartialPooling, partial_pooling_of
from tasks.stats.counted.stan_data import GroupCentring, no_centring
from tasks.stats.records import Flavour, Floats

POINTS = {1: 9, 2: 5}  # per varying effect: a rough fit will do
RIDGE = 1e-9  # of the information's trace
LEAST_VARIANCE = 1e-9
SURE = 3.0  # standard errors that a variance lies above 0, where its effects may be centred


def group_centring(model: CountedModel) -> GroupCentring:
    """Groups whose cells tell each effect better than its spread between groups does; nothing without a fit."""
    flavour: Flavour = "varying_intercept" if len(model.varying) == 1 else "varying_intercept_slope"
    fit = partial_pooling_of(model, flavour, points=POINTS.get(len(model.varying)))
    if not fit.is_converged:
        return no_centring(model)
    information, projected = _information(model, fit)
    own, variance = np.diagonal(information, axis1=1, axis2=2), np.diag(fit.cov)
    is_centred = (own * _least_variance(variance, own) > 1.0).all(axis=1)
    groups, others = np.flatnonzero(is_centred), own[~is_centred]
    ridge = RIDGE * np.trace(information[groups], axis1=1, axis2=2)[:, None, None] * np.eye(len(variance))
    mean = np.linalg.solve(information[groups] + ridge, projected[groups])  # (n, q, p)
    total = others.sum(axis=0) + (groups.size / np.maximum(variance, LEAST_VARIANCE))
    return GroupCentring(
        groups,
        np.ascontiguousarray(np.moveaxis(mean, 1, 0)),
        mean @ np.nan_to_num(fit.fixef) + fit.conditional_mode[groups],
        1.0 / np.sqrt(own[groups]),
        others / np.maximum(total, LEAST_VARIANCE),
    )


def _information(model: CountedModel, fit: CountedPartialPooling) -> tuple[Floats, Floats]:
    """(J, q, q) Z'WZ and (J, q, p) Z'WX of each group's cells."""
    cells, x = model.cells, model.design
    z = x[:, list(model.varying)]
    weight = cells.size * variance_of(cells.family, mean_of(cells.family, linear_predictor(model, fit)))
    q, p = z.shape[1], x.shape[1]
    projected = np.empty((cells.n_groups, q, p))
    for k, column in np.ndindex(q, p):
        projected[:, k, column] = cells.of_groups(weight * z[:, k] * x[:, column])
    return projected[:, :, list(model.varying)], projected


def _least_variance(variance: Floats, information: Floats) -> Floats:
    """(q,) variances of the effects, less SURE standard errors: centred effects' density has a funnel at 0.

    The information on a variance is that of normal estimates with these standard errors; the group that says most is
    not in it, as one group alone says nothing of a spread.
    """
    with np.errstate(divide="ignore"):
        weight = np.sort(1.0 / (1.0 / information + variance) ** 2, axis=0)[:-1].sum(axis=0)
        return np.maximum(variance - SURE * np.sqrt(2.0 / weight), 0.0)
