"""The sampler's units: near the posterior, and so the same few steps however far apart scales lie."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.engines.engines import MARGINAL, EmbeddedEngine
from tasks.engines.sample import sample_posterior
from tasks.stats.bayes.parameter_units import parameter_units
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.stan_data import marginal_data
from tests.datasets import dyestuff2, grouped, model_of, sleepstudy
from tests.posteriors import sampled, study_of


def far_apart(ratio: float):
    rng = np.random.default_rng(1)
    group, x = np.repeat(np.arange(10), 8), rng.normal(size=80)
    y = ratio * rng.normal(size=10)[group] + x + rng.normal(size=80)
    return grouped(y, [f"g{j}" for j in group], x[:, None])


def test_the_posterior_lies_within_a_few_units() -> None:
    have = sampled("sleepstudy")
    units = parameter_units(have.products, have.varying, resolve_priors(have.study, have.scaling))
    beta = have.draws.beta.reshape(-1, 2) - have.products.outcome_center * np.eye(2)[0]
    in_units = np.linalg.solve(units.beta_factor, (beta - units.beta_center).T)
    assert np.abs(in_units.mean(axis=1)).max() < 0.5
    np.testing.assert_allclose(np.cov(in_units), np.eye(2), atol=0.5)
    np.testing.assert_allclose(have.draws.sigma_group.mean(axis=(0, 1)) / units.sigma_group, 1.0, atol=0.5)
    assert have.draws.sigma.mean() / units.sigma == pytest.approx(1.0, abs=0.1)


def test_no_group_sd_is_nought_in_a_singular_fit() -> None:
    products, scaling = model_of(dyestuff2())
    units = parameter_units(products, (0,), resolve_priors(study_of(dyestuff2()), scaling))
    assert 0 < units.sigma_group[0] < units.sigma


def test_a_prior_that_says_more_than_the_data_decides_the_units() -> None:
    data = sleepstudy()
    products, scaling = model_of(data)
    study = study_of(data, priors={"slopes": {"Days": {"mean": 7.0, "sd": 0.01}}, "sigma_group_sd": {"Days": 0.1}})
    units = parameter_units(products, (0, 1), resolve_priors(study, scaling))
    assert units.beta_center[1] == pytest.approx(7.0, abs=0.1)
    assert np.linalg.norm(units.beta_factor[1]) == pytest.approx(0.01, rel=0.01)
    assert units.sigma_group[1] == 0.1


@pytest.mark.parametrize("ratio", [1.0, 1e3, 1e6])
def test_groups_far_apart_take_no_more_steps(ratio: float) -> None:
    data = far_apart(ratio)
    products, scaling = model_of(data)
    draws, attempts = sample_posterior(EmbeddedEngine(), study_of(data), products, scaling, 5, lambda _: None)
    assert len(attempts) == 1
    assert draws.n_leapfrog.mean() < 20
    assert draws.sigma.mean() == pytest.approx(0.99, abs=0.1)
    assert draws.sigma_group[..., 0].mean() / ratio == pytest.approx(0.93, abs=0.2)


def test_predictors_that_go_together_take_no_more_steps() -> None:
    rng = np.random.default_rng(1)
    group, x = np.repeat(np.arange(10), 16), rng.normal(size=160)
    z = 1.8 * x + 1e-3 * rng.normal(size=160)
    y = rng.normal(size=10)[group] + x + rng.normal(size=160)
    data = grouped(y, [f"g{j}" for j in group], np.column_stack([x, z]))
    products, scaling = model_of(data)
    study = study_of(data, varying=())
    inputs = marginal_data(products, (0,), resolve_priors(study, scaling), scaling)
    made = EmbeddedEngine().sample(MARGINAL, inputs, study.sampler, 5, lambda _: None)
    assert made["n_leapfrog__"].mean() < 20
