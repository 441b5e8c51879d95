"""Leave-one-cell-out and leave-one-group-out predictive accuracy: PSIS-LOO, with group effects integrated out.

Cells of a group are not independent given the parameters: a cell's density given the others is the group's likelihood
over that of the group without the cell, both by quadrature. So importance sampling has to correct the parameters alone
(Vehtari, Mononen, Tolvanen, Sivula & Winther 2016, JMLR 17(103); Merkle, Furr & Rabe-Hesketh 2019). Scores are log
probabilities of a cell's number of events. With more than two varying effects they are Laplace approximations. Not
supported: overdispersed models.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaln, logsumexp
from scipy.stats import binom, poisson

from tasks.stats.bayes.importance import highest_good_k, importance_weights
from tasks.stats.counted.batches import batches
from tasks.stats.counted.design import Design
from tasks.stats.counted.drawn_log_lik import DrawnLogLik, ParameterDraws, by_draw, mean_modes, parameter_draws
from tasks.stats.counted.group_draws import standardised_effects
from tasks.stats.counted.links import mean_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.fits.cells import Cells
from tasks.stats.records import Floats, Integers, LooResult

MOST_CELLS = 2000  # whose score is computed: beyond, cells are sampled
MOST_DRAWS = 1000
COPIES_AFFORDED = 6_000_000  # draws times cells of the groups whose cells are left out


@dataclass(frozen=True)
class _Scores:
    """(S, n) each, of n cells or groups for each draw."""

    left_out: Floats  # log density given all others
    in_sample: Floats  # given all others and itself
    pit: Floats | None = None  # probability of fewer events, and a random share of that of as many


def left_out_cells(model: CountedModel, drawn: DrawnLogLik, pareto_k_threshold: float | None, seed: int) -> LooResult:
    """PSIS-LOO of cells, `rows` of the result. Sums are for all C cells, also where only some of them are scored."""
    cells = _cells_used(model.cells, len(_some(drawn.draws.beta)), seed)
    scores = _cell_scores(model.cells, drawn, cells, np.random.default_rng([seed, 5]))
    return _result(scores, cells, model.cells.group_index[cells], model, model.cells.events.size, pareto_k_threshold)


def left_out_groups(model: CountedModel, drawn: DrawnLogLik, pareto_k_threshold: float | None) -> LooResult:
    """PSIS-LOO of whole groups that have cells, `rows` of the result: how well groups are predicted from others."""
    groups = np.unique(model.cells.group_index)
    log_lik = _some(drawn.of_groups) + model.cells.of_groups(cell_constants(model.cells))[groups]
    return _result(_Scores(log_lik, log_lik), groups, groups, model, groups.size, pareto_k_threshold)


def cell_constants(cells: Cells) -> Floats:
    """(C,) what the likelihood's kernel lacks of the log probability of each cell's sum of events."""
    events, size = cells.events, cells.size
    if cells.family == "binomial":
        return np.asarray(gammaln(size + 1.0) - gammaln(events + 1.0) - gammaln(size - events + 1.0))
    return np.asarray(events * np.log(size) - gammaln(events + 1.0))


def _some(draws: Floats) -> Floats:
    """(S, …) every k-th of draws (C, D, …), k the smallest that leaves at most MOST_DRAWS."""
    flat = draws.reshape(-1, *draws.shape[2:])
    return flat[:: -(-len(flat) // MOST_DRAWS)]


def _cells_used(cells: Cells, n_draws: int, seed: int) -> Integers:
    """Positions of the cells that are scored: all, or so many at random that those of their groups are affordable."""
    of_group = np.bincount(cells.group_index)[cells.group_index]
    order = np.random.default_rng(seed).permutation(of_group.size)
    affordable = np.cumsum(of_group[order]) <= max(COPIES_AFFORDED // n_draws, int(of_group[order[0]]))
    return np.sort(order[affordable][:MOST_CELLS])


def _cell_scores(cells: Cells, drawn: DrawnLogLik, used: Integers, rng: np.random.Generator) -> _Scores:
    """Each cell's group is copied: without the cell, and with the cell twice."""
    every = parameter_draws(drawn.draws)
    at = ParameterDraws(*(_some(each[None]) for each in (every.beta, every.factor)))
    copies, own = _copies(drawn.design, cells.group_index, used)
    once = _some(drawn.of_groups)[:, drawn.design.group[used]]
    without, twice = (by_draw(_weighted(copies, own, weight), at) for weight in (0.0, 2.0))
    constant = cell_constants(cells)[used]
    pit = _pit(_weighted(copies, own, 0.0), at, own, cells, used, rng)
    return _Scores(once - without + constant, twice - once + constant, pit)


