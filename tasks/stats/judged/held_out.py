"""Leave one group out: predicts the rows of a new group, of which nothing is known but the predictors.

The marginal likelihood of a group, its effects integrated out, is the predictive density of all its rows
together; PSIS takes the group out of the posterior (Merkle, Furr & Rabe-Hesketh 2019, Psychometrika 84,
"marginal" leave-one-cluster-out; Vehtari, CV-FAQ). `tasks.stats.bayes.loo` has the other target: a new row of a
known group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from tasks.stats.bayes.group_likelihood import group_log_lik, parameter_draws
from tasks.stats.bayes.importance import highest_good_k, importance_weights
from tasks.stats.fits.cross_products import ModelCrossProducts, residual_sum_of_squares
from tasks.stats.records import Floats, PosteriorDraws

TARGET = "the rows of a new group"
# Most likelihoods computed, draws times groups; if there would be more, draws are thinned.
VALUES_LIMIT = 10_000_000
DRAWS_LIMIT, FEWEST_DRAWS = 4000, 200
FEWEST_GROUPS = 3


@dataclass(frozen=True)
class LeaveOneGroupOut:
    """Scores of each group, predicted from all others. They cover all rows, whether or not they were sampled."""

    elpd: float  # expected log predictive density, summed over groups
    se: float  # of `elpd`, given the groups' sizes
    elpd_by_group: Floats  # (J,) of a group's rows together
    pareto_k: Floats  # (J,)
    pareto_k_max: float
    pareto_k_threshold: float
    n_high_pareto_k: int  # groups
    rmse: float  # of the rows, predicted by the fixed effects of all other groups; the outcome's unit
    rmse_by_group: Floats  # (J,)
    n_draws_used: int


def leave_one_group_out(
    products: ModelCrossProducts, varying: tuple[int, ...], draws: PosteriorDraws, pareto_k_threshold: float | None
) -> LeaveOneGroupOut | None:
    """The scores; None for fewer than FEWEST_GROUPS groups, where the rest does not show how groups differ."""
    n_groups = len(products.labels)
    if n_groups < FEWEST_GROUPS:
        return None
    limit = int(np.clip(VALUES_LIMIT // n_groups, FEWEST_DRAWS, DRAWS_LIMIT))
    at = parameter_draws(draws, products.outcome_center, limit)
    log_lik = group_log_lik(products.gram, varying, at)
    log_weights, pareto_k = importance_weights(-log_lik)
    elpd = logsumexp(log_lik.T + log_weights, axis=1)
    rss = residual_sum_of_squares(products, np.exp(log_weights) @ at.beta)
    threshold = highest_good_k(len(at.sigma), pareto_k_threshold)
    return LeaveOneGroupOut(
        elpd=float(elpd.sum()),
        se=_se_of_sum(elpd, products.n),
        elpd_by_group=elpd,
        pareto_k=pareto_k,
        pareto_k_max=float(pareto_k.max()),
        pareto_k_threshold=threshold,
        n_high_pareto_k=int((pareto_k > threshold).sum()),
        rmse=float(np.sqrt(rss.sum() / products.n_rows)),
        rmse_by_group=np.sqrt(rss / products.n),
        n_draws_used=len(at.sigma),
    )


def _se_of_sum(elpd: Floats, n: Floats) -> float:
    """Standard error from the groups' distances to the common score per row: the ratio estimator (Cochran 1977).

    The plain standard deviation would count differences in group size as uncertainty.
    """
    distance = elpd - n * (elpd.sum() / n.sum())
    return float(np.sqrt(elpd.size * (distance @ distance) / (elpd.size - 1)))
