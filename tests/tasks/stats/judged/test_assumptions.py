"""Equal spread and normal shape: scipy's Brown-Forsythe test, no alarm by chance, and alarms that name their groups."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import levene

from tasks.stats.fits.mean_structure import Added, Fitted, mean_structure, refit
from tasks.stats.judged.assumptions import (
    FEWEST_ROWS,
    Assumptions,
    assumptions,
    brown_forsythe,
    excess_kurtosis,
    expected_sd,
    fitted_and_residual,
    judge_equal_spread,
    qq_band,
    qq_plot,
    residual_bins,
)
from tasks.stats.records import GroupedData, Scaling
from tasks.study.settings import Thresholds
from tests.datasets import grouped, model_of, simulated


def fitted(data: GroupedData, added: tuple[Added, ...] = ()) -> tuple[Fitted, Scaling]:
    products, scaling = model_of(data)
    return refit(mean_structure(products, added), tuple(range(products.p))), scaling


def looked_at(data: GroupedData) -> Assumptions:
    return assumptions(data, *fitted(data), Thresholds())


def with_spreads(sizes: tuple[int, ...], spreads: tuple[float, ...], seed: int = 1) -> GroupedData:
    rng = np.random.default_rng(seed)
    index = np.repeat(np.arange(len(sizes)), sizes)
    level = rng.normal(0, 3, len(sizes))[index]
    return grouped(
        50 + level + np.asarray(spreads)[index] * rng.standard_normal(index.size), [f"g{j:03d}" for j in index]
    )


@cache
def alike() -> Assumptions:
    return looked_at(simulated(8, (30,) * 12))


@given(st.lists(st.integers(1, 12), min_size=2, max_size=8), st.integers(0, 10_000))
def test_brown_forsythe_is_scipys_levene_on_medians(sizes: list[int], seed: int) -> None:
    index = np.repeat(np.arange(len(sizes)), sizes)
    residual = np.random.default_rng(seed).standard_normal(index.size)
    shuffled = np.random.default_rng(seed).permutation(index.size)
    f, df, p = brown_forsythe(residual[shuffled], index[shuffled], len(sizes))
    parts = [residual[index == j] for j, n in enumerate(sizes) if n >= FEWEST_ROWS]
    if len(parts) < 2:
        assert np.isnan(f)
        assert np.isnan(p)
        return
    theirs = levene(*parts, center="median")
    assert (f, p) == (pytest.approx(theirs.statistic, rel=1e-9), pytest.approx(theirs.pvalue, rel=1e-7))
    assert df == (len(parts) - 1, sum(map(len, parts)) - len(parts))


def test_groups_alike_raise_no_alarm() -> None:
    found = alike()
    check = judge_equal_spread(found)[0]
    assert check.status == "pass"
    assert found.ratio < 1.5
    assert found.apart.size == 0
    assert found.qq.n_outside == 0


def test_a_group_that_scatters_thrice_as_far_is_named() -> None:
    found = looked_at(with_spreads((40,) * 10, (1.0,) * 9 + (3.5,)))
    check = judge_equal_spread(found)[0]
    assert check.status == "review"
    assert found.apart[0] == 9
    assert found.p_value < 1e-6
    assert 2.0 < found.ratio < 4.5


def test_a_large_ratio_that_chance_may_have_made_stands_beside_no_limit() -> None:
    found = replace(alike(), ratio=3.8, p_value=0.016)
    check = judge_equal_spread(found)[0]
    assert (check.status, check.value) == ("pass", None)
    assert check.case == "hinted"


def test_with_very_many_rows_small_differences_do_not_matter() -> None:
    found = looked_at(with_spreads((20_000,) * 4, (1.0, 1.0, 1.05, 1.1)))
    check = judge_equal_spread(found)[0]
    assert found.p_value < 1e-9
    assert found.ratio == pytest.approx(1.1, abs=0.03)
    assert check.status == "pass"
    assert check.case == "nearly alike"


def test_many_small_groups_alike_have_a_ratio_near_one() -> None:
    """The plain ratio of the extremes would be far above 2 by chance alone."""
    found = looked_at(with_spreads((6,) * 400, (2.0,) * 400))
    assert np.nanmax(found.group_sd) / np.nanmin(found.group_sd) > 4
    assert found.ratio < 2
    assert not found.is_unequal


def test_groups_of_few_rows_are_left_out() -> None:
    found = looked_at(simulated(3, (1, 2, 4, 9, 12)))
    assert np.isnan(found.group_sd[:3]).all()
    assert np.isfinite(found.group_sd[3:]).all()
    assert found.n_compared == 2
    lonely = looked_at(simulated(3, (2, 3, 4, 3, 2, 9)))
    check = judge_equal_spread(lonely)[0]
    assert (check.status, check.value) == ("pass", None)


@pytest.mark.parametrize("added", [(), (Added("curve", 1), Added("context", 1))])
def test_group_sds_are_those_of_the_rows_residuals(added: tuple[Added, ...]) -> None:
    data = simulated(8, (30,) * 12)
    fit, scaling = fitted(data, added)
    _, residual = fitted_and_residual(data, fit, scaling)
    by_rows = [residual[data.group_index == j].std(ddof=1) for j in range(12)]
    found = assumptions(data, fit, scaling, Thresholds())
    np.testing.assert_allclose(found.group_sd, by_rows, rtol=1e-9)
    some = np.arange(0, data.n_rows, 2)
    sample = GroupedData(data.y[some], data.x[some], data.group_index[some], data.labels, data.terms)
    np.testing.assert_array_equal(assumptions(sample, fit, scaling, Thresholds()).group_sd, found.group_sd)


def test_intervals_of_the_spread_cover_the_truth() -> None:
    found = looked_at(with_spreads((8,) * 300, (2.0,) * 300))
    covered = (found.group_sd_lower < 2.0) & (found.group_sd_upper > 2.0)
    assert 0.91 < covered.mean() < 0.985


def test_small_groups_residuals_are_scaled_up_to_the_models_sd() -> None:
    """Estimates of groups of two rows follow them; scaled, their residuals are as wide as those of large groups."""
    data = simulated(2, (2,) * 400 + (40,) * 20, sd=(3.0, 0.3))
    fit, scaling = fitted(data)
    _, residual = fitted_and_residual(data, fit, scaling)
    small = data.group_index < 400
    scaled = residual / expected_sd(data, fit, scaling)
    assert residual[small].std() < 0.85 * residual[~small].std()
    assert scaled[small].std() == pytest.approx(1.0, abs=0.08)
    assert scaled[~small].std() == pytest.approx(1.0, abs=0.08)


@pytest.mark.parametrize("n", [3, 40, 100, 700, 3000])
def test_the_qq_band_holds_nineteen_in_twenty_normal_samples(n: int) -> None:
    lower, upper = qq_band(n)
    values = np.sort(np.random.default_rng(n).standard_normal((1500, n)), axis=1)
    inside = ((values >= lower) & (values <= upper)).all(axis=1).mean()
    assert 0.93 < inside < 0.972


@pytest.mark.parametrize("n", [50, 5000])
def test_heavy_tails_leave_the_qq_band_and_the_extremes_are_kept(n: int) -> None:
    values = np.random.default_rng(4).standard_t(2, n)
    found = qq_plot(values)
    assert found.n_outside > 0
    assert found.kurtosis > 4
    assert (found.residual[0], found.residual[-1]) == (values.min(), values.max())
    assert found.normal.size == min(n, 200)


@pytest.mark.parametrize("n", [5, 8, 30])
def test_kurtosis_of_normal_groups_is_not_excessive(n: int) -> None:
    index = np.repeat(np.arange(2000), n)
    assert excess_kurtosis(np.random.default_rng(n).standard_normal(index.size), index, 2000) < 0.05


def test_kurtosis_looks_within_groups() -> None:
    """Groups of unlike spread are no heavy tails."""
    index = np.repeat(np.arange(200), 50)
    normal = np.random.default_rng(1).standard_normal(index.size)
    assert excess_kurtosis(normal * (1 + index % 5), index, 200) < 0.1
    assert excess_kurtosis(np.random.default_rng(1).standard_t(5, index.size), index, 200) > 0.5


def test_residuals_by_expectation_are_level_where_the_model_holds() -> None:
    bins = alike().by_fitted
    assert (np.diff(bins.at) > 0).all()
    assert np.abs(bins.median).max() < 0.6
    assert bins.sd.max() / bins.sd.min() < 1.8


def test_equal_values_share_a_bin() -> None:
    """A predictor of two values has two bins, however unequal their numbers; of many values, tenths."""
    residual = np.arange(100.0)
    for n_ones in (1, 30, 99):
        two = residual_bins(np.repeat([0.0, 1.0], [100 - n_ones, n_ones]), residual)
        assert two.at.tolist() == [0, 1]
        np.testing.assert_allclose(two.median, [(99 - n_ones) / 2, 99 - (n_ones - 1) / 2])
    tenths = residual_bins(np.random.default_rng(1).permutation(100.0 * np.arange(100)), residual)
    np.testing.assert_allclose(tenths.at, 450 + 1000 * np.arange(10))
    assert residual_bins(np.tile(np.arange(10.0), 10), residual).at.tolist() == list(range(10))
    assert residual_bins(np.zeros(100), residual).at.tolist() == [0]
