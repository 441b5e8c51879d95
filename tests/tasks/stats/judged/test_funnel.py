"""Adjusted levels are group means moved along the within-group slopes; limits hold what they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from tasks.stats.fits.partial_pooling import partial_pooling
from tasks.stats.fits.pooling import complete_pooling
from tasks.stats.judged.funnel import ALARM, LIMITS, WARNING, Funnel, funnel, quantile
from tasks.stats.judged.simpson import simpson_checks
from tasks.stats.records import GroupedData
from tests.datasets import bounce_rates, dyestuff, grouped, model_of, one_single, simulated, sleepstudy


def funnel_of(data: GroupedData) -> Funnel:
    products, scaling = model_of(data)
    fit = partial_pooling(products, scaling, "varying_intercept", (0,))
    return funnel(products, simpson_checks(products, complete_pooling(products)), {"varying_intercept": fit})


@pytest.mark.parametrize("data", [bounce_rates, sleepstudy, dyestuff, one_single])
def test_adjusted_levels_are_means_of_rows_moved_to_the_average_predictor(data) -> None:
    rows = data()
    found, scaling = funnel_of(rows), model_of(rows)[1]
    moved = rows.y - (rows.x - scaling.center) @ (found.slopes / scaling.scale)
    expected = [moved[rows.group_index == j].mean() for j in range(rows.n_groups)]
    assert found.level == pytest.approx(expected, rel=1e-10)
    assert np.isfinite(found.level).all()


def test_slopes_are_those_within_groups() -> None:
    """A row moved by its group's mean: the least-squares slope within groups."""
    data = bounce_rates()
    scaling = model_of(data)[1]
    x, y = (data.x[:, 0] - scaling.center) / scaling.scale, data.y
    n = np.bincount(data.group_index)
    inner = x - (np.bincount(data.group_index, x) / n)[data.group_index]
    assert funnel_of(data).slopes[0] == pytest.approx(inner @ y / (inner @ inner), rel=1e-6)


def test_a_predictor_constant_within_groups_still_adjusts() -> None:
    place = np.repeat(np.linspace(-1, 1, 10), 6)
    data = grouped(50 + 8 * place + simulated(3, [6] * 10).y, [f"g{j}" for j in np.repeat(np.arange(10), 6)], place)
    found = funnel_of(data)
    assert np.isfinite(found.level).all()
    assert abs(found.slopes[0]) > 1


def test_balanced_data_give_the_mixed_models_average_and_spread() -> None:
    """Dyestuff, five rows a batch (lme4: 1527.5, SD between batches 42.0006, residual SD 49.5101)."""
    found = funnel_of(dyestuff())
    assert found.average == pytest.approx(1527.5, abs=1e-6)
    assert found.tau == pytest.approx(42.0006, abs=1e-3)
    assert found.sigma == pytest.approx(49.5101, abs=1e-3)


@pytest.mark.parametrize("limit", LIMITS)
def test_limits_are_normal_quantiles_of_the_standard_error(limit: float) -> None:
    found = funnel_of(bounce_rates())
    z = norm.ppf(0.5 + limit / 2)
    assert quantile(limit) == pytest.approx(z)
    chance = found.half_width(found.n, quantile(limit), between=False)
    wider = found.half_width(found.n, quantile(limit), between=True)
    assert chance == pytest.approx(z * found.sigma / np.sqrt(found.n))
    assert wider == pytest.approx(z * np.sqrt(found.tau**2 + found.sigma**2 / found.n))
    for half, between in ((chance, False), (wider, True)):
        outside = np.abs(found.level - found.average) > half
        np.testing.assert_array_equal(found.outside(limit, between=between), outside)


@pytest.mark.parametrize("sd", [0.0, 2.0])
def test_limits_hold_as_many_groups_as_they_say(sd: float) -> None:
    """Alike groups stay within chance limits; ordinary differences stay within the wider ones, not within chance."""
    sizes = np.random.default_rng(1).integers(1, 60, 3000).tolist()
    found = funnel_of(simulated(2, sizes, beta=(10.0, 2.0), sd=(sd,), sigma=4.0))
    assert found.tau == pytest.approx(sd, abs=0.35)
    for limit, margin in ((WARNING, 0.015), (ALARM, 0.003)):
        share = found.outside(limit, between=True).mean()
        assert share == pytest.approx(1 - limit, abs=margin)
        by_chance = found.outside(limit, between=False).mean()
        assert (by_chance > 2 * (1 - limit)) == (sd > 0)


def test_an_odd_group_is_found() -> None:
    data = simulated(4, [20] * 40, beta=(10.0, 2.0), sd=(1.0,), sigma=3.0)
    y = data.y + 12.0 * (data.group_index == 7)
    found = funnel_of(grouped(y, [data.labels[j] for j in data.group_index], data.x))
    assert np.flatnonzero(found.outside(ALARM, between=True)).tolist() == [7]
