"""Funnel limits: exact by all outcomes, smooth, Spiegelhalter's where the normal holds, and wide enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats.mstats import winsorize

from tasks.stats.counted.funnel_limits import (
    LEVELS,
    Widening,
    counted_funnel,
    exact_limits,
    winsorised_dispersion,
)
from tasks.stats.fits.cells import Family


def test_ten_trials_by_hand() -> None:
    """P(R <= 1) = 11/1024, P(R <= 2) = 56/1024: 2.5 % lies between, and above by symmetry."""
    lower, upper = exact_limits("binomial", 0.5, np.array([10.0]), 0.95)
    wanted = (2 - (56 / 1024 - 0.025) / (45 / 1024)) / 10
    assert (lower[0], upper[0]) == pytest.approx((wanted, 1 - wanted), rel=1e-12)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 300), st.floats(0.01, 0.99), st.sampled_from(LEVELS), st.sampled_from(["binomial", "poisson"]))
def test_neither_limit_is_passed_more_often_than_it_says(n: int, target: float, level: float, family: Family) -> None:
    """By all outcomes; and one event nearer it would be."""
    chance = stats.binom(n, target) if family == "binomial" else stats.poisson(n * target)
    lower, upper = exact_limits(family, target, np.array([float(n)]), level)
    tail = (1 - level) / 2
    events = np.arange(1000.0)
    probability = chance.pmf(events)
    assert probability[events / n < lower[0] - 1e-12].sum() <= tail + 1e-12
    assert probability[events / n > upper[0] + 1e-12].sum() <= tail + 1e-12
    assert probability[events / n < lower[0] + 1.0 / n + 1e-12].sum() > tail - 1e-12
    assert probability[events / n > upper[0] - 1.0 / n - 1e-12].sum() > tail - 1e-12


@pytest.mark.parametrize("family", ["binomial", "poisson"])
@pytest.mark.parametrize("level", LEVELS)
def test_limits_of_large_groups_are_normal_and_narrow_smoothly(family: Family, level: float) -> None:
    size = np.array([2e6])
    se = np.sqrt((0.3 * 0.7 if family == "binomial" else 0.3) / size)
    z = stats.norm.ppf(0.5 + level / 2)
    lower, upper = exact_limits(family, 0.3, size, level)
    assert (0.3 - lower) / se == pytest.approx(z, abs=5e-3)
    assert (upper - 0.3) / se == pytest.approx(z, abs=5e-3)
    lower, upper = exact_limits(family, 0.3, np.arange(20.0, 400.0), level)
    assert (np.diff(lower) > -0.004).all()
    assert (np.diff(upper) < 0.004).all()


def test_limits_stay_possible() -> None:
    lower, upper = exact_limits("binomial", 0.02, np.array([1.0, 5.0]), 0.998)
    assert lower.tolist() == [0.0, 0.0]
    assert (upper <= 1.0).all()
    found = counted_funnel("binomial", np.array([0.0, 9.0, 1.0]), np.array([10.0, 10.0, 10.0]), 0.6)
    for widening in ("none", "multiplicative", "additive"):
        lower, upper = found.limits(0.998, widening)
        assert (lower >= 0).all()
        assert (upper * 0.6 <= 1 + 1e-12).all()


def test_winsorising_is_scipys_and_keeps_a_normal_spread() -> None:
    z = np.random.default_rng(1).standard_normal(40) * 1.7
    share_left = np.mean(
        np.clip(q := stats.norm.ppf((np.arange(400_000) + 0.5) / 400_000), *np.quantile(q, [0.1, 0.9])) ** 2
    )
    wanted = np.mean(np.asarray(winsorize(z, (0.1, 0.1))) ** 2) / share_left
    assert winsorised_dispersion(z) == pytest.approx(wanted, rel=1e-4)
    many = np.random.default_rng(2).standard_normal(100_000) * np.sqrt(2.5)
    assert winsorised_dispersion(many) == pytest.approx(2.5, rel=0.02)
    assert winsorised_dispersion(z[:9]) == pytest.approx(np.mean(z[:9] ** 2))
    wild = many[:1000].copy()
    wild[:30] = 50.0
    assert winsorised_dispersion(wild) < 3.2 < np.mean(wild**2)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_groups_that_are_alike_are_not_widened(family: Family) -> None:
    rng = np.random.default_rng(3)
    size = rng.integers(20, 2000, 2000).astype(float)
    target = rng.uniform(0.05, 0.4, 2000)
    observed = rng.binomial(size.astype(int), target) if family == "binomial" else rng.poisson(size * target)
    found = counted_funnel(family, observed.astype(float), size, target)
    assert found.dispersion == pytest.approx(1.0, abs=0.1)
    assert found.tau < 0.06
    np.testing.assert_allclose(found.ratio, observed / (size * target))
    for level in LEVELS:
        outside = found.outside(level)
        for side in (-1, 1):
            assert (outside == side).mean() <= (1 - level) / 2 + 3 * np.sqrt((1 - level) / 2 / 2000)
    narrow, wide = found.limits(0.95), found.limits(0.95, "multiplicative")
    assert (wide[0] <= narrow[0] + 1e-12).all()
    assert (wide[1] >= narrow[1] - 1e-12).all()


@pytest.mark.parametrize("family", ["binomial", "poisson"])
@pytest.mark.parametrize("widening", ["multiplicative", "additive"])
def test_widened_limits_hold_ordinary_differences(family: Family, widening: Widening) -> None:
    """True ratios of SD 0.25; of equal sizes for the one factor, of unequal ones for the variance added."""
    rng = np.random.default_rng(4)
    n = 3000
    size = np.full(n, 400.0) if widening == "multiplicative" else rng.integers(40, 3000, n).astype(float)
    truth = 0.2 * np.maximum(1 + 0.25 * rng.standard_normal(n), 0.0)
    observed = rng.binomial(size.astype(int), truth) if family == "binomial" else rng.poisson(size * truth)
    found = counted_funnel(family, observed.astype(float), size, 0.2)
    if widening == "additive":
        assert found.tau == pytest.approx(0.25, abs=0.05)
    for level, slack in zip(LEVELS, (0.02, 0.005), strict=True):
        assert (found.outside(level, widening) != 0).mean() == pytest.approx(1 - level, abs=slack)
        assert (found.outside(level) != 0).mean() > 3 * (1 - level)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_an_odd_group_is_outside_and_widens_nothing(family: Family) -> None:
    rng = np.random.default_rng(5)
    size = np.full(40, 500.0)
    observed = (rng.binomial(500, 0.2, 40) if family == "binomial" else rng.poisson(100.0, 40)).astype(float)
    observed[7] = 200.0
    found = counted_funnel(family, observed, size, 0.2)
    assert np.flatnonzero(found.outside(0.998, "additive")).tolist() == [7]
    assert found.outside(0.998, "multiplicative")[7] == 1
    assert found.dispersion < 2.0


def test_lines_of_a_picture_pass_through_the_groups_limits() -> None:
    found = counted_funnel("poisson", np.array([3.0, 40.0, 9.0]), np.array([10.0, 20.0, 30.0]), 0.5)
    for widening in ("none", "multiplicative", "additive"):
        at = found.limits_at(np.array([20.0]), 0.5, 0.95, widening)
        np.testing.assert_allclose(np.ravel(at), [end[1] for end in found.limits(0.95, widening)])


def test_spiegelhalters_formulas_where_the_normal_holds() -> None:
    """theta (1 +- z sqrt(phi / E)), theta (1 +- z sqrt(1 / E + tau^2)), E the expected count."""
    rng = np.random.default_rng(6)
    size = rng.integers(200_000, 900_000, 50).astype(float)
    observed = rng.poisson(size * 0.3 * (1 + 0.01 * rng.standard_normal(50))).astype(float)
    found = counted_funnel("poisson", observed, size, 0.3)
    expected, z = size * 0.3, stats.norm.ppf(0.999)
    assert found.dispersion > 5
    lower, upper = found.limits(0.998, "multiplicative")
    np.testing.assert_allclose(upper - 1, z * np.sqrt(found.dispersion / expected), rtol=0.01)
    lower, upper = found.limits(0.998, "additive")
    np.testing.assert_allclose(1 - lower, z * np.sqrt(1 / expected + found.tau**2), rtol=0.01)


def test_the_variance_added_is_dersimonian_and_lairds() -> None:
    """By hand, of six groups, which is too few to winsorise."""
    observed, expected = np.array([3.0, 14, 22, 40, 41, 90]), np.array([6.0, 9, 30, 28, 50, 70])
    found = counted_funnel("poisson", observed, expected, 1.0)
    q = ((observed - expected) ** 2 / expected).sum()
    assert found.dispersion == pytest.approx(q / 6)
    wanted = (q - 5) / (expected.sum() - (expected**2).sum() / expected.sum())
    assert found.tau == pytest.approx(np.sqrt(wanted), rel=1e-12)
    assert counted_funnel("poisson", expected, expected, 1.0).tau == 0.0
