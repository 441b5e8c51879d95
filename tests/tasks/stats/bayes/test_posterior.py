"""Group effects are drawn from their exact conditional distribution, in the outcome's unit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

import tasks.stats.bayes.posterior
from tasks.stats.bayes.posterior import (
    conditional_moments,
    estimate,
    group_thin,
    intraclass_correlation,
    posterior_draws,
)
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.records import Floats, PosteriorDraws
from tests.datasets import model_of, simulated
from tests.dense import dense
from tests.posteriors import sampled

DATA = simulated(11, [1, 2, 3, 9], beta=(5.0, 1.0, -2.0), sd=(2.0, 0.5, 1.0))


def random_factor(rng: np.random.Generator, q: int) -> Floats:
    return np.tril(rng.standard_normal((q, q)))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), varying=st.sampled_from([(0,), (1,), (0, 2), (0, 1, 2)]))
def test_conditional_moments_equal_dense_ones(seed: int, varying: tuple[int, ...]) -> None:
    """mean Sigma Z' V^-1 (y - X beta), covariance Sigma - Sigma Z' V^-1 Z Sigma."""
    rng = np.random.default_rng(seed)
    products, scaling = model_of(DATA)
    q, draws = len(varying), 3
    beta, sigma = rng.standard_normal((draws, 3)), rng.uniform(0.2, 3.0, draws)
    factor = np.array([random_factor(rng, q) for _ in range(draws)])
    gram = products.gram[:, list(varying)]
    mean, root = conditional_moments(gram, list(varying), beta, factor, sigma)
    for s in range(draws):
        cov = factor[s] @ factor[s].T
        oracle = dense(DATA, scaling, varying, cov, float(sigma[s]))
        residual = oracle.y - oracle.x @ beta[s]
        expected = oracle.group_cov @ oracle.z.T @ np.linalg.solve(oracle.v, residual)
        np.testing.assert_allclose(mean[s].ravel(), expected, rtol=1e-7, atol=1e-9)
        conditional = oracle.conditional_cov()
        for j in range(4):
            block = conditional[j * q : (j + 1) * q, j * q : (j + 1) * q]
            np.testing.assert_allclose(root[s, j] @ root[s, j].T, block, rtol=1e-6, atol=1e-9)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6), varying=st.sampled_from([(0,), (0, 2), (0, 1, 2)]))
def test_conditional_moments_of_unequal_groups_equal_dense_ones(seed: int, varying: tuple[int, ...]) -> None:
    rng = np.random.default_rng(seed)
    products, scaling = model_of(DATA)
    q, draws = len(varying), 2
    beta, sigma = rng.standard_normal((draws, 3)), rng.uniform(0.2, 3.0, (draws, 4))
    factor = np.array([random_factor(rng, q) for _ in range(draws)])
    mean, root = conditional_moments(products.gram[:, list(varying)], list(varying), beta, factor, sigma)
    for s in range(draws):
        rows = np.diag(sigma[s][DATA.group_index] ** 2)
        oracle = dense(DATA, scaling, varying, factor[s] @ factor[s].T, 1.0, rows)
        expected = oracle.group_cov @ oracle.z.T @ np.linalg.solve(oracle.v, oracle.y - oracle.x @ beta[s])
        np.testing.assert_allclose(mean[s].ravel(), expected, rtol=1e-7, atol=1e-9)
        blocks = oracle.conditional_cov().reshape(4, q, 4, q)
        for j in range(4):
            np.testing.assert_allclose(root[s, j] @ root[s, j].T, blocks[j, :, j], rtol=1e-6, atol=1e-9)


def variables(rng: np.random.Generator, chains: int, draws: int, p: int, q: int) -> dict[str, Floats]:
    """As an engine returns them."""
    shape = (chains, draws)
    correlation = np.linalg.cholesky(0.3 * np.ones((q, q)) + 0.7 * np.eye(q))
    sampler = ("divergent__", "energy__", "treedepth__", "accept_stat__", "n_leapfrog__")
    return {
        "beta": 0.1 * rng.standard_normal((*shape, p)),
        "sigma_group": rng.uniform(0.5, 1.0, (*shape, q)),
        "sigma": rng.uniform(0.4, 0.6, shape),
        "L_group": np.broadcast_to(correlation, (*shape, q, q)).copy(),
        **{name: rng.random(shape) for name in sampler},
    }


def drawn(products: ModelCrossProducts, scaling, chains: int = 2, draws: int = 100, seed: int = 1) -> PosteriorDraws:
    return posterior_draws(variables(np.random.default_rng(0), chains, draws, 3, 2), products, (0, 2), scaling, seed)


def test_draws_are_in_the_outcomes_unit() -> None:
    products, scaling = model_of(DATA)
    raw = variables(np.random.default_rng(0), 2, 100, 3, 2)
    kept = {name: value.copy() for name, value in raw.items()}
    made = posterior_draws(raw, products, (0, 2), scaling, 1)
    s = scaling.outcome_scale
    np.testing.assert_allclose(made.beta, raw["beta"] * s + scaling.outcome_center * np.eye(3)[0])
    np.testing.assert_allclose(made.sigma_group, raw["sigma_group"] * s)
    np.testing.assert_allclose(made.sigma, raw["sigma"] * s)
    np.testing.assert_allclose(made.correlation[..., 0, 1], 0.3)
    np.testing.assert_allclose(made.correlation[..., 1, 1], 1.0)
    np.testing.assert_array_equal(made.energy, raw["energy__"])
    assert made.group_coef.shape == (2, 100, 4, 3)
    # The term that does not vary is the same for every group.
    np.testing.assert_array_equal(made.group_coef[..., 1], np.repeat(made.beta[..., None, 1], 4, axis=2))
    for name, value in raw.items():
        np.testing.assert_array_equal(value, kept[name], err_msg=f"{name} was changed in place")


def test_group_effects_are_normal_with_those_moments() -> None:
    """20,000 draws at one parameter value, standardised by the exact moments."""
    products, scaling = model_of(DATA)
    one = {
        name: value[:, :1].repeat(20_000, axis=1)
        for name, value in variables(np.random.default_rng(0), 1, 1, 3, 2).items()
    }
    made = posterior_draws(one, products, (0, 2), scaling, 5)
    s = scaling.outcome_scale
    beta, sigma = one["beta"][0, :1] * s, one["sigma"][0, :1] * s
    factor = (one["sigma_group"][0, :1, :, None] * one["L_group"][0, :1]) * s
    mean, root = conditional_moments(products.gram[:, [0, 2]], [0, 2], beta, factor, sigma)
    effects = made.group_coef[0][..., [0, 2]] - made.beta[0][:, None, [0, 2]]
    for j in range(4):
        z = np.linalg.solve(root[0, j], (effects[:, j] - mean[0, j, :, 0]).T)
        np.testing.assert_allclose(np.cov(z), np.eye(2), atol=0.05)
        assert kstest(z.ravel(), "norm").pvalue > 1e-4
    # Groups are drawn independently of each other.
    assert abs(np.corrcoef(effects[:, 0, 0], effects[:, 3, 0])[0, 1]) < 0.03


def test_each_group_is_drawn_at_its_own_residual_sd(monkeypatch: pytest.MonkeyPatch) -> None:
    """In blocks of a group and of every draw, or thinned, and in the groups by which the sampler is judged."""
    products, scaling = model_of(DATA)
    raw = {
        name: value.repeat(8000, axis=1).repeat(2, axis=0)
        for name, value in variables(np.random.default_rng(0), 1, 1, 3, 2).items()
    }
    own = np.broadcast_to(np.array([0.05, 0.3, 1.0, 4.0]), (2, 8000, 4))
    made = posterior_draws({**raw, "group_sigma": own, "spread": own[..., 0]}, products, (0, 2), scaling, 5)
    monkeypatch.setattr(tasks.stats.bayes.posterior, "BLOCK_VALUES", 1)
    monkeypatch.setattr(tasks.stats.bayes.posterior, "GROUP_VALUES_LIMIT", 2 * 4000 * 4 * 3)
    thinned = posterior_draws({**raw, "group_sigma": own, "spread": own[..., 0]}, products, (0, 2), scaling, 5)
    assert thinned.group_thin == 2
    assert made.group_sigma is not None
    np.testing.assert_allclose(made.group_sigma, own * scaling.outcome_scale)
    s, factor = scaling.outcome_scale, raw["sigma_group"][0, :1, :, None] * raw["L_group"][0, :1]
    gram, beta = products.gram[:, [0, 2]], raw["beta"][0] * s
    mean, root = conditional_moments(gram, [0, 2], beta[:1], factor * s, own[0, :1] * s)
    sd = np.sqrt((root[0] ** 2).sum(axis=-1))
    assert thinned.checked_coef is not None
    for coef in (made.group_coef, thinned.group_coef, thinned.checked_coef):
        effects = coef.reshape(-1, 4, 3)[..., [0, 2]] - made.beta[0, 0, [0, 2]]
        np.testing.assert_allclose(effects.std(axis=0), sd, rtol=0.04)
        assert (np.abs(effects.mean(axis=0) - mean[0, ..., 0]) < 5 * sd / np.sqrt(len(effects))).all()


def test_the_seed_decides_the_draws() -> None:
    products, scaling = model_of(DATA)
    a, b, c = (drawn(products, scaling, seed=seed).group_coef for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_many_groups_are_drawn_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of one group each, and group effects of every fourth draw only: same distribution."""
    products, scaling = model_of(DATA)
    whole = drawn(products, scaling, draws=4000)
    monkeypatch.setattr(tasks.stats.bayes.posterior, "BLOCK_VALUES", 1)
    monkeypatch.setattr(tasks.stats.bayes.posterior, "GROUP_VALUES_LIMIT", 2 * 1000 * 4 * 3)
    thinned = drawn(products, scaling, draws=4000)
    assert (whole.group_thin, thinned.group_thin) == (1, 4)
    assert thinned.group_coef.shape == (2, 1000, 4, 3)
    assert thinned.beta.shape == (2, 4000, 3)
    assert whole.checked_coef is None
    assert thinned.checked_coef is not None
    assert thinned.checked_coef.shape == (2, 4000, 4, 3)
    np.testing.assert_array_equal(thinned.group_coef[..., 1], np.repeat(thinned.beta[:, ::4, None, 1], 4, axis=2))
    a, b, checked = estimate(whole.group_coef), estimate(thinned.group_coef), estimate(thinned.checked_coef)
    np.testing.assert_allclose(checked.mean, a.mean, atol=0.1 * float(a.sd.max()))
    np.testing.assert_allclose(b.mean, a.mean, atol=0.15 * a.sd.max())
    np.testing.assert_allclose(b.sd, a.sd, rtol=0.1)


