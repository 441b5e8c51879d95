"""What is reported of the posterior, and how it stands beside REML."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.stats.bayes.bayes_fit import variance_components
from tasks.stats.bayes.stan_data import design_matrix
from tests.posteriors import sampled


@pytest.mark.parametrize("name", ["sleepstudy", "bounce_rates", "dyestuff2"])
def test_summaries_are_of_the_draws(name: str) -> None:
    have = sampled(name)
    for summary, draws in (
        (have.bayes.fixef, have.draws.beta),
        (have.bayes.sigma_group, have.draws.sigma_group),
        (have.bayes.sigma, have.draws.sigma),
        (have.bayes.groups, have.draws.group_coef),
    ):
        flat = draws.reshape(-1, *draws.shape[2:])
        np.testing.assert_allclose(summary.mean, flat.mean(axis=0))
        np.testing.assert_allclose(summary.sd, flat.std(axis=0, ddof=1))
        np.testing.assert_allclose(summary.lower, np.quantile(flat, 0.025, axis=0))
        np.testing.assert_allclose(summary.upper, np.quantile(flat, 0.975, axis=0))
    assert have.bayes.diagnostics == have.attempts[-1].diagnostics


@pytest.mark.parametrize("name", ["sleepstudy", "bounce_rates", "dyestuff2"])
def test_error_is_that_of_the_posterior_mean_on_the_rows(name: str) -> None:
    have = sampled(name)
    x = design_matrix(have.data, have.scaling)
    residual = have.data.y - (x * have.bayes.groups.mean[have.data.group_index]).sum(axis=1)
    assert have.bayes.rmse == pytest.approx(np.sqrt(np.mean(residual**2)), rel=1e-8)


def test_on_a_regular_fit_bayes_and_reml_agree() -> None:
    """Within a fraction of a posterior SD; variance parameters differ by their skewness."""
    have = sampled("sleepstudy")
    fit = have.fullest
    np.testing.assert_array_less(np.abs(have.bayes.fixef.mean - fit.fixef), 0.15 * have.bayes.fixef.sd)
    np.testing.assert_array_less(np.abs(have.bayes.groups.mean - fit.coef), 0.4 * have.bayes.groups.sd)
    np.testing.assert_allclose(have.bayes.groups.sd, fit.coef_se, rtol=0.15)
    assert have.bayes.sigma.lower < fit.sigma < have.bayes.sigma.upper
    assert ((have.bayes.sigma_group.lower < fit.sigma_group) & (fit.sigma_group < have.bayes.sigma_group.upper)).all()


def test_on_a_singular_fit_bayes_keeps_the_variance_open() -> None:
    have = sampled("dyestuff2")
    assert have.fullest.sigma_group[0] == 0.0
    assert have.bayes.sigma_group.lower[0] < 0.2 < 1.0 < have.bayes.sigma_group.upper[0]
    assert (have.bayes.groups.sd[:, 0] > 2 * have.fullest.conditional_sd[:, 0]).all()


def test_variance_components_stand_side_by_side() -> None:
    have = sampled("sleepstudy")
    made = variance_components(have.fullest, have.bayes, have.data.terms)
    assert made.names == ("intercept", "Days", "residual")
    np.testing.assert_allclose(made.reml_sd, [*have.fullest.sigma_group, have.fullest.sigma])
    np.testing.assert_allclose(made.bayes_sd.mean, [*have.bayes.sigma_group.mean, have.bayes.sigma.mean])
    np.testing.assert_allclose(made.bayes_sd.upper, [*have.bayes.sigma_group.upper, have.bayes.sigma.upper])
    between = have.fullest.cov[0, 0]
    assert made.icc_reml == pytest.approx(between / (between + have.fullest.sigma**2))
    assert made.icc_bayes.lower < made.icc_reml < made.icc_bayes.upper
