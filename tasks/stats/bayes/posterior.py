"""From the sampler's draws to the posterior of everything reported.

The marginal program leaves the group effects out; given its draws they are drawn here, exactly:
u_j | rest ~ normal(T A_j^-1 T' Z_j' r_j, sigma^2 T A_j^-1 T'), with A_j = sigma^2 I + T' Z_j'Z_j T.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tasks.stats.bayes import closed_form
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.small_matrices import inverse_and_log_det, inverse_root
from tasks.stats.records import Floats, MedianEstimate, PosteriorDraws, Scaling

# Most group coefficients kept in memory; if there are more, they are drawn for every k-th draw only.
GROUP_VALUES_LIMIT = 20_000_000
FEWEST_GROUP_DRAWS = 100  # per chain
BLOCK_VALUES = 1_000_000
# Most group coefficients whose R-hat and ESS are computed; if there are more, those of evenly spread groups.
CHECKED_QUANTITIES = 1000

SAMPLER_COLUMNS = {
    "divergent": "divergent__",
    "energy": "energy__",
    "treedepth": "treedepth__",
    "acceptance": "accept_stat__",
    "n_leapfrog": "n_leapfrog__",
}


def posterior_draws(
    variables: Mapping[str, Floats],
    products: ModelCrossProducts,
    varying: tuple[int, ...],
    scaling: Scaling,
    seed: int,
) -> PosteriorDraws:
    """The draws of every reported quantity, in the outcome's unit.

    `variables` are as an engine returns them (chain and draw first), for the outcome divided by its SD. Draws that no
    sampler made come without its columns, which are then 0.
    """
    s = scaling.outcome_scale
    beta, sigma_group, sigma = (variables[name] * s for name in ("beta", "sigma_group", "sigma"))
    factor = sigma_group[..., :, None] * variables["L_group"]
    group_sigma = variables["group_sigma"] * s if "group_sigma" in variables else None
    scatter = sigma if group_sigma is None else group_sigma
    beta = beta.copy()
    chains, draws, p = beta.shape
    thin = group_thin(chains, draws, len(products.labels) * p)
    kept = slice(None, None, thin)
    group_coef = _draw_group_coef(
        beta[:, kept].reshape(-1, p),
        factor[:, kept].reshape(-1, *factor.shape[2:]),
        _flat(scatter[:, kept]),
        products,
        varying,
        np.random.default_rng(seed),
    )
    step = checked_step(len(products.labels), p)
    checked = None if thin == 1 else _draw_checked_coef(beta, factor, scatter, products, varying, step, seed)
    beta[..., 0] += products.outcome_center
    return PosteriorDraws(
        beta=beta,
        sigma_group=sigma_group,
        correlation=variables["L_group"] @ np.swapaxes(variables["L_group"], -1, -2),
        sigma=sigma,
        group_coef=group_coef.reshape(chains, -1, *group_coef.shape[1:]),
        group_thin=thin,
        checked_coef=checked,
        checked_step=step,
        group_sigma=group_sigma,
        spread=variables.get("spread"),
        from_chains=SAMPLER_COLUMNS["energy"] in variables,
        **{name: variables.get(column, np.zeros_like(sigma)) for name, column in SAMPLER_COLUMNS.items()},
    )


def _flat(draws: Floats) -> Floats:
    """(S, ...) of draws (C, D, ...)."""
    return draws.reshape(-1, *draws.shape[2:])


def group_thin(chains: int, draws: int, values_per_draw: int) -> int:
    """The k for which every k-th draw gets group effects: 1, unless these would exceed GROUP_VALUES_LIMIT."""
    affordable = max(GROUP_VALUES_LIMIT // (chains * values_per_draw), FEWEST_GROUP_DRAWS)
    return max(1, -(-draws // affordable))


def checked_step(n_groups: int, p: int) -> int:
    """The k for which the sampler is judged by every k-th group: 1 for up to CHECKED_QUANTITIES coefficients."""
    return -(-n_groups * p // CHECKED_QUANTITIES)


def _draw_checked_coef(
    beta: Floats,
    factor: Floats,
    sigma: Floats,
    products: ModelCrossProducts,
    varying: tuple[int, ...],
    step: int,
    seed: int,
) -> Floats:
    """(C, D, J / step, p) every draw for some groups, because thinned draws are too few to judge R-hat by."""
    some = replace(products, labels=products.labels[::step], gram=products.gram[::step])
    scatter = sigma if sigma.ndim == 2 else sigma[..., ::step]
    flat = _flat(beta), _flat(factor), _flat(scatter)
    coef = _draw_group_coef(*flat, some, varying, np.random.default_rng([seed, 1]))
    return coef.reshape(*beta.shape[:2], *coef.shape[1:])


def _draw_group_coef(
    beta: Floats,
    factor: Floats,
    sigma: Floats,
    products: ModelCrossProducts,
    varying: tuple[int, ...],
    rng: np.random.Generator,
) -> Floats:
    """(S, J, p) group coefficients, given `beta` (S, p), `factor` T (S, q, q) and `sigma` (S,) or (S, J).

    Intercepts in `beta` are about the outcome's mean.
    """
    coef = np.repeat(beta[:, None, :], len(products.labels), axis=1)
    coef[..., 0] += products.outcome_center
    columns = list(varying)
    block = max(1, BLOCK_VALUES // (len(beta) * len(varying) ** 2))
    for start in range(0, len(products.labels), block):
        groups = slice(start, start + block)
        gram = products.gram[groups][:, columns]
        noise = rng.standard_normal((len(beta), len(gram), len(varying), 1))
        own = sigma if sigma.ndim == 1 else sigma[:, groups]
        if own.ndim == 1 and len(columns) <= 2:
            coef[:, groups, columns] += _drawn_effects(products.gram[groups], varying, beta, factor, own, noise[..., 0])
            continue
        mean, root = conditional_moments(gram, columns, beta, factor, own)
        coef[:, groups, columns] += (mean + root @ noise)[..., 0]
    return coef


def _drawn_effects(
    gram: Floats, varying: tuple[int, ...], beta: Floats, factor: Floats, sigma: Floats, noise: Floats
) -> Floats:
    """(S, J, q) effects: their means plus the lower root of their covariance times `noise` (S, J, q)."""
    center = beta.mean(axis=0)
    draws = closed_form.of_draws(beta, factor, sigma, center)
    groups = closed_form.of_groups(gram, varying, center)
    mean, covariance, log_det = closed_form.moments(draws, groups)
    sd = np.sqrt(covariance[0])
    effects = [mean[0] + sigma[:, None] * sd * noise[..., 0]]
    if len(varying) == 2:
        below = covariance[1] / np.maximum(sd, np.finfo(float).tiny)
        own = np.sqrt(draws.weights[:, 3:]) * np.exp(-0.5 * log_det) / np.maximum(sd, np.finfo(float).tiny)
        effects.append(mean[1] + sigma[:, None] * (below * noise[..., 0] + own * noise[..., 1]))
    return np.stack(effects, axis=-1)


def conditional_moments(
    gram: Floats, varying: list[int], beta: Floats, factor: Floats, sigma: Floats
) -> tuple[Floats, Floats]:
    """Mean (S, J, q, 1) and root (S, J, q, q) of the group effects given S draws of the parameters.

    `gram` (J, q, p + 1) holds Z_j'[X_j y_j]; `sigma` is (S,), or (S, J) where each group has its own. root @ root' is
    the covariance sigma^2 T A_j^-1 T'.
    """
    sigma = (sigma[:, None] if sigma.ndim == 1 else sigma)[..., None, None]
    ztr = (gram[None, :, :, -1] - np.einsum("jqp,sp->sjq", gram[..., :-1], beta))[..., None]
    t = factor[:, None]
    a = np.swapaxes(t, -1, -2) @ gram[None][..., varying] @ t
    a = a + sigma**2 * np.eye(len(varying))
    a_inverse, _ = inverse_and_log_det(a)
    mean = t @ (a_inverse @ (np.swapaxes(t, -1, -2) @ ztr))
    return mean, sigma * (t @ inverse_root(a, a_inverse))


def estimate(draws: Floats) -> MedianEstimate:
    """Mean, SD, central 95 % interval and median over the first two axes (chain, draw)."""
    flat = draws.reshape(-1, *draws.shape[2:])
    lower, median, upper = np.quantile(flat, [0.025, 0.5, 0.975], axis=0)
    return MedianEstimate(flat.mean(axis=0), flat.std(axis=0, ddof=1), lower, upper, median)


def intraclass_correlation(draws: PosteriorDraws) -> Floats:
    """(C, D) share of a row's variance that lies between groups, at the predictors' means."""
    return draws.icc
