"""How much the priors of a counted outcome matter: power-scaling, as `judged.prior_sensitivity` has it.

Likelihoods with group effects integrated out are by quadrature; with more than two varying effects they are Laplace
approximations. Not supported: overdispersed models.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tasks.stats.counted.draws import CountedDraws
from tasks.stats.counted.leave_one_out import group_log_lik
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

VALUES_AFFORDED = 20_000_000  # draws times cells: draws are thinned beyond it


def counted_prior_sensitivity(
    model: CountedModel, draws: CountedDraws, priors: CountedPriors, threshold: float
) -> PriorSensitivity:
    """The sensitivity of every parameter, and of up to GROUPS_LIMIT groups' estimates on the study's own terms."""
    kept, terms = _thinned(draws, model.cells.events.size), model.cells.terms
    shape = kept.beta.shape[:2]
    of_groups = group_log_lik(model, kept).reshape(*shape, -1)
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


def _thinned(draws: CountedDraws, n_cells: int) -> CountedDraws:
    """Draws that have group effects: all of them, or every k-th if these are too many."""
    chains, n_draws = draws.group_coef.shape[:2]
    step = -(-chains * n_draws * n_cells // VALUES_AFFORDED)
    kept = slice(None, None, step * draws.group_thin)
    of_parameters = {name: getattr(draws, name)[:, kept] for name in ("beta", "sigma_group", "correlation")}
    return replace(draws, group_coef=draws.group_coef[:, ::step], **of_parameters)


def _given_effects(model: CountedModel, draws: CountedDraws, group: int) -> Floats:
    """(C, D) log likelihood of a group's cells given its effects, without constants."""
    cells, own = model.cells, model.n_own
    mine = cells.group_index == group
    x = model.design[mine]
    eta = draws.group_coef[:, :, group] @ x[:, :own].T
    eta += draws.beta[..., own:] @ (x[:, own:] - model.group_values[group]).T
    return log_likelihood_of(cells.family, cells.events[mine], cells.size[mine], eta).sum(axis=-1)