@pytest.mark.parametrize(
    ("draws", "values", "thin"),
    [(1000, 1000, 1), (1000, 5000, 1), (1000, 10_000, 2), (1000, 10**7, 10), (50, 10**9, 1)],
)
def test_thinning_keeps_a_hundred_draws_a_chain(draws: int, values: int, thin: int) -> None:
    assert group_thin(4, draws, values) == thin


def test_estimate_is_mean_sd_and_central_interval_of_all_draws() -> None:
    draws = np.random.default_rng(3).standard_normal((4, 500, 2)) * [1.0, 5.0]
    made = estimate(draws)
    flat = draws.reshape(-1, 2)
    np.testing.assert_allclose(made.mean, flat.mean(axis=0))
    np.testing.assert_allclose(made.sd, flat.std(axis=0, ddof=1))
    np.testing.assert_allclose([made.lower, made.upper], np.quantile(flat, [0.025, 0.975], axis=0))


def test_icc_is_the_share_between_groups() -> None:
    draws = sampled("sleepstudy").draws
    expected = draws.sigma_group[..., 0] ** 2 / (draws.sigma_group[..., 0] ** 2 + draws.sigma**2)
    np.testing.assert_allclose(intraclass_correlation(draws), expected)
    assert 0.4 < intraclass_correlation(draws).mean() < 0.9
