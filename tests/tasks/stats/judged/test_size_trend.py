"""Levels that go with group size are told from levels that do not, and what that changes is found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy.stats import t

from tasks.stats.fits.partial_pooling import flavours, partial_pooling
from tasks.stats.fits.pooling import complete_pooling
from tasks.stats.judged.funnel import funnel
from tasks.stats.judged.simpson import simpson_checks
from tasks.stats.judged.size_trend import SizeTrend, size_trend, why_no_trend
from tasks.stats.records import GroupedData
from tests.datasets import bounce_rates, cbpp, dyestuff, grouped, model_of, simulated, sleepstudy, with_size_trend


def trend_of(data: GroupedData, slopes_vary: bool = False, sample: GroupedData | None = None) -> SizeTrend | None:
    products, scaling = model_of(data)
    columns = tuple(range(1, products.p)) if slopes_vary else ()
    partial = {name: partial_pooling(products, scaling, name, of) for name, of in flavours(columns).items()}
    levels = funnel(products, simpson_checks(products, complete_pooling(products)), partial)
    fullest = list(partial.values())[-1]
    return size_trend(levels, fullest, sample or data, products, scaling, 0.5, seed=1)


def found(data: GroupedData, **options: object) -> SizeTrend:
    trend = trend_of(data, **options)  # type: ignore[arg-type]
    assert trend is not None
    return trend


def test_trend_agrees_with_log_size_in_a_mixed_model() -> None:
    """statsmodels' MixedLM on rows: nearly the same question, asked of rows instead of levels."""
    data = with_size_trend(1, 1.5)
    trend = found(data)
    n = np.bincount(data.group_index)
    frame = pd.DataFrame({"y": data.y, "x": data.x[:, 0], "g": data.group_index, "size": np.log2(n)[data.group_index]})
    peer = smf.mixedlm("y ~ x + size", frame, groups="g").fit(method="powell")
    assert trend.per_doubling == pytest.approx(peer.fe_params["size"], rel=0.03)
    assert trend.per_doubling_se == pytest.approx(peer.bse_fe["size"], rel=0.15)
    assert trend.tau_left == pytest.approx(np.sqrt(float(peer.cov_re.iloc[0, 0])), rel=0.1)


@pytest.mark.parametrize("seed", range(4))
def test_a_real_trend_is_clear_and_matters(seed: int) -> None:
    trend = found(with_size_trend(seed, 1.5))
    assert trend.per_doubling_lower < 1.5 < trend.per_doubling_upper
    assert trend.is_clear
    assert trend.is_material
    assert trend.tau_left < trend.tau


def test_without_a_trend_about_one_study_in_a_hundred_has_a_clear_one() -> None:
    trends = [found(with_size_trend(100 + seed, 0.0, 20)) for seed in range(25)]
    assert sum(trend.is_clear for trend in trends) <= 1
    assert sum(trend.is_clear or trend.is_hinted for trend in trends) <= 5


def test_a_hint_is_beyond_95_but_not_99_percent() -> None:
    trends = [found(with_size_trend(seed, 0.9, 15)) for seed in range(25)]
    for trend in trends:
        p_value = 2 * t.sf(abs(trend.per_doubling / trend.per_doubling_se), trend.df)
        assert (trend.is_clear, trend.is_hinted) == (p_value < 0.01, 0.01 <= p_value < 0.05)
    assert {trend.is_hinted for trend in trends} == {True, False}


def test_the_sign_follows_the_levels() -> None:
    assert found(with_size_trend(5, -1.5)).difference < 0 < found(with_size_trend(5, 1.5)).difference


def test_a_tiny_trend_of_many_groups_is_clear_but_does_not_matter() -> None:
    trend = found(with_size_trend(6, 0.25, 3000, sigma=1.0))
    assert trend.is_clear
    assert not trend.is_material
    assert abs(trend.difference) < 0.5 * trend.tau


def test_band_is_narrowest_near_the_middle_and_passes_through_the_centre() -> None:
    trend = found(with_size_trend(7, 1.0))
    level, se = trend.at(np.array([1.0, trend.typical_size, 500.0]))
    assert level[1] == pytest.approx(trend.center)
    assert se[1] == pytest.approx(trend.center_se)
    assert se[1] < min(se[0], se[2])
    assert level[2] - level[0] == pytest.approx(trend.per_doubling * np.log2(500.0))


