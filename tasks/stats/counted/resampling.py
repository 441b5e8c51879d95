"""The posterior of a counted outcome by importance resampling, where groups or cells are many.

As of the normal family (`tasks.stats.bayes.resampling`), with quadrature in place of a closed form, and group effects
from their own conditionals. An evaluation costs thousands of times as much as the closed form's, so that proposals are
fewer, and nodes few.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tasks.stats.bayes.posterior import FEWEST_GROUP_DRAWS, group_thin
from tasks.stats.bayes.resampling import (
    PROPOSALS_PER_DRAW,
    Normal,
    Resampled,
    normal_at_mode,
    resample_about,
)
from tasks.stats.counted.batches import batches
from tasks.stats.counted.draws import CountedDraws
from tasks.stats.counted.expanded import Expanded, error_of, expanded, is_exact_enough, known_effects
from tasks.stats.counted.few_nodes import FewNodes, few_nodes
from tasks.stats.counted.group_draws import standardised_effects
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.posterior import resampled_draws
from tasks.stats.counted.priors import CountedPriors
from tasks.stats.counted.quadrature import MOST_DIMENSIONS
from tasks.stats.counted.unconstrained import CountedMarginal, CountedParameters, counted_marginal
from tasks.stats.records import Floats

FEWEST_GROUPS, MOST_CELLS = 200, 2000  # from here on, or above, a Stan engine takes minutes
# In all, and per parameter, where each is dear: of a normal posterior, t proposals are worth 89 % of their number with
# 3 parameters, 62 % with 17 and 50 % with 30, so that these are worth 890 draws or more, 1,050 and 1,500.
FEWEST_PROPOSALS = 1000, 100
FEW_CELLS = 20_000  # of more, the coefficients' curvature is that of their units: hundreds of evaluations are saved
EXPANDED_PROPOSALS = 4000
NODES_AFFORDED = 100_000_000  # nodes times cells times proposals, if the proposals are not the fewest
CELLS_AFFORDED = 40_000_000  # cells times draws with group effects
MODE_POINTS = 3  # evaluations of all cells, for the mode of a group's effects


@dataclass(frozen=True)
class CountedResampled:
    """`rule_error` is that of `FewNodes`."""

    draws: CountedDraws
    found: Resampled
    points: int  # of the quadrature, per varying effect
    rule_error: float


def is_large(model: CountedModel) -> bool:
    """Whether importance resampling is worth it, and possible: quadrature is of up to two effects."""
    cells = model.cells
    is_possible = len(model.varying) <= MOST_DIMENSIONS and not model.is_overdispersed
    return is_possible and (cells.n_groups >= FEWEST_GROUPS or cells.events.size > MOST_CELLS)


def resampled_posterior(
    model: CountedModel, priors: CountedPriors, chains: int, n_draws: int, seed: int, progress: Callable[[float], None]
) -> CountedResampled:
    """`n_draws` draws for each of `chains`. Raises numpy.linalg.LinAlgError if no mode is found."""
    rough = counted_marginal(model, priors)
    quick = _expanded(rough) or _by_few_nodes(rough, chains * n_draws)
    found = resample_about(
        quick.at, quick.density, chains * n_draws, quick.n_proposed, seed, lambda share: progress(0.6 * share)
    )
    parameters = rough.constrained(found.free)
    thin = _thin(model, chains, n_draws)
    effects = _effects(model, quick.density, parameters.every(thin), seed, lambda share: progress(0.6 + 0.4 * share))
    effects = effects.reshape(chains, -1, *effects.shape[1:])
    draws = resampled_draws(parameters.variables(chains), effects, thin, model)
    return CountedResampled(draws, found, quick.density.points, quick.error)


@dataclass(frozen=True)
class _Quick:
    density: FewNodes | Expanded
    at: Normal
    n_proposed: int
    error: float  # of the log density, in nats


def _expanded(rough: CountedMarginal) -> _Quick | None:
    """None where groups are not known well enough. Proposals cost little then."""
    density = expanded(rough)
    if density is None:
        return None
    try:
        at = normal_at_mode(density.log_density, np.zeros(density.guessed_scale.size), density.guessed_scale)
    except np.linalg.LinAlgError:
        return None
    error = error_of(density, rough, at)
    return _Quick(density, at, EXPANDED_PROPOSALS, error) if is_exact_enough(error) else None


def _by_few_nodes(rough: CountedMarginal, n_draws: int) -> _Quick:
    n_settled = rough.beta_center.size if rough.design.events.size > FEW_CELLS else 0
    at = normal_at_mode(rough.log_density, np.zeros(rough.guessed_scale.size), rough.guessed_scale, n_settled)
    few = few_nodes(rough, at)
    cost = rough.design.events.size * (few.marginal.rule.n_points + MODE_POINTS)
    fewest = max(FEWEST_PROPOSALS[0], FEWEST_PROPOSALS[1] * at.mode.size)
    most = max(fewest, PROPOSALS_PER_DRAW * n_draws)
    return _Quick(few, at, int(np.clip(NODES_AFFORDED // cost, fewest, most)), few.error)


def _thin(model: CountedModel, chains: int, n_draws: int) -> int:
    """The k for which every k-th draw gets group effects."""
    thin = group_thin(chains, n_draws, model.cells.n_groups * model.n_own)
    affordable = max(CELLS_AFFORDED // (chains * model.cells.events.size), FEWEST_GROUP_DRAWS)
    return max(thin, -(-n_draws // affordable))


def _effects(
    model: CountedModel,
    density: FewNodes | Expanded,
    parameters: CountedParameters,
    seed: int,
    progress: Callable[[float], None],
) -> Floats:
    """(S, J, q) group effects; those of groups without a cell are from their distribution over groups."""
    rng = np.random.default_rng([seed, 1])
    groups, marginal = np.unique(model.cells.group_index), density.marginal
    beta, factor = parameters.beta, parameters.factor
    u = rng.standard_normal((len(beta), model.cells.n_groups, len(model.varying)))
    if isinstance(density, Expanded):
        u[:, groups[density.is_known], 0] = known_effects(density, parameters, rng)
        groups = groups[~density.is_known]
    for batch in batches(marginal.design, beta, factor, marginal.modes):
        drawn = standardised_effects(batch.design, batch.linear, batch.start, rng)
        u[batch.draws, groups[batch.groups]] = np.moveaxis(drawn.reshape(-1, *batch.shape), 0, -1)
        progress(batch.groups.start / groups.size + batch.shape[1] / groups.size * batch.draws.stop / len(beta))
    return u @ np.swapaxes(factor, 1, 2)
