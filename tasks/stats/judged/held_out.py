"""Leave one group out: predicts the rows of a new group, of which nothing is known but the predictors.

The marginal likelihood of a group, its effects integrated out, is the predictive density of all its rows
together; PSIS takes the group out of the posterior (Merkle, Furr & Rabe-Hesketh 2019, Psychometrika 84,
"marginal" leave-one-cluster-out; Vehtari, CV-FAQ). Scores are of single rows: each is predicted without any of
its group, as the first row of a new one. Only so can they stand beside those of `tasks.stats.bayes.loo`, whose
target is a new row of a known group: the density of a group's rows together lets each lean on those before it,
and so says hardly anything of how well a new group is predicted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from tasks.stats.bayes.group_likelihood import ParameterDraws, group_log_lik, new_row_log_density, parameter_draws
from tasks.stats.bayes.importance import highest_good_k, importance_weights
from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.fits.cross_products import ModelCrossProducts, residual_sum_of_squares
from tasks.stats.records import Floats, GroupedData, Integers, PosteriorDraws, Scaling

TARGET = "a row of a new group"
# Most likelihoods computed, draws times groups; if there would be more, draws are thinned.
VALUES_LIMIT = 10_000_000
DRAWS_LIMIT, FEWEST_DRAWS = 4000, 200
FEWEST_GROUPS = 3
# Most row densities computed, draws times rows; if there would be more, each group is scored by some of its rows.
ROW_VALUES_LIMIT = 20_000_000
BLOCK_VALUES = 2_000_000


@dataclass(frozen=True)
class LeaveOneGroupOut:
    """Scores of each group, predicted from all others. Errors cover all rows, scores those at hand."""

    elpd: float  # expected log predictive density, row by row, of all rows of the study
    se: float  # of `elpd`, given the groups' sizes
    elpd_by_group: Floats  # (J,) the same of a group's rows; NaN for a group without a row in the sample
    pareto_k: Floats  # (J,)
    pareto_k_max: float
    pareto_k_threshold: float
    n_high_pareto_k: int  # groups
    rmse: float  # of the rows, predicted by the fixed effects of all other groups; the outcome's unit
    rmse_by_group: Floats  # (J,)
    n_draws_used: int


def leave_one_group_out(
    data: GroupedData,
    products: ModelCrossProducts,
    scaling: Scaling,
    varying: tuple[int, ...],
    draws: PosteriorDraws,
    pareto_k_threshold: float | None,
    seed: int,
) -> LeaveOneGroupOut | None:
    """The scores; None for fewer than FEWEST_GROUPS groups, where the rest does not show how groups differ.

    `products` are of all the study's rows, `data` may be a sample.
    """
    n_groups = len(products.labels)
    if n_groups < FEWEST_GROUPS:
        return None
    limit = int(np.clip(VALUES_LIMIT // n_groups, FEWEST_DRAWS, DRAWS_LIMIT))
    at = parameter_draws(draws, products.outcome_center, limit)
    log_weights, pareto_k = importance_weights(-group_log_lik(products.gram, varying, at))
    rows = _rows_scored(data.group_index, max(ROW_VALUES_LIMIT // len(at.sigma), n_groups), seed)
    elpd = products.n * _mean_row_scores(data, rows, scaling, varying, at, log_weights)
    rss = residual_sum_of_squares(products, np.exp(log_weights) @ at.beta)
    threshold = highest_good_k(len(at.sigma), pareto_k_threshold)
    total, se = _total(elpd, products.n)
    return LeaveOneGroupOut(
        elpd=total,
        se=se,
        elpd_by_group=elpd,
        pareto_k=pareto_k,
        pareto_k_max=float(pareto_k.max()),
        pareto_k_threshold=threshold,
        n_high_pareto_k=int((pareto_k > threshold).sum()),
        rmse=float(np.sqrt(rss.sum() / products.n_rows)),
        rmse_by_group=np.sqrt(rss / products.n),
        n_draws_used=len(at.sigma),
    )


def _mean_row_scores(
    data: GroupedData,
    rows: Integers,
    scaling: Scaling,
    varying: tuple[int, ...],
    at: ParameterDraws,
    log_weights: Floats,
) -> Floats:
    """(J,) mean log density of a group's `rows`, each predicted without the group; NaN for a group without any.

    `log_weights` (J, S) take each group out of the draws.
    """
    groups, scores = data.group_index[rows], np.empty(rows.size)
    x, y = design_matrix(data, scaling)[rows], data.y[rows] - scaling.outcome_center
    size = max(1, BLOCK_VALUES // len(at.sigma))
    for start in range(0, rows.size, size):
        block = slice(start, start + size)
        density = new_row_log_density(x[block], y[block], varying, at)
        scores[block] = logsumexp(density.T + log_weights[groups[block]], axis=1)
    n = np.bincount(groups, minlength=data.n_groups)
    total = np.bincount(groups, scores, minlength=data.n_groups)
    return np.divide(total, n, out=np.full(data.n_groups, np.nan), where=n > 0)


def _rows_scored(group_index: Integers, limit: int, seed: int) -> Integers:
    """Positions of at most `limit` rows: a random one of every group, then a second one, and so on."""
    if group_index.size <= limit:
        return np.arange(group_index.size)
    order = np.lexsort((np.random.default_rng(seed).permutation(group_index.size), group_index))
    sizes = np.bincount(group_index)
    place = np.arange(order.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[np.argsort(place, kind="stable")[:limit]])


def _total(elpd: Floats, n: Floats) -> tuple[float, float]:
    """The scores of all rows of the study, and the standard error.

    It follows from the groups' distances to the common score per row: the ratio estimator (Cochran 1977). The plain
    standard deviation would count differences in group size as uncertainty. Groups without a score are taken to be
    like the others.
    """
    known = np.isfinite(elpd)
    elpd, scale_up = elpd[known], float(n.sum() / n[known].sum())
    distance = elpd - n[known] * (elpd.sum() / n[known].sum())
    se = float(np.sqrt(elpd.size * (distance @ distance) / max(elpd.size - 1, 1)))
    return float(elpd.sum()) * scale_up, se * scale_up
