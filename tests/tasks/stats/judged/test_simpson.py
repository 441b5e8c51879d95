"""The within-group slope is the fixed-effects estimator's, the between-group one comes from the group means."""

from __future__ import annotations

import warnings
from dataclasses import replace

import mixedlm
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.fits.mean_structure import Added
from tasks.stats.fits.pooling import complete_pooling
from tasks.stats.judged.implied_coverage import ImpliedCoverage
from tasks.stats.judged.missing_terms import MissingTerm
from tasks.stats.judged.simpson import simpson_checks
from tasks.stats.records import GroupedData, SimpsonCheck
from tests.datasets import bounce_rates, grouped, model_of, simulated, sleepstudy

NOTHING = ImpliedCoverage(np.array([0.95, 0.95]), 0.95)


def checks_of(data: GroupedData) -> tuple[SimpsonCheck, ...]:
    products = model_of(data)[0]
    return simpson_checks(products, complete_pooling(products))


def reversed_data() -> GroupedData:
    """Within groups y falls by 1 per x; groups of larger x have the larger y."""
    rng = np.random.default_rng(1)
    index = np.repeat(np.arange(8), 15)
    x = 3.0 * index + rng.standard_normal(index.size)
    return grouped(10.0 + 4.0 * index - 1.0 * (x - 3.0 * index) + 0.5 * rng.standard_normal(index.size), index, x)


@pytest.mark.parametrize("data", [bounce_rates, reversed_data, lambda: simulated(3, [3, 8, 5, 9, 6], beta=(1, 2, 3))])
def test_within_slope_is_that_of_least_squares_with_a_dummy_per_group(data) -> None:
    """Exactly, slope and standard error's residual SD apart: group means take up all between-group variation."""
    rows = data()
    x = design_matrix(rows, model_of(rows)[1])[:, 1:]
    dummies = np.eye(rows.n_groups)[rows.group_index]
    peer = sm.OLS(rows.y, np.column_stack([dummies, x])).fit()
    for check, slope, se in zip(checks_of(rows), peer.params[-x.shape[1] :], peer.bse[-x.shape[1] :], strict=True):
        assert check.within == pytest.approx(slope, rel=1e-6)
        assert check.within_se == pytest.approx(se, rel=0.02)


def with_means(data: GroupedData) -> tuple[np.ndarray, np.ndarray]:
    x = design_matrix(data, model_of(data)[1])
    means = np.array([x[data.group_index == j, 1:].mean(axis=0) for j in range(data.n_groups)])
    return x, means[data.group_index]


