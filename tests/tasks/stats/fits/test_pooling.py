"""Complete and no pooling are ordinary least squares, and say where they cannot be."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.fits.pooling import complete_pooling, has_full_rank, no_pooling
from tasks.stats.records import GroupedData
from tasks.view.words.gaps import gaps_in_words
from tests.datasets import bounce_rates, cake, dyestuff, grouped, model_of, simulated, sleepstudy


@pytest.mark.parametrize("data", [sleepstudy, bounce_rates, cake, dyestuff])
def test_complete_pooling_is_statsmodels_ols(data) -> None:
    rows = data()
    products, scaling = model_of(rows)
    ours, peer = complete_pooling(products), sm.OLS(rows.y, design_matrix(rows, scaling)).fit()
    np.testing.assert_allclose(ours.coef, peer.params, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ours.se, peer.bse, rtol=1e-8)
    np.testing.assert_allclose(np.column_stack([ours.lower, ours.upper]), peer.conf_int(), rtol=1e-8, atol=1e-8)
    assert ours.sigma == pytest.approx(np.sqrt(peer.scale), rel=1e-9)
    assert ours.rmse == pytest.approx(np.sqrt(np.mean(peer.resid**2)), rel=1e-9)
    assert ours.df == peer.df_resid


@pytest.mark.parametrize("data", [sleepstudy, bounce_rates, dyestuff])
def test_no_pooling_is_statsmodels_ols_in_each_group(data) -> None:
    rows = data()
    products, scaling = model_of(rows)
    ours = no_pooling(products)
    x, squares = design_matrix(rows, scaling), 0.0
    for j in range(rows.n_groups):
        mine = rows.group_index == j
        peer = sm.OLS(rows.y[mine], x[mine]).fit()
        np.testing.assert_allclose(ours.coef[j], peer.params, rtol=1e-8)
        np.testing.assert_allclose(ours.se[j], peer.bse, rtol=1e-7)
        np.testing.assert_allclose(
            np.column_stack([ours.lower[j], ours.upper[j]]), peer.conf_int(), rtol=1e-6, atol=1e-7
        )
        assert ours.sigma[j] == pytest.approx(np.sqrt(peer.scale), rel=1e-7)
        squares += peer.ssr
    assert ours.gap == ("",) * rows.n_groups
    assert ours.is_fitted.all()
    assert ours.rmse == pytest.approx(np.sqrt(squares / rows.n_rows), rel=1e-8)


def with_gaps() -> GroupedData:
    """Groups of 1, 2 and 5 rows, and one of 4 rows in which the predictor stands still."""
    data = simulated(5, [1, 2, 5, 4])
    x = data.x.copy()
    x[data.group_index == 3] = 0.7
    return grouped(data.y, [data.labels[j] for j in data.group_index], x)


def test_a_group_that_cannot_carry_a_fit_is_a_gap_with_its_reason() -> None:
    ours = no_pooling(model_of(with_gaps())[0])
    np.testing.assert_array_equal(ours.is_fitted, [False, True, True, False])
    assert ours.gap == ("few rows", "no interval", "", "no spread")
    assert gaps_in_words(ours) == [
        "1 row cannot carry 2 coefficients",
        "2 rows for 2 coefficients: an estimate, but no interval",
        "",
        "the predictors do not vary enough within this group",
    ]
    np.testing.assert_array_equal(np.isnan(ours.se).any(axis=1), [True, True, False, True])
    np.testing.assert_array_equal(np.isnan(ours.lower).any(axis=1), [True, True, False, True])
    np.testing.assert_array_equal(ours.n, [1, 2, 5, 4])


def test_as_many_rows_as_coefficients_are_met_exactly() -> None:
    data = with_gaps()
    products, scaling = model_of(data)
    ours = no_pooling(products)
    mine = data.group_index == 1
    np.testing.assert_allclose(design_matrix(data, scaling)[mine] @ ours.coef[1], data.y[mine], rtol=1e-10)


def test_error_of_no_pooling_counts_only_rows_of_fitted_groups() -> None:
    data = with_gaps()
    products, scaling = model_of(data)
    ours = no_pooling(products)
    fitted = np.isin(data.group_index, [1, 2])
    residual = data.y - (design_matrix(data, scaling) * ours.coef[data.group_index]).sum(axis=1)
    assert ours.rmse == pytest.approx(np.sqrt(np.mean(residual[fitted] ** 2)), rel=1e-9)


def test_no_group_at_all_can_carry_a_fit() -> None:
    ours = no_pooling(model_of(simulated(6, [1] * 8))[0])
    assert not ours.is_fitted.any()
    assert np.isnan(ours.rmse)


def test_no_residual_degrees_of_freedom_leaves_an_estimate_without_interval() -> None:
    ours = complete_pooling(model_of(grouped([1.0, 3.0], ["a", "b"], np.array([0.0, 1.0])))[0])
    assert ours.df == 0
    assert np.isfinite(ours.coef).all()
    assert np.isnan(ours.se).all()
    assert np.isnan(ours.sigma)


def test_rank_does_not_depend_on_units() -> None:
    x = np.column_stack([np.ones(6), np.arange(6.0)])
    flat = np.column_stack([np.ones(6), np.full(6, 3.0)])
    for unit in (1e-9, 1.0, 1e9):
        scale = np.diag([1.0, unit])
        assert has_full_rank((scale @ x.T @ x @ scale)[None]).tolist() == [True]
        assert has_full_rank((scale @ flat.T @ flat @ scale)[None]).tolist() == [False]
