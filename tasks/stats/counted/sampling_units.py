"""In what coordinates a sampler moves through the posterior of a counted outcome: those of a fit.

Group effects given all else are about normal where the log likelihood of each group's cells is about quadratic. In
units of that normal density, as wide as the fixed effects and the group SDs at hand make it, they are about standard
normal and independent, so that the sampler sees about the posterior with the group effects integrated out. Non-centred
effects are those of cells that say nothing, and centred ones those of cells that say all; between these, groups and
group SDs go by what they say (Papaspiliopoulos, Roberts & Sköld 2007, *Stat. Sci.* 22, have the constant share).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.bayes.resampling import normal_at_mode
from tasks.stats.counted.group_modes import linear_of, modes_of
from tasks.stats.counted.left_out import linear_predictor
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.overdispersed import derivatives, weight
from tasks.stats.counted.overdispersed_fit import OverdispersedFit, overdispersed_fit
from tasks.stats.counted.partial_pooling import CountedPartialPooling, partial_pooling_of
from tasks.stats.counted.priors import CountedPriors
from tasks.stats.counted.unconstrained import counted_marginal
from tasks.stats.records import Flavour, Floats

POINTS = {1: 9, 2: 5}  # per varying effect: a rough fit will do


@dataclass(frozen=True)
class SamplingUnits:
    """What partial_pooling_counted.stan declares.

    About the log likelihood of group j is r'u - u'Au / 2 in its effects u, with A = curvature[:, j] and r the last
    column of slope[:, j] less the others times beta; about the posterior of beta without group effects is
    normal(precision^-1 moment, precision^-1).
    """

    curvature: Floats  # (q, J, q)
    slope: Floats  # (q, J, p + 1)
    precision: Floats  # (p, p)
    moment: Floats  # (p,)


def plain_units(model: CountedModel, priors: CountedPriors) -> SamplingUnits:
    """As if cells said nothing: non-centred, in units of the priors."""
    p, q, n_groups = len(model.cells.terms), len(model.varying), model.cells.n_groups
    return SamplingUnits(
        curvature=np.zeros((q, n_groups, q)),
        slope=np.zeros((q, n_groups, p + 1)),
        precision=np.diag(priors.beta_sd**-2),
        moment=priors.beta_mean / priors.beta_sd**2,
    )


def sampling_units(model: CountedModel, priors: CountedPriors) -> SamplingUnits:
    """By a fit of the model, or by the posterior's mode where the likelihood has no maximum.

    `plain_units` where there is none either.
    """
    plain = plain_units(model, priors)
    try:
        eta, phi = _about(model, priors)
    except np.linalg.LinAlgError:
        return plain
    cells, x, z = model.cells, model.design, model.design[:, list(model.varying)]
    information = weight(cells.family, cells.size, eta, phi)
    working = derivatives(cells.family, cells.events, cells.size, eta, phi)[0] + information * eta
    said = np.column_stack([information[:, None] * x, working])
    slope = np.stack([_of_groups(model, column[:, None] * said) for column in z.T])
    return SamplingUnits(
        curvature=slope[:, :, list(model.varying)],
        slope=slope,
        precision=plain.precision + x.T @ (information[:, None] * x),
        moment=plain.moment + x.T @ working,
    )


def _about(model: CountedModel, priors: CountedPriors) -> tuple[Floats, float]:
    """(C,) linear predictor, and dispersion. Raises numpy.linalg.LinAlgError if no mode is found."""
    fit = _fit(model)
    phi = fit.dispersion if isinstance(fit, OverdispersedFit) else 0.0
    if fit.is_converged:
        return linear_predictor(model, fit), phi
    marginal = counted_marginal(model, priors)
    at = normal_at_mode(marginal.log_density, np.zeros(marginal.guessed_scale.size), marginal.guessed_scale)
    mode = marginal.constrained(at.mode[None])
    linear = linear_of(marginal.design, mode.beta[0], mode.factor[0])
    effects = modes_of(marginal.design, linear, marginal.modes).u
    return linear.eta(marginal.design.spread(effects)), phi


def _fit(model: CountedModel) -> CountedPartialPooling | OverdispersedFit:
    points = POINTS.get(len(model.varying))
    if model.is_overdispersed:
        return overdispersed_fit(model, points=points)
    flavour: Flavour = "varying_intercept" if len(model.varying) == 1 else "varying_intercept_slope"
    return partial_pooling_of(model, flavour, points=points)


def _of_groups(model: CountedModel, columns: Floats) -> Floats:
    """(J, k) sums over each group's cells, of (C, k)."""
    return np.column_stack([model.cells.of_groups(column) for column in columns.T])
