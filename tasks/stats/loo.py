"""Leave-one-row-out predictive accuracy, for a new row of a known group: PSIS-LOO, integrated.

Given the parameters, the leave-one-out density p(y_i | y_-i, beta, Sigma, sigma) is normal and known in
closed form (Sundararajan & Keerthi 2001): with V_j the group's marginal covariance and r = y - X beta,
mean y_i - [V^-1 r]_i / [V^-1]_ii and variance 1 / [V^-1]_ii. Importance sampling then has to correct the
parameters alone and not the group effects, which is what makes Pareto k high in small groups (Vehtari,
Mononen, Tolvanen, Sivula & Winther 2016, JMLR 17(103); Merkle, Furr & Rabe-Hesketh 2019).
Pareto smoothing: Vehtari, Simpson, Gelman, Yao & Gabry (2024), JMLR 25(72); computed by ArviZ.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from tasks.stats.cross_products import ModelCrossProducts
from tasks.stats.records import Floats, GroupedData, LooResult, PosteriorDraws, Scaling
from tasks.stats.small_matrices import inverse_and_log_det
from tasks.stats.stan_data import design_matrix

# Rows beyond ROWS_LIMIT are sampled, draws beyond DRAWS_LIMIT thinned: PSIS fits a tail per row.
ROWS_LIMIT = 2000
DRAWS_LIMIT = 4000


def loo(
    data: GroupedData,
    products: ModelCrossProducts,
    varying: tuple[int, ...],
    draws: PosteriorDraws,
    scaling: Scaling,
    pareto_k_threshold: float | None,
    seed: int,
) -> LooResult:
    """PSIS-LOO of the marginal model. `products` are of all N rows; sums are scaled up to N where `data` are
    a sample of these, or more than ROWS_LIMIT."""
    from arviz_stats.base import array_stats

    rows = _rows_used(data.n_rows, seed)
    log_lik, log_lik_in_sample = row_log_lik(data, products, varying, draws, scaling, rows)
    log_weights, pareto_k = array_stats.psislw(log_lik, axis=0)
    log_weights -= logsumexp(log_weights, axis=-1, keepdims=True)
    pointwise = logsumexp(log_lik.T + log_weights, axis=-1)
    in_sample = logsumexp(log_lik_in_sample, axis=0) - np.log(len(log_lik))
    scale_up = products.n_rows / rows.size
    threshold = pareto_k_threshold or min(1.0 - 1.0 / np.log10(len(log_lik)), 0.7)
    return LooResult(
        elpd_loo=float(pointwise.sum() * scale_up),
        se=float(products.n_rows * pointwise.std(ddof=1) / np.sqrt(rows.size)),
        p_loo=float((in_sample - pointwise).sum() * scale_up),
        pareto_k_max=float(pareto_k.max()),
        n_high_pareto_k=int((pareto_k > threshold).sum()),
        pareto_k_threshold=float(threshold),
        n_rows_used=rows.size,
        elpd_by_group=np.bincount(data.group_index[rows], weights=pointwise, minlength=data.n_groups).astype(float),
        pareto_k=pareto_k,
        rows=rows,
    )


def row_log_lik(
    data: GroupedData,
    products: ModelCrossProducts,
    varying: tuple[int, ...],
    draws: PosteriorDraws,
    scaling: Scaling,
    rows: np.ndarray,
) -> tuple[Floats, Floats]:
    """Two log densities (S, rows) of y_i, for at most DRAWS_LIMIT draws of the parameters.

    First given the other rows of the group, second given all of them, y_i included.
    """
    beta, factor, sigma = _flat_draws(draws)
    columns = list(varying)
    groups = data.group_index[rows]
    x = design_matrix(data, scaling)[rows]
    beta = beta - np.eye(beta.shape[1])[0] * products.outcome_center
    y = data.y[rows] - products.outcome_center
    others, all_rows = np.empty((2, len(sigma), rows.size))
    for j in np.unique(groups):
        mine = groups == j
        gram = products.gram[j, columns]
        others[:, mine], all_rows[:, mine] = _group_log_lik(gram, columns, x[mine], y[mine], beta, factor, sigma)
    return others, all_rows


def _group_log_lik(
    gram: Floats, varying: list[int], x: Floats, y: Floats, beta: Floats, factor: Floats, sigma: Floats
) -> tuple[Floats, Floats]:
    """(S, n) each, for one group; `gram` (q, p + 1) is Z_j'[X_j y_j], sums over all of the group's rows."""
    t_transposed = np.swapaxes(factor, -1, -2)
    a = t_transposed @ gram[:, varying] @ factor + (sigma**2)[:, None, None] * np.eye(len(varying))
    m = factor @ inverse_and_log_det(a)[0] @ t_transposed
    z = x[:, varying]
    mode = np.einsum("skl,sl->sk", m, gram[:, -1] - beta @ gram[:, :-1].T)
    residual = y - beta @ x.T - mode @ z.T
    leverage = np.einsum("nk,skl,nl->sn", z, m, z, optimize=True)
    variance = (sigma**2)[:, None]
    others = _normal_log_density(residual / (1.0 - leverage), variance / (1.0 - leverage))
    return others, _normal_log_density(residual, variance * (1.0 + leverage))


def _normal_log_density(residual: Floats, variance: Floats) -> Floats:
    return -0.5 * (np.log(2.0 * np.pi * variance) + residual**2 / variance)


def _flat_draws(draws: PosteriorDraws) -> tuple[Floats, Floats, Floats]:
    """beta (S, p), T (S, q, q) and sigma (S,), thinned to DRAWS_LIMIT."""
    n = draws.sigma.size
    kept = slice(None, None, -(-n // DRAWS_LIMIT))
    sd = draws.sigma_group.reshape(n, -1)[kept]
    correlation = draws.correlation.reshape(n, sd.shape[1], sd.shape[1])[kept]
    factor = sd[:, :, None] * np.linalg.cholesky(correlation)
    return draws.beta.reshape(n, -1)[kept], factor, draws.sigma.reshape(n)[kept]


def _rows_used(n_rows: int, seed: int) -> np.ndarray:
    if n_rows <= ROWS_LIMIT:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).choice(n_rows, ROWS_LIMIT, replace=False))
