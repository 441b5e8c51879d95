"""How much the priors of a counted outcome matter: power-scaling, as `judged.prior_sensitivity` has it.

Likelihoods with group effects integrated out are those of `drawn_log_lik`. Not supported: overdispersed models.
"""

from __future__ import annotations

import numpy as np

from tasks.stats.counted.drawn_log_lik import DrawnLogLik
from tasks.stats.counted.draws import CountedDraws
from tasks.stats.counted.links import log_likelihood_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.priors import CountedPriors, log_prior_of
from tasks.stats.judged.prior_sensitivity import (
    GROUPS_LIMIT,
    PriorSensitivity,
    Quantity,
    parameters,
    power_weights,
    sensitivity,
)
from tasks.stats.records import Floats


def counted_prior_sensitivity(
    model: CountedModel, drawn: DrawnLogLik, priors: CountedPriors, threshold: float
) -> PriorSensitivity:
    """The sensitivity of every parameter, and of up to GROUPS_LIMIT groups' estimates on the study's own terms."""
    kept, terms, of_groups = drawn.draws, model.cells.terms, drawn.of_groups
    total = of_groups.sum(axis=-1)
    by_prior = power_weights(log_prior_of(kept.beta, kept.sigma_group, kept.correlation, priors))
    by_likelihood = power_weights(total)
    found = [sensitivity(one, by_prior, by_likelihood, threshold) for one in parameters(kept, terms, model.varying)]
    has_cells = np.unique(model.cells.group_index)
    places = np.unique(np.linspace(0, has_cells.size - 1, GROUPS_LIMIT).round().astype(int))
    for place in places:
        group = int(has_cells[place])
        weights = power_weights(total + _given_effects(model, kept, group) - of_groups[..., place])
        for k, term in enumerate(terms[: model.n_own]):
            one = Quantity("group", (term,), kept.group_coef[:, :, group, k], group)
            found.append(sensitivity(one, by_prior, weights, threshold))
    return PriorSensitivity(tuple(found), places.size, total.size, threshold)


def _given_effects(model: CountedModel, draws: CountedDraws, group: int) -> Floats:
    """(C, D) log likelihood of a group's cells given its effects, without constants."""
    cells, own = model.cells, model.n_own
    mine = cells.group_index == group
    x = model.design[mine]
    eta = draws.group_coef[:, :, group] @ x[:, :own].T
    eta += draws.beta[..., own:] @ (x[:, own:] - model.group_values[group]).T
    return log_likelihood_of(cells.family, cells.events[mine], cells.size[mine], eta).sum(axis=-1)
