"""Predictors that go together: how closely, what each says alone, and how the report speaks of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.fits.cross_products import centre_scaled, cross_products, scaling_of
from tasks.stats.fits.partial_pooling import partial_pooling
from tasks.stats.rows.collinearity import collinearity, hopeless_relation, judge_collinearity
from tasks.stats.rows.data_findings import DataFindings
from tasks.study.model import Study
from tests.datasets import grouped, model_of, simulated
from tests.said import of_rows


def together(own: float, n: int = 240):
    """x2 is 1.8 x1 but for a share `own` of its SD."""
    rng = np.random.default_rng(4)
    group, x = np.repeat(np.arange(12), n // 12), rng.normal(size=n)
    z = 1.8 * (x + own * rng.normal(size=n))
    y = rng.normal(size=12)[group] + 1.5 * x + rng.normal(size=n)
    return grouped(y, [f"g{j:02d}" for j in group], np.column_stack([x, z]))


def test_unrelated_predictors_can_be_told_apart() -> None:
    assert collinearity(model_of(simulated(1, [20] * 8, beta=(1.0, 2.0, 3.0)))[0]) is None
    assert collinearity(model_of(simulated(1, [20] * 8))[0]) is None


@pytest.mark.parametrize(("own", "is_close"), [(0.25, False), (0.01, True)])
def test_variance_inflation_is_that_of_the_regression(own: float, is_close: bool) -> None:
    data = together(own)
    found = collinearity(model_of(data)[0])
    assert found is not None
    assert found.columns == (1, 2)
    assert found.correlation == pytest.approx(np.corrcoef(data.x.T)[0, 1])
    assert found.vif == pytest.approx(1 / (1 - found.correlation**2), rel=1e-6)
    r = found.correlation
    assert found.condition_number == pytest.approx(np.sqrt((1 + r) / (1 - r)), rel=1e-6)
    assert found.is_close is is_close


def test_alone_is_the_model_without_the_others() -> None:
    data = together(0.01)
    found = collinearity(model_of(data)[0])
    assert found is not None
    for k, value, se in zip(found.columns, found.alone, found.alone_se, strict=True):
        only = replace(data, x=data.x[:, [k - 1]], terms=("intercept", data.terms[k]))
        products, scaling = model_of(only)
        fit = partial_pooling(products, scaling, "varying_intercept", (0,))
        assert (value, se) == pytest.approx((fit.fixef[1], fit.se[1]), rel=1e-6)


@pytest.mark.parametrize("sign", [1, -1])
def test_jointly_is_the_slope_of_a_predictor_that_is_their_sum(sign: int) -> None:
    """Beside one of the two alone, as the model is the same: the sum's slope is both moving, the other one held."""
    data = together(0.01)
    data = replace(data, x=data.x * np.array([1.0, sign]))
    products, scaling = model_of(data)
    found = collinearity(products)
    assert found is not None
    assert found.joint_signs == (1, sign)
    fit = partial_pooling(products, scaling, "varying_intercept", (0,))
    move = np.array([0.0, 1.0, sign])
    se = np.sqrt(move @ fit.fixef_cov @ move)
    assert (found.joint, found.joint_se) == pytest.approx((move @ fit.fixef, se), rel=1e-6)
    assert found.joint_se < 0.05 * np.sqrt(fit.fixef_cov[1, 1])


def test_a_third_predictor_has_no_part_in_it() -> None:
    data = together(0.01)
    rng = np.random.default_rng(1)
    more = grouped(data.y, [data.labels[j] for j in data.group_index], np.column_stack([rng.normal(size=240), data.x]))
    found = collinearity(model_of(more)[0])
    assert found is not None
    assert found.columns == (2, 3)


@pytest.mark.parametrize(("own", "is_hopeless"), [(1e-2, False), (1e-3, False), (1e-5, True), (0.0, True)])
def test_what_is_hopeless(own: float, is_hopeless: bool) -> None:
    found = hopeless_relation(*model_of(together(own)))
    assert (found is not None) is is_hopeless
    if found:
        assert (found.term, found.others) == ("x2", ("x1",))
        assert found.slopes == pytest.approx([1.8], rel=1e-4)
        assert found.constant == pytest.approx(0.0, abs=1e-4)


def test_the_check_names_them_and_each_effect_alone() -> None:
    products, scaling = model_of(together(0.01))
    close = collinearity(products)
    assert close is not None
    scaling = replace(scaling, scale=np.array([2.0, 4.0]))
    close = replace(close, alone=np.array([3.0, 8.0]), alone_se=np.array([0.1, 0.2]), joint=3.14, joint_se=0.1)
    (judged,) = judge_collinearity(close, scaling)
    assert (judged.status, judged.case) == ("review", "close")
    study = Study(name="s", title="t", outcome="y", outcome_unit="s", group="g", predictors=("x1", "x2"))
    check = of_rows(study, DataFindings(400, 0, scaling=scaling, collinearity=close), judged)
    assert "x1 and x2 go together so closely that their effects cannot be told apart" in check.message
    assert "When x1 and x2 rise together, by one SD each, the outcome changes by 3.14" in check.message
    assert "(95 % interval 2.94 to 3.34)" in check.message
    falling = of_rows(
        study, DataFindings(400, 0, scaling=scaling, collinearity=replace(close, joint_signs=(1, -1))), judged
    )
    assert "When x1 rises and x2 falls together" in falling.message
    assert "in s per unit: x1 1.5 (standard error 0.05) and x2 2 (standard error 0.05)" in check.message
    assert "leave one of them out" in check.advice
    (fine,) = judge_collinearity(None, scaling)
    assert fine.status == "pass"
    assert judge_collinearity(None, model_of(simulated(1, [20] * 8))[1]) == ()


def test_levels_of_one_category_do_not_go_together_however_rare_their_reference() -> None:
    rng = np.random.default_rng(5)
    level = np.concatenate([np.zeros(4), np.repeat([1, 2, 3], 400)])
    rng.shuffle(level)
    x = np.column_stack([level == 1, level == 2, level == 3, rng.normal(size=level.size)]).astype(float)
    data = grouped(rng.normal(size=level.size), [f"g{i % 9}" for i in range(level.size)], x)
    sums = cross_products(data)
    as_numbers = centre_scaled(sums, scaling_of(sums))
    assert collinearity(as_numbers) is not None
    sums = replace(sums, categories=((1, 2, 3),))
    assert collinearity(centre_scaled(sums, scaling_of(sums))) is None
    nearly = np.where(np.arange(level.size) < 2, 0, level == 2)
    repeated = grouped(data.y, [data.labels[j] for j in data.group_index], np.column_stack([x, nearly]))
    sums = replace(cross_products(repeated), categories=((1, 2, 3), (5,)))
    found = collinearity(centre_scaled(sums, scaling_of(sums)))
    assert found is not None
    assert {2, 5} <= set(found.columns)
