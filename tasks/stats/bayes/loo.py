"""Leave-one-row-out predictive accuracy, for a new row of a known group: PSIS-LOO, integrated.

Given the parameters, the leave-one-out density p(y_i | y_-i, beta, Sigma, sigma) is normal and known in
closed form (Sundararajan & Keerthi 2001): with V_j the group's marginal covariance and r = y - X beta,
mean y_i - [V^-1 r]_i / [V^-1]_ii and variance 1 / [V^-1]_ii. Importance sampling then has to correct the
parameters alone and not the group effects, which is what makes Pareto k high in small groups (Vehtari,
Mononen, Tolvanen, Sivula & Winther 2016, JMLR 17(103); Merkle, Furr & Rabe-Hesketh 2019).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaln, logsumexp, ndtr, ndtri, stdtr

from tasks.stats.bayes.group_likelihood import ParameterDraws, effect_and_leverage, parameter_draws, thinned
from tasks.stats.bayes.importance import highest_good_k, importance_weights
from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.small_matrices import inverse_and_log_det
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, GroupedData, LooResult, PosteriorDraws, Scaling

# Rows beyond ROWS_LIMIT are sampled, draws beyond DRAWS_LIMIT thinned: PSIS fits a tail per row.
ROWS_LIMIT = 2000
DRAWS_LIMIT = 4000
BLOCK_VALUES = 500_000  # rows times draws at once


def loo(
    data: GroupedData,
    products: ModelCrossProducts,
    varying: tuple[int, ...],
    draws: PosteriorDraws,
    scaling: Scaling,
    pareto_k_threshold: float | None,
    seed: int,
) -> LooResult:
    """PSIS-LOO of the marginal model. `products` are of all N rows.

    Sums are scaled up to N if `data` are a sample of these rows, or are more than ROWS_LIMIT.
    """
    rows = _rows_used(data.n_rows, seed)
    some = np.array_split(rows, -(-rows.size * min(draws.sigma.size, DRAWS_LIMIT) // BLOCK_VALUES))
    scored = [_left_out(*row_scores(data, products, varying, draws, scaling, block)) for block in some]
    pointwise, in_sample, pareto_k, pit = (np.concatenate([getattr(one, part) for one in scored]) for part in PARTS)
    scale_up = products.n_rows / rows.size
    threshold = highest_good_k(scored[0].n_draws, pareto_k_threshold)
    return LooResult(
        elpd_loo=float(pointwise.sum() * scale_up),
        se=float(products.n_rows * pointwise.std(ddof=1) / np.sqrt(rows.size)),
        p_loo=float((in_sample - pointwise).sum() * scale_up),
        pareto_k_max=float(pareto_k.max()),
        n_high_pareto_k=int((pareto_k > threshold).sum()),
        pareto_k_threshold=threshold,
        n_rows_used=rows.size,
        elpd_by_group=np.bincount(data.group_index[rows], weights=pointwise, minlength=data.n_groups).astype(float),
        pareto_k=pareto_k,
        rows=rows,
        pointwise=pointwise,
        pit=pit,
    )


@dataclass(frozen=True)
class _LeftOut:
    """Of some rows, (n,) each."""

    n_draws: int
    pointwise: Floats  # log predictive density, the row left out
    in_sample: Floats  # log density, the row not left out
    pareto_k: Floats
    pit: Floats


PARTS = ("pointwise", "in_sample", "pareto_k", "pit")


def _left_out(log_lik: Floats, log_lik_in_sample: Floats, surprise: Floats) -> _LeftOut:
    """From the `row_scores` of some rows."""
    log_weights, pareto_k = importance_weights(-log_lik)
    return _LeftOut(
        n_draws=len(log_lik),
        pointwise=logsumexp(log_lik.T + log_weights, axis=-1),
        in_sample=logsumexp(log_lik_in_sample, axis=0) - np.log(len(log_lik)),
        pareto_k=pareto_k,
        pit=(ndtr(surprise).T * np.exp(log_weights)).sum(axis=1),
    )


def row_scores(
    data: GroupedData,
    products: ModelCrossProducts,
    varying: tuple[int, ...],
    draws: PosteriorDraws,
    scaling: Scaling,
    rows: np.ndarray,
) -> tuple[Floats, Floats, Floats]:
    """Three arrays (S, rows): scores of each row for each draw of the parameters, at most DRAWS_LIMIT draws.

    The log density of y_i given the other rows of its group; its log density given all rows of the group, y_i
    included; and how many SDs y_i lies above its expectation given the other rows.
    """
    if draws.nu is not None:
        return _student_scores(data, draws, draws.nu, scaling, rows)
    at = parameter_draws(draws, products.outcome_center, DRAWS_LIMIT)
    own = None if draws.group_sigma is None else thinned(draws.group_sigma, DRAWS_LIMIT)
    groups = data.group_index[rows]
    x = design_matrix(data, scaling)[rows]
    y = data.y[rows] - products.outcome_center
    if own is None and len(varying) <= 2:
        effect, leverage = effect_and_leverage(products.gram[groups], varying, at, x[:, list(varying)])
        return _scores_of(y - at.beta @ x.T - effect, leverage, at.sigma[:, None] ** 2)
    others, all_rows, surprise = (np.empty((len(at.sigma), rows.size)) for _ in range(3))
    for j in np.unique(groups):
        mine, here = groups == j, at if own is None else replace(at, sigma=own[:, j])
        scores = _group_scores(products.gram[j, list(varying)], list(varying), x[mine], y[mine], here)
        others[:, mine], all_rows[:, mine], surprise[:, mine] = scores
    return others, all_rows, surprise


def _student_scores(
    data: GroupedData, draws: PosteriorDraws, nu: Floats, scaling: Scaling, rows: np.ndarray
) -> tuple[Floats, Floats, Floats]:
    """As `row_scores`, of Student-t rows. Group effects are not integrated out: given them, rows are independent."""
    kept = slice(None, None, draws.group_thin)
    coef, freedom = (thinned(each, DRAWS_LIMIT) for each in (draws.group_coef, nu[:, kept]))
    scale = draws.sigma[:, kept, None] if draws.group_sigma is None else draws.group_sigma[:, kept]
    groups = data.group_index[rows]
    scale = np.broadcast_to(thinned(scale, DRAWS_LIMIT), coef.shape[:2])[:, groups]
    x = design_matrix(data, scaling)[rows]
    residual = (data.y[rows] - np.einsum("snp,np->sn", coef[:, groups], x)) / scale
    v = freedom[:, None]
    density = (
        gammaln((v + 1) / 2)
        - gammaln(v / 2)
        - 0.5 * np.log(np.pi * v)
        - np.log(scale)
        - (v + 1) / 2 * np.log1p(residual**2 / v)
    )
    return density, density, ndtri(np.clip(stdtr(v, residual), 1e-300, 1 - 1e-16))


def _group_scores(
    gram: Floats, varying: list[int], x: Floats, y: Floats, at: ParameterDraws
) -> tuple[Floats, Floats, Floats]:
    """(S, n) each, for one group; `gram` (q, p + 1) is Z_j'[X_j y_j], sums over all of the group's rows."""
    t_transposed = np.swapaxes(at.factor, -1, -2)
    a = t_transposed @ gram[:, varying] @ at.factor + (at.sigma**2)[:, None, None] * np.eye(len(varying))
    m = at.factor @ inverse_and_log_det(a)[0] @ t_transposed
    z = x[:, varying]
    mode = np.einsum("skl,sl->sk", m, gram[:, -1] - at.beta @ gram[:, :-1].T)
    residual = y - at.beta @ x.T - mode @ z.T
    leverage = np.einsum("nk,skl,nl->sn", z, m, z, optimize=True)
    return _scores_of(residual, leverage, (at.sigma**2)[:, None])


def _scores_of(residual: Floats, leverage: Floats, variance: Floats) -> tuple[Floats, Floats, Floats]:
    """(S, n) each, from residuals and leverages (S, n), given all rows of the group."""
    others = _normal_log_density(residual / (1.0 - leverage), variance / (1.0 - leverage))
    all_rows = _normal_log_density(residual, variance * (1.0 + leverage))
    return others, all_rows, residual / np.sqrt(variance * (1.0 - leverage))


def _normal_log_density(residual: Floats, variance: Floats) -> Floats:
    return -0.5 * (np.log(2.0 * np.pi * variance) + residual**2 / variance)


def _rows_used(n_rows: int, seed: int) -> np.ndarray:
    if n_rows <= ROWS_LIMIT:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).choice(n_rows, ROWS_LIMIT, replace=False))


def judge_pareto_k(found: LooResult) -> tuple[Judgement, ...]:
    value, limit = found.pareto_k_max, found.pareto_k_threshold
    if found.n_high_pareto_k:
        return (Judgement("pareto_k", "review", "some", value=value, limit=limit),)
    return (Judgement("pareto_k", "pass", "none", value=value, limit=limit),)
