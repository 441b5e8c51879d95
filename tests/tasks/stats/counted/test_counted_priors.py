"""Priors of counted outcomes: the study's own keep their meaning, added terms have the default per SD."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tasks.stats.counted.priors import CountedPriors, default_priors, log_prior_of, overall_link, resolve_counted_priors
from tasks.study.settings import NormalPrior, Priors
from tests.counted_models import simulated_model, with_size


def test_the_studys_own_priors_replace_the_defaults_term_by_term() -> None:
    model = simulated_model("poisson", 1, [4] * 20, (-1.0, 0.3, 0.2), (0.5, 0.3))
    given = Priors(
        intercept=NormalPrior(mean=-2.0, sd=0.3),
        slopes={"x2": NormalPrior(mean=0.5, sd=0.1)},
        sigma_group_sd={"x1": 0.2},
        correlation_lkj=5.0,
    )
    found, default = resolve_counted_priors(given, model), default_priors(model)
    np.testing.assert_allclose(found.beta_mean, [-2.0, 0.0, 0.5])
    np.testing.assert_allclose(found.beta_sd, [0.3, 1.0, 0.1])
    np.testing.assert_allclose(found.sigma_group_sd, [1.0, 0.2])
    assert found.lkj == 5.0
    np.testing.assert_allclose(default.beta_mean, [overall_link(model.cells), 0.0, 0.0])
    np.testing.assert_allclose(default.beta_sd, [1.5, 1.0, 1.0])
    np.testing.assert_allclose(default.sigma_group_sd, [1.0, 1.0])
    assert default.lkj == 2.0


def test_an_added_column_has_a_prior_per_sd() -> None:
    model = with_size("binomial", 2, 40)
    column = model.cells.x[:, -1]  # a row a group
    assert default_priors(model).beta_sd[-1] == pytest.approx(1.0 / column.std(), rel=1e-9)
    assert default_priors(model).beta_sd[1] == 1.0


def test_the_log_prior_is_that_of_the_distributions_up_to_a_constant() -> None:
    priors = CountedPriors(np.array([-1.0, 0.2]), np.array([1.5, 0.4]), np.array([1.0, 0.3]), 2.0)
    rng = np.random.default_rng(1)
    beta, sd, rho = rng.standard_normal((5, 2)), rng.uniform(0.1, 2, (5, 2)), rng.uniform(-0.9, 0.9, 5)
    correlation = np.array([[[1.0, r], [r, 1.0]] for r in rho])
    found = log_prior_of(beta, sd, correlation, priors)
    expected = (
        stats.norm.logpdf(beta, priors.beta_mean, priors.beta_sd).sum(axis=1)
        + stats.halfnorm.logpdf(sd, 0, priors.sigma_group_sd).sum(axis=1)
        + stats.beta.logpdf((1 + rho) / 2, 2, 2)  # LKJ(2) of two effects
    )
    np.testing.assert_allclose(found - found[0], expected - expected[0])
