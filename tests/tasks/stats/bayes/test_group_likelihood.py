"""Likelihoods and expectations per group equal those of the dense normal distribution of its rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import tasks.stats.bayes.group_likelihood
from tasks.stats.bayes.group_likelihood import ParameterDraws, expected_effects, group_log_lik, parameter_draws
from tests import datasets
from tests.datasets import model_of, simulated
from tests.dense import dense
from tests.posteriors import sampled


def some_draws(p: int, q: int, seed: int = 4, count: int = 5) -> ParameterDraws:
    rng = np.random.default_rng(seed)
    factor = np.tril(rng.normal(size=(count, q, q))) + 2 * np.eye(q)
    factor[-1, -1] = 0.0  # singular: no variance in the last direction
    return ParameterDraws(rng.normal(size=(count, p)), factor, rng.uniform(0.5, 2, count))


@pytest.mark.parametrize(
    ("name", "varying"),
    [("dyestuff2", (0,)), ("one_single", (0, 1)), ("one_single", (1,)), ("cake", (0, 1, 2)), ("cbpp", (0, 2))],
)
def test_group_likelihood_is_the_dense_normal_density(name: str, varying: tuple[int, ...]) -> None:
    data = getattr(datasets, name)()
    products, scaling = model_of(data)
    at = some_draws(products.p, len(varying))
    found = group_log_lik(products.gram, varying, at)
    for s in range(len(at.sigma)):
        cov = at.factor[s] @ at.factor[s].T
        whole = dense(data, scaling, varying, cov, at.sigma[s])
        for j in (0, 3, len(data.labels) - 1):
            rows = data.group_index == j
            expected = multivariate_normal(whole.x[rows] @ at.beta[s], whole.v[np.ix_(rows, rows)])
            assert found[s, j] == pytest.approx(expected.logpdf(whole.y[rows]), rel=1e-9)


def test_expected_effects_are_the_weighted_conditional_means() -> None:
    data, varying = datasets.one_single(), (0, 1)
    products, scaling = model_of(data)
    at, weights = some_draws(2, 2), np.array([0.1, 0.4, 0.2, 0.25, 0.05])
    expected = np.zeros((data.n_groups, 2))
    for s, weight in enumerate(weights):
        whole = dense(data, scaling, varying, at.factor[s] @ at.factor[s].T, at.sigma[s])
        gain = whole.group_cov @ whole.z.T @ np.linalg.inv(whole.v)
        expected += weight * (gain @ (whole.y - whole.x @ at.beta[s])).reshape(-1, 2)
    np.testing.assert_allclose(expected_effects(products.gram, varying, at, weights), expected, rtol=1e-9)


def test_groups_with_residual_sds_of_their_own_are_those_of_a_fit_with_that_sd() -> None:
    data, varying = datasets.one_single(), (0, 1)
    products, _ = model_of(data)
    at, weights = some_draws(2, 2), np.array([0.1, 0.4, 0.2, 0.25, 0.05])
    own = np.random.default_rng(3).uniform(0.5, 2.0, (5, data.n_groups))
    apart = replace(at, sigma=own)
    found, effects = (
        group_log_lik(products.gram, varying, apart),
        expected_effects(products.gram, varying, apart, weights),
    )
    for j in range(data.n_groups):
        alone = replace(at, sigma=own[:, j])
        np.testing.assert_allclose(found[:, j], group_log_lik(products.gram, varying, alone)[:, j], rtol=1e-12)
        expected = expected_effects(products.gram, varying, alone, weights)[j]
        np.testing.assert_allclose(effects[j], expected, rtol=1e-10)


def test_a_group_without_rows_says_nothing() -> None:
    products, _ = model_of(simulated(1, [4, 5, 6]))
    gram = products.gram.copy()
    gram[1] = 0.0
    at = some_draws(2, 2)
    np.testing.assert_allclose(group_log_lik(gram, (0, 1), at)[:, 1], 0.0, atol=1e-12)
    np.testing.assert_allclose(expected_effects(gram, (0, 1), at, np.full(5, 0.2))[1], 0.0)


def test_blocks_of_groups_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    products, _ = model_of(simulated(2, range(1, 30)))
    at, weights = some_draws(2, 2), np.full(5, 0.2)
    whole = group_log_lik(products.gram, (0, 1), at), expected_effects(products.gram, (0, 1), at, weights)
    monkeypatch.setattr(tasks.stats.bayes.group_likelihood, "BLOCK_VALUES", 60)
    np.testing.assert_allclose(group_log_lik(products.gram, (0, 1), at), whole[0])
    np.testing.assert_allclose(expected_effects(products.gram, (0, 1), at, weights), whole[1])


def test_draws_are_thinned_evenly_and_centred() -> None:
    have = sampled("dyestuff")
    every = parameter_draws(have.draws, have.products.outcome_center, 4000)
    some = parameter_draws(have.draws, have.products.outcome_center, 900)
    assert (len(every.sigma), len(some.sigma)) == (4000, 800)
    np.testing.assert_array_equal(some.sigma, every.sigma[::5])
    np.testing.assert_allclose(every.factor[:, 0, 0], have.draws.sigma_group.ravel())
    assert every.beta.mean() == pytest.approx(have.bayes.fixef.mean[0] - have.products.outcome_center)
