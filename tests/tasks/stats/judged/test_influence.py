"""What a group's absence changes equals what fits without it say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

import tasks.stats.judged.influence
from tasks.stats.fits.partial_pooling import partial_pooling
from tasks.stats.judged.influence import Influence, beyond, influence, influential, judge_influence
from tasks.stats.records import PartialPooling
from tests.datasets import grouped, model_of, simulated
from tests.dense import dense
from tests.posteriors import Sampled, sampled


def without(have: Sampled, group: int) -> PartialPooling:
    rest = np.arange(len(have.products.labels)) != group
    labels = tuple(np.array(have.products.labels)[rest])
    fewer = replace(have.products, labels=labels, gram=have.products.gram[rest])
    return partial_pooling(fewer, have.scaling, have.fullest.flavour, have.varying)


@pytest.mark.parametrize("name", ["sleepstudy", "bounce_rates", "dyestuff2", "cbpp_intercepts"])
def test_influence_is_that_of_fits_without_each_group(name: str) -> None:
    """Regular and singular fits, by the whole search for the optimum from all its starts."""
    have = sampled(name)
    found = influence(have.products, have.fullest)
    assert found is not None
    assert found.is_refitted
    for j in range(len(have.products.labels)):
        fit = without(have, j)
        moved = have.fullest.fixef - fit.fixef
        np.testing.assert_allclose(found.dfbetas[j], moved / fit.se, atol=2e-3)
        distance = moved @ np.linalg.solve(have.fullest.fixef_cov, moved) / moved.size
        assert found.cooks_distance[j] == pytest.approx(distance, abs=2e-3)
    assert found.most == pytest.approx(np.abs(found.dfbetas).max())


def test_one_step_is_generalised_least_squares_of_the_other_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.stats.judged.influence, "REFITS_LIMIT", 0)
    have = sampled("sleepstudy")
    found = influence(have.products, have.fullest)
    assert found is not None
    assert not found.is_refitted
    for j in (0, 5, 17):
        rows = have.data.group_index != j
        some = replace(have.data, y=have.data.y[rows], x=have.data.x[rows], group_index=have.data.group_index[rows])
        rest = dense(some, have.scaling, have.varying, have.fullest.cov, have.fullest.sigma)
        fixef = rest.beta + np.array([have.scaling.outcome_center, 0.0])
        expected = (have.fullest.fixef - fixef) / np.sqrt(np.diag(rest.beta_cov))
        np.testing.assert_allclose(found.dfbetas[j], expected, atol=1e-6)


def test_one_step_is_close_to_refits_where_groups_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    products, scaling = model_of(simulated(8, [4, 5, 6] * 12))
    fit = partial_pooling(products, scaling, "varying_intercept_slope", (0, 1))
    refits = influence(products, fit)
    monkeypatch.setattr(tasks.stats.judged.influence, "REFITS_LIMIT", 0)
    step = influence(products, fit)
    assert refits is not None
    assert step is not None
    assert refits.is_refitted > step.is_refitted
    np.testing.assert_allclose(step.dfbetas, refits.dfbetas, atol=0.15)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1000), groups=st.integers(3, 7))
def test_relabelling_and_reordering_groups_changes_nothing(seed: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    products, scaling = model_of(simulated(seed, rng.integers(2, 9, groups).tolist()))
    fit = partial_pooling(products, scaling, "varying_intercept", (0,))
    order = rng.permutation(groups)
    moved = replace(products, labels=tuple(f"x{j}" for j in order), gram=products.gram[order])
    found, again = influence(products, fit), influence(moved, fit)
    assert found is not None
    assert again is not None
    np.testing.assert_allclose(again.dfbetas, found.dfbetas[order], atol=1e-5)


def test_an_outlying_group_is_named() -> None:
    """Ten groups alike, and an eleventh far off with a predictor of its own kind."""
    data = simulated(4, [10] * 11, sd=(0.5, 0.01))
    far = data.group_index == 10
    x = np.where(far[:, None], data.x + 6, data.x)
    data = grouped(np.where(far, data.y + 90, data.y), np.array(data.labels)[data.group_index], x)
    products, scaling = model_of(data)
    found = influence(products, partial_pooling(products, scaling, "varying_intercept", (0,)))
    assert found is not None
    assert beyond(found, 1.0)[0] == 10
    (judged,) = judge_influence(found, 1.0)
    assert judged.status == "review"
    assert data.labels[influential(found, 1.0)[0]] == "g00010"
    assert float(judged.value or 0) > float(judged.limit or 0) > 0


def test_chance_is_that_of_the_outlier_test_on_equally_known_groups() -> None:
    """Group means as independent values: statsmodels' deleted residuals, Bonferroni over the groups."""
    data = simulated(2, [8] * 9, beta=(10.0,), sd=(3.0,))
    products, scaling = model_of(data)
    found = influence(products, partial_pooling(products, scaling, "varying_intercept", (0,)))
    assert found is not None
    means = np.bincount(data.group_index, data.y) / 8
    peer = np.asarray(sm.OLS(means, np.ones(9)).fit().outlier_test())
    np.testing.assert_allclose(found.dfbetas[:, 0] * 3.0, peer[:, 0], atol=0.01)
    np.testing.assert_allclose(found.by_chance * 3.0, t.isf(0.01 / 2 / 9, 7), rtol=1e-6)
    assert np.minimum(2 * t.sf(np.abs(found.dfbetas[0, 0] * 3.0), 7) * 9, 1) == pytest.approx(peer[0, 2], rel=0.02)