def _copies(design: Design, group_index: Integers, used: Integers) -> tuple[Design, Integers]:
    """A design in which every cell used has a copy of its group, and where the cells themselves are in it (n,)."""
    n_cells = np.diff(np.append(design.first, design.events.size))
    groups = design.group[used]
    length = n_cells[groups]
    first = np.cumsum(length) - length
    within = np.arange(length.sum()) - np.repeat(first, length)
    source = np.repeat(design.first[groups], length) + within
    copies = Design(
        family=design.family,
        basis=design.basis[source],
        z=np.ascontiguousarray(design.z[:, source]),
        events=design.events[source],
        size=design.size[source],
        group=np.repeat(np.arange(used.size), length),
        first=first,
    )
    return copies, first + used - design.first[groups]


def _weighted(copies: Design, own: Integers, weight: float) -> Design:
    events, size = copies.events.copy(), copies.size.copy()
    events[own] *= weight
    size[own] *= weight
    return replace(copies, events=events, size=size)


def _pit(
    design: Design, at: ParameterDraws, own: Integers, cells: Cells, used: Integers, rng: np.random.Generator
) -> Floats:
    """(S, n) randomised as Dunn & Smyth (1996) have it, given group effects drawn without the cell."""
    eta = at.beta @ design.basis[own].T
    for batch in batches(design, at.beta, at.factor, mean_modes(design, at).u):
        u = standardised_effects(batch.design, batch.linear, batch.start, rng).reshape(-1, *batch.shape)
        effects = np.einsum("sab,bsj->asj", at.factor[batch.draws], u)
        eta[batch.draws, batch.groups] += np.einsum("asj,aj->sj", effects, design.z[:, own[batch.groups]])
    events, size, mean = cells.events[used], cells.size[used], mean_of(cells.family, eta)
    distribution = binom(size, mean) if cells.family == "binomial" else poisson(size * mean)
    return np.asarray(distribution.cdf(events - 1.0) + rng.random(used.size) * distribution.pmf(events))


def _result(
    scores: _Scores, rows: Integers, groups: Integers, model: CountedModel, n: int, threshold: float | None
) -> LooResult:
    log_weights, pareto_k = importance_weights(-scores.left_out)
    n_draws = len(scores.left_out)
    pointwise = logsumexp(scores.left_out.T + log_weights, axis=-1)
    in_sample = logsumexp(scores.in_sample, axis=0) - np.log(n_draws)
    good_k = highest_good_k(n_draws, threshold)
    return LooResult(
        elpd_loo=float(pointwise.mean() * n),
        se=float(n * pointwise.std(ddof=1) / np.sqrt(rows.size)),
        p_loo=float((in_sample - pointwise).mean() * n),
        pareto_k_max=float(pareto_k.max()),
        n_high_pareto_k=int((pareto_k > good_k).sum()),
        pareto_k_threshold=good_k,
        n_rows_used=rows.size,
        elpd_by_group=np.bincount(groups, weights=pointwise, minlength=model.cells.n_groups).astype(float),
        pareto_k=pareto_k,
        rows=rows,
        pointwise=pointwise,
        pit=None if scores.pit is None else (scores.pit.T * np.exp(log_weights)).sum(axis=1),
    )
