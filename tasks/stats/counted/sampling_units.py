"""In what units a sampler moves through the posterior of overdispersed rows: those of the quadrature fit.

Between centred and non-centred each group goes by how much of its posterior precision its own cells give
(Papaspiliopoulos, Roberts & Sköld 2007, *Statist. Sci.* 22): non-centred alone is slow where groups have many cases,
centred alone where they have few.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.left_out import linear_predictor
from tasks.stats.counted.links import mean_of, variance_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.partial_pooling import CountedPartialPooling
from tasks.stats.records import Floats

LEAST_SHARE = 0.2  # of a group SD: groups that say no more than this of their effect are not centred
LEAST_UNIT = 0.05  # of a group SD, on the link's scale: a fit without spread does not say how narrow the posterior is


@dataclass(frozen=True)
class SamplingUnits:
    """What partial_pooling_overdispersed.stan declares; u are the group effects."""

    beta_center: Floats  # (p,)
    beta_factor: Floats  # (p, p) lower
    sigma_group_unit: Floats  # (q,)
    u_own: Floats  # (J, q) 1 centred, 0 non-centred
    u_center: Floats  # (J, q)
    u_unit: Floats  # (J, q)


def plain_units(model: CountedModel) -> SamplingUnits:
    """Non-centred, on the link's scale."""
    p, q, shape = len(model.cells.terms), len(model.varying), (model.cells.n_groups, len(model.varying))
    return SamplingUnits(np.zeros(p), np.eye(p), np.ones(q), np.zeros(shape), np.zeros(shape), np.ones(shape))


def units_of_fit(model: CountedModel, fit: CountedPartialPooling) -> SamplingUnits:
    """By the fit of the model, overdispersed or not; `plain_units` where it has no maximum."""
    if not fit.is_converged or not np.isfinite(fit.fixef).all():
        return plain_units(model)
    sd, said = np.maximum(fit.sigma_group, LEAST_UNIT), _said(model, fit)
    return SamplingUnits(
        beta_center=fit.fixef,
        beta_factor=_factor(fit.fixef_cov),
        sigma_group_unit=sd,
        u_own=said / (said + (LEAST_SHARE * sd) ** -2),
        u_center=fit.conditional_mode,
        u_unit=(said + sd**-2) ** -0.5,
    )


def _said(model: CountedModel, fit: CountedPartialPooling) -> Floats:
    """(J, q) the precision of what a group's own cells say of each of its effects, by itself."""
    cells, z = model.cells, model.design[:, list(model.varying)]
    weight = cells.size * variance_of(cells.family, mean_of(cells.family, linear_predictor(model, fit)))
    return np.column_stack([cells.of_groups(weight * column**2) for column in z.T])


def _factor(cov: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.cholesky(cov))
    except np.linalg.LinAlgError:
        return np.diag(np.sqrt(np.maximum(np.diag(cov), 1e-12)))