@pytest.mark.parametrize("data", [bounce_rates, reversed_data])
def test_contextual_effect_is_the_coefficient_of_the_group_means(data) -> None:
    """mixedlm 1.3 and statsmodels 0.15 on rows with the group mean as a second predictor."""
    rows = data()
    check = checks_of(rows)[0]
    x, means = with_means(rows)
    frame = pd.DataFrame({"y": rows.y, "x": x[:, 1], "mean": means[:, 0], "g": rows.group_index.astype(str)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = mixedlm.lmer("y ~ x + mean + (1 | g)", frame)
        other = sm.MixedLM(rows.y, np.column_stack([x, means]), groups=rows.group_index).fit(method="powell")
    cov = np.asarray(peer.vcov())
    assert check.contextual == pytest.approx(peer.beta[2], rel=1e-5)
    assert check.contextual == pytest.approx(other.fe_params[2], rel=1e-3)
    assert check.between - check.within == pytest.approx(check.contextual, rel=1e-12)
    assert check.within_se == pytest.approx(np.sqrt(cov[1, 1]), rel=1e-5)
    assert check.between_se == pytest.approx(np.sqrt(cov[1, 1] + cov[2, 2] + 2 * cov[1, 2]), rel=1e-5)
    # The interval is a t interval on J - 2 degrees of freedom: 2.447 at 8 groups.
    assert rows.n_groups == 8
    half = 2.4469119 * np.sqrt(cov[2, 2])
    assert (check.contextual_upper - check.contextual_lower) / 2 == pytest.approx(half, rel=1e-5)
    assert (check.contextual_upper + check.contextual_lower) / 2 == pytest.approx(check.contextual, rel=1e-9)


def test_a_blend_whose_contextual_effect_may_be_nothing_misleads_nobody() -> None:
    """Bounce rates: 4.7 over all rows, 1.2 within, both clearly above 0; what is between counties is uncertain."""
    check = checks_of(bounce_rates())[0]
    assert check.complete == pytest.approx(4.7, abs=0.5)
    assert check.within == pytest.approx(1.3, abs=0.5)
    assert check.contextual_lower < 0 < check.contextual_upper
    assert (check.is_blend, check.is_misleading, check.is_reversed) == (True, False, False)
    assert check.complete == complete_pooling(model_of(bounce_rates())[0]).coef[1]


def world(within: float, between: float, n_groups: int = 25) -> GroupedData:
    """Group means of the predictor lie 2 SDs apart; slopes are exact but for a little noise."""
    rng = np.random.default_rng(3)
    index, place = np.repeat(np.arange(n_groups), 12), 2.0 * rng.standard_normal(n_groups)
    away = rng.standard_normal(index.size)
    noise = 0.5 * rng.standard_normal(index.size) + 0.5 * rng.standard_normal(n_groups)[index]
    return grouped(between * place[index] + within * away + noise, index, place[index] + away)


@pytest.mark.parametrize(
    ("within", "between", "found"),
    [
        (1.0, 1.0, (False, False, False)),
        (1.0, 4.0, (True, False, False)),  # a certain contextual effect, but the sign and the conclusion stay
        (0.0, 4.0, (True, True, False)),  # nothing within, a slope over all rows
        (-1.0, 4.0, (True, True, True)),
        (-1.0, 0.25, (True, True, False)),  # a slope within that all rows hide
    ],
)
def test_only_another_conclusion_misleads(within: float, between: float, found: tuple[bool, bool, bool]) -> None:
    check = checks_of(world(within, between))[0]
    assert (check.is_blend, check.is_misleading, check.is_reversed) == found
    contextual_is_sure = not check.contextual_lower < 0 < check.contextual_upper
    assert contextual_is_sure == (within != between)


@pytest.mark.parametrize("data", [bounce_rates, reversed_data, lambda: world(0.0, 4.0)])
def test_standard_errors_of_complete_pooling_are_clustered_as_by_statsmodels(data) -> None:
    """statsmodels 0.15, `cov_type="cluster"` with its correction for few groups."""
    rows = data()
    (products, scaling), fit = model_of(rows), complete_pooling(model_of(rows)[0])
    model = sm.OLS(rows.y, design_matrix(rows, scaling))
    peer = model.fit(cov_type="cluster", cov_kwds={"groups": rows.group_index})
    np.testing.assert_allclose(fit.robust_se, peer.bse, rtol=1e-8)
    assert checks_of(rows)[0].complete_robust_se == fit.robust_se[1]
    assert products.n_rows == peer.nobs


def test_a_reversed_slope_is_called_reversed() -> None:
    check = checks_of(reversed_data())[0]
    assert check.within < 0 < check.complete
    assert check.between > 0
    assert check.contextual_lower > 0
    assert (check.is_misleading, check.is_reversed) == (True, True)


def test_a_predictor_balanced_over_groups_has_no_slope_between_them() -> None:
    check = checks_of(sleepstudy())[0]
    assert check.within == pytest.approx(check.complete, rel=1e-9)
    assert np.isnan([check.between, check.contextual, check.contextual_lower]).all()
    assert (check.is_misleading, check.is_reversed) == (False, False)


def test_a_predictor_constant_in_each_group_has_no_slope_within() -> None:
    data = simulated(8, [6] * 10)
    data = replace(data, x=np.repeat(np.linspace(-2, 3, 10) ** 2, 6)[:, None])
    check = checks_of(data)[0]
    assert np.isnan([check.within, check.within_se, check.between]).all()
    assert not check.is_misleading


def test_two_groups_are_too_few_for_a_slope_between_them() -> None:
    check = checks_of(simulated(5, [10, 12]))[0]
    assert np.isfinite([check.within, check.complete]).all()
    assert np.isnan(check.between)


def test_of_two_groups_a_reversed_slope_is_seen_from_the_two_slopes_alone() -> None:
    rng = np.random.default_rng(2)
    index = np.repeat([0, 1], 40)
    x = 10.0 * index + rng.standard_normal(80)
    check = checks_of(grouped(30.0 * index - (x - 10.0 * index) + 0.5 * rng.standard_normal(80), index, x))[0]
    assert np.isnan(check.contextual)
    assert (check.is_misleading, check.is_reversed) == (True, True)


def far_apart(seed: int) -> GroupedData:
    """Groups lie a million residual SDs apart, and the two predictors are nearly one."""
    rng, index = np.random.default_rng(seed), np.repeat(np.arange(12), 5)
    x = rng.standard_normal((60, 1))
    x = np.column_stack([x, x + 3e-4 * rng.standard_normal((60, 1))])
    return grouped(1e6 * rng.standard_normal(12)[index] + x[:, 0] + rng.standard_normal(60), index, x)


@pytest.mark.parametrize("seed", [10, 17, 32, 50])
def test_a_contextual_effect_whose_margin_is_lost_in_rounding_misleads_nobody(seed: int) -> None:
    checks = checks_of(far_apart(seed))
    assert np.isfinite([one.contextual for one in checks]).all()
    assert np.isnan([one.contextual_lower for one in checks]).all()
    assert not any(one.is_misleading for one in checks)


@pytest.mark.parametrize("seed", [28, 34])
def test_trials_that_rounding_makes_singular_end_no_search(seed: int) -> None:
    assert len(checks_of(far_apart(seed))) == 2


def test_a_contextual_effect_that_was_tested_elsewhere_is_that_one() -> None:
    data = bounce_rates()
    products, _ = model_of(data)
    added = MissingTerm(Added("context", 1), 5.0, 1.0, 6.0, 0.002, 0.0, NOTHING, 0.0, 0.0, 1.0)
    check = simpson_checks(products, complete_pooling(products), (added,))[0]
    assert (check.contextual, check.between - check.within) == pytest.approx((5.0, 5.0))
    assert check.contextual_upper - check.contextual == pytest.approx(2.4469119)  # t with 6 degrees of freedom


def test_group_means_that_repeat_each_other_give_no_slope_between() -> None:
    """Two predictors that differ within groups, by the same amount from group to group."""
    rng = np.random.default_rng(4)
    data = simulated(9, [6] * 10)
    place = np.repeat(rng.standard_normal(10), 6)
    balanced = np.array([rng.permutation([-2.0, -1.0, 0.0, 0.0, 1.0, 2.0]) for _ in range(20)]).reshape(2, 60)
    twins = replace(data, x=(balanced + place).T, terms=("intercept", "x1", "x2"))
    for check in checks_of(twins):
        assert np.isfinite([check.within, check.within_se]).all()
        assert np.isnan([check.between, check.contextual]).all()


def test_predictors_collinear_within_groups_do_not_stop_the_check() -> None:
    data = simulated(9, [6] * 10)
    second = data.x[:, 0] + np.repeat(np.random.default_rng(1).standard_normal(10), 6)
    collinear = replace(data, x=np.column_stack([data.x, second]), terms=("intercept", "x1", "x2"))
    assert [np.isfinite(check.complete) for check in checks_of(collinear)] == [True, True]


def test_no_predictor_no_check() -> None:
    assert checks_of(grouped([1.0, 2.0, 4.0, 3.0], ["a", "a", "b", "b"])) == ()


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_units_of_the_predictor_do_not_matter(shift: float) -> None:
    data = reversed_data()
    moved = replace(data, x=7.0 * data.x + shift)
    a, b = checks_of(data)[0], checks_of(moved)[0]
    assert (b.within, b.between, b.complete) == pytest.approx((a.within, a.between, a.complete), rel=1e-5)