@pytest.mark.parametrize("groups", [6, 8, 12])
def test_few_groups_alike_have_a_large_say_but_are_not_called_influential(groups: int) -> None:
    far = called = 0
    for seed in range(25):
        sizes = np.random.default_rng(seed).integers(5, 40, groups).tolist()
        products, scaling = model_of(simulated(seed, sizes))
        found = influence(products, partial_pooling(products, scaling, "varying_intercept_slope", (0, 1)))
        assert found is not None
        far += bool(beyond(found, 1.0).size)
        called += bool(influential(found, 1.0).size)
    assert far >= (groups < 12) * 8
    assert called <= 2


def test_a_pass_says_that_groups_are_few_where_one_moves_an_average() -> None:
    largest = np.array([1.4, 0.2, 0.3, 0.1])
    found = Influence(largest[:, None], largest, True, largest, np.full((4, 1), 1.6))
    (judged,) = judge_influence(found, 1.0)
    assert (judged.status, judged.value, judged.limit, judged.case) == ("pass", 1.4, 1.6, "few groups")


def test_one_of_eight_groups_with_another_slope_is_called() -> None:
    data = simulated(3, [20] * 8, sd=(1.0, 0.5))
    far = data.group_index == 0
    data = grouped(data.y + np.where(far, 8.0 * data.x[:, 0], 0.0), np.array(data.labels)[data.group_index], data.x)
    products, scaling = model_of(data)
    found = influence(products, partial_pooling(products, scaling, "varying_intercept_slope", (0, 1)))
    assert found is not None
    assert influential(found, 1.0).tolist() == [0]


def test_a_predictor_that_one_group_alone_carries_cannot_do_without_it() -> None:
    data = simulated(6, [6] * 5)
    x = np.where((data.group_index == 2)[:, None], data.x, 0.0)
    products, scaling = model_of(grouped(data.y, data.group_index, x))
    found = influence(products, partial_pooling(products, scaling, "varying_intercept", (0,)))
    assert found is not None
    assert found.n_not_estimable == 1
    assert np.isnan(found.dfbetas[2]).all()
    assert np.isfinite(np.delete(found.dfbetas, 2, axis=0)).all()
    assert 2 not in beyond(found, 0.0)


def test_two_groups_are_too_few() -> None:
    products, scaling = model_of(simulated(1, [8, 9]))
    assert influence(products, partial_pooling(products, scaling, "varying_intercept", (0,))) is None
    assert judge_influence(None, 1.0) == ()