@pytest.mark.parametrize(("data", "vary"), [(bounce_rates, True), (bounce_rates, False), (cbpp, False)])
def test_levels_without_size_are_the_fullest_models_own(data, vary: bool) -> None:
    rows = data()
    products, scaling = model_of(rows)
    flavour, varying = list(flavours(tuple(range(1, products.p)) if vary else ()).items())[-1]
    fit, plain = partial_pooling(products, scaling, flavour, varying), found(rows, slopes_vary=vary).plain
    assert plain.level == pytest.approx(fit.coef[:, 0], rel=1e-9)
    assert plain.lower == pytest.approx(fit.lower[:, 0], rel=1e-9)
    assert plain.upper == pytest.approx(fit.upper[:, 0], rel=1e-9)
    assert plain.average == pytest.approx(fit.fixef[0])


def test_levels_with_size_have_the_standard_errors_of_the_mixed_model_equations() -> None:
    """The inverse of Henderson's equations on rows, for X = [1, x, log n] and Z = [1]."""
    data = with_size_trend(8, 1.0, 12)
    trend = found(data)
    products, scaling = model_of(data)
    size = np.log(products.n) - np.log(products.n).mean()
    x = np.column_stack([np.ones(data.n_rows), (data.x - scaling.center) / scaling.scale, size[data.group_index]])
    frame = pd.DataFrame({"y": data.y, "x": x[:, 1], "size": x[:, 2], "g": data.group_index})
    peer = smf.mixedlm("y ~ x + size", frame, groups="g").fit(method="powell")
    sigma2, tau2 = peer.scale, float(peer.cov_re.iloc[0, 0])
    design = np.column_stack([x, np.eye(12)[data.group_index]])
    penalty = np.diag([0.0] * 3 + [sigma2 / tau2] * 12)
    cov = sigma2 * np.linalg.inv(design.T @ design + penalty)
    combination = np.column_stack([np.ones(12), np.zeros(12), size, np.eye(12)])
    level = combination @ np.linalg.solve(design.T @ design + penalty, design.T @ data.y)
    se = np.sqrt(np.diag(combination @ cov @ combination.T))
    assert trend.with_size.level == pytest.approx(level, rel=1e-4)
    assert (trend.with_size.upper - trend.with_size.lower) / (2 * 1.959964) == pytest.approx(se, rel=2e-3)


def test_small_groups_of_a_made_case_change_sides() -> None:
    """Small groups lie 6 below large ones, but own too few rows to say so: only size in the model tells."""
    rng = np.random.default_rng(9)
    n = np.array([2] * 20 + [80] * 20)
    index = np.repeat(np.arange(40), n)
    level = np.where(n == 2, 44.0, 50.0) + rng.normal(0, 0.5, 40)
    trend = found(grouped(level[index] + rng.normal(0, 5, index.size), [f"g{j:02d}" for j in index]))
    assert set(trend.flipped) & set(range(20))
    small = trend.flipped[trend.flipped < 20]
    assert (trend.with_size.side[small] == -1).all()
    assert (trend.with_size.level[:20].mean()) < trend.plain.level[:20].mean()
    np.testing.assert_array_equal(trend.flipped, np.flatnonzero(trend.plain.side != trend.with_size.side))


@pytest.mark.parametrize("data", [dyestuff, sleepstudy])
def test_groups_of_equal_size_give_none_with_the_reason(data) -> None:
    rows = data()
    sizes = np.bincount(rows.group_index)
    assert trend_of(rows) is None
    assert why_no_trend(sizes) == "one size"


def test_too_few_groups_give_none_with_the_reason() -> None:
    assert trend_of(simulated(1, [5, 9, 20, 4])) is None
    assert why_no_trend(np.array([5, 9, 20, 4])) == "few groups"


def test_size_that_repeats_a_predictor_gives_none_with_the_reason() -> None:
    data = with_size_trend(3, 0.0, 20)
    size = np.log(np.bincount(data.group_index))[data.group_index]
    twin = grouped(data.y, [data.labels[j] for j in data.group_index], size)
    assert trend_of(twin) is None
    assert why_no_trend(np.bincount(twin.group_index)) == "told by predictor"


def test_units_carry_over() -> None:
    data = with_size_trend(4, 1.0)
    a = found(data)
    b = found(grouped(1000 + 60 * data.y, [data.labels[j] for j in data.group_index], data.x))
    assert b.per_doubling == pytest.approx(60 * a.per_doubling, rel=1e-5)
    assert b.per_doubling_se == pytest.approx(60 * a.per_doubling_se, rel=1e-4)
    assert b.center == pytest.approx(1000 + 60 * a.center, rel=1e-8)
    assert b.calibration[0].plain.mean == pytest.approx(60 * a.calibration[0].plain.mean, rel=1e-3, abs=1e-3)
