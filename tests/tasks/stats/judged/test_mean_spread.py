"""Scatter that grows with what is expected is found, by its logarithm cured, and seldom seen where there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import chi2

from tasks.stats.fits.mean_structure import Fitted, mean_structure, refit
from tasks.stats.judged.assumptions import expected_sd, fitted_and_residual
from tasks.stats.judged.mean_spread import Evenness, MeanSpread, judge_mean_spread, mean_spread
from tasks.stats.records import GroupedData, Scaling
from tests.datasets import model_of
from tests.worlds.simulate import Design, simulate

MULTIPLIED = Design(groups=20, rows=(15, 40), outcome="positive", shape=0.4)


def fitted(data: GroupedData) -> tuple[Fitted, Scaling]:
    products, scaling = model_of(data)
    return refit(mean_structure(products), tuple(range(products.p))), scaling


def found_in(data: GroupedData, *, is_skewed: bool = False) -> MeanSpread:
    return mean_spread(data, *fitted(data), is_skewed=is_skewed)


def test_errors_that_multiply_are_found_and_the_logarithm_cures_them() -> None:
    found = [found_in(simulate(MULTIPLIED, (8, seed)).data) for seed in range(20)]
    judged = [judge_mean_spread(one)[0] for one in found]
    assert sum(one.case == "logarithm" for one in judged) > 12
    assert {one.against for one in judged if one.status == "fail"} == {"every model"}
    assert all(one.value > 1.25 for one in judged if one.status == "fail")


@pytest.mark.parametrize("design", [Design(slope_sd=2.0), Design(groups=20, spread=0.7), Design(noise="t", shape=2.5)])
def test_false_alarms_are_rare_even_where_groups_scatter_unalike_or_far_out(design: Design) -> None:
    """At 1 %, and 1.25 times: 0.6 are expected of 60, 5 or more in one run of 2,500."""
    cases = [judge_mean_spread(found_in(simulate(design, (9, seed)).data))[0].case for seed in range(60)]
    assert sum(case != "even" for case in cases) < 5


def test_the_logarithms_model_is_that_of_a_logged_column() -> None:
    data = simulate(MULTIPLIED, (8, 0)).data
    found = found_in(data).logarithm
    assert found is not None
    fit, _ = fitted(replace(data, y=np.log(data.y)))
    np.testing.assert_allclose(found.fixef[1:], fit.at.fixef[1:], rtol=1e-4)
    np.testing.assert_allclose(found.se, fit.at.sigma * np.sqrt(np.diag(fit.at.unscaled_cov)), rtol=1e-3)


def test_the_statistic_is_glejsers_studentised_with_a_dummy_per_group() -> None:
    """statsmodels: sizes of residuals over their group's mean, on fitted values and dummies; N R² of the slope."""
    data = simulate(Design(rows=(8, 60)), (10, 3)).data
    fit, scaling = fitted(data)
    expected, residual = fitted_and_residual(data, fit, scaling)
    size = np.abs(residual / expected_sd(data, fit, scaling))
    dummies = np.eye(data.n_groups)[data.group_index]
    relative = size / (dummies @ (dummies.T @ size / dummies.sum(axis=0)))
    peer = sm.OLS(relative, np.column_stack([expected, dummies])).fit()
    nothing = sm.OLS(relative, dummies).fit()
    statistic = data.n_rows * (1.0 - peer.ssr / nothing.ssr)
    assert found_in(data).evenness.p_value == pytest.approx(chi2.sf(statistic, 1), rel=1e-6)
    away = expected - dummies @ (dummies.T @ expected / dummies.sum(axis=0))
    low, high = 1.0 + peer.params[0] * np.quantile(away, [0.1, 0.9])
    assert found_in(data).evenness.growth == pytest.approx(high / low, rel=1e-6)


def test_where_rows_are_skewed_upwards_weaker_signs_count() -> None:
    growing, shrinking = Evenness(0.03, 1.4, 0.05), Evenness(0.03, 0.7)
    assert (growing.is_lacking, shrinking.is_lacking) == (True, False)
    designs = [simulate(Design(slope_sd=2.0), (9, seed)).data for seed in range(6)]
    limits = [(found_in(data, is_skewed=True).evenness, found_in(data).evenness) for data in designs]
    assert {(skewed.limit, plain.limit) for skewed, plain in limits if plain.growth > 1} == {(0.05, 0.01)}
    assert {(skewed.limit, plain.limit) for skewed, plain in limits if plain.growth < 1} == {(0.01, 0.01)}


def test_an_outcome_that_is_not_positive_has_no_logarithm() -> None:
    cases = (simulate(MULTIPLIED, (8, seed)).data for seed in range(20))
    data = next(data for data in cases if found_in(data).is_cured)
    found = found_in(replace(data, y=data.y - data.y.min()))
    assert found.evenness.is_lacking
    assert found.logarithm is None
    assert judge_mean_spread(found)[0].case == "uneven"


def test_without_a_predictor_nothing_differs_within_groups() -> None:
    found = found_in(simulate(Design(predictors=0), (8, 1)).data)
    assert np.isnan(found.evenness.p_value)
    assert judge_mean_spread(found)[0].case == "even"
