"""Tail probabilities are calibrated on the model's own data and extreme on others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, kstest, skew

from tasks.stats.judged.predictive import group_medians, predictive_check, skewness
from tasks.stats.records import Floats, GroupedData, PredictiveCheck
from tests.datasets import grouped, model_of
from tests.posteriors import known, sampled

values = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6))
groups_of_values = st.lists(st.lists(values, max_size=7), min_size=1, max_size=9).filter(any)


@given(groups=groups_of_values)
def test_group_medians_equal_numpys(groups: list[list[float]]) -> None:
    """With ties, groups of one row, and groups of none."""
    rows = np.array([value for group in groups for value in group])
    expected = [np.median(group) if group else np.nan for group in groups]
    made = group_medians(rows, np.array([len(group) for group in groups]))
    np.testing.assert_allclose(made, expected, rtol=1e-9, atol=1e-9 * (1 + np.ptp(rows)))


def test_medians_of_many_groups_far_from_zero() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 6, 5000)
    rows = 1e6 + rng.standard_normal(sizes.sum())
    expected = [np.median(part) for part in np.split(rows, np.cumsum(sizes)[:-1])]
    np.testing.assert_allclose(group_medians(rows, sizes), expected, atol=1e-6)


def test_skewness_is_scipys_and_0_where_nothing_varies() -> None:
    y = np.random.default_rng(1).exponential(size=50)
    assert skewness(y) == pytest.approx(skew(y))
    assert skewness(np.ones(5)) == 0.0


SIZES = np.array([1, 4, 9, 6, 10, 8, 12])


def checked(seed: int, noise) -> PredictiveCheck:
    """Rows of a known truth with residual SD 1, noise drawn by `noise(rng, group_index)`."""
    rng = np.random.default_rng(seed)
    index = rng.permutation(np.repeat(np.arange(SIZES.size), SIZES))
    x = rng.standard_normal(index.size)
    coef = np.column_stack([np.linspace(0, 6, SIZES.size), np.linspace(-1, 1, SIZES.size)])
    data = grouped(np.zeros(index.size), index, x)
    scaling = model_of(replace(data, y=x))[1]
    standardised = (x - scaling.center[0]) / scaling.scale[0]
    y = coef[index, 0] + coef[index, 1] * standardised + noise(rng, index)
    return predictive_check(replace(data, y=y), known(coef, 1.0), scaling, 0.025, seed + 1)


def normal(rng: np.random.Generator, index: np.ndarray) -> Floats:
    return rng.standard_normal(index.size)


def test_tail_probabilities_are_uniform_under_the_truth() -> None:
    """Exactly so when the posterior knows the truth; 100 data sets, 200 replicates each."""
    made = [checked(seed, normal) for seed in range(100)]
    for k, name in enumerate(("median", "skewness", "minimum", "maximum")):
        assert {check.overall[k].name for check in made} == {name}
        p = [check.overall[k].posterior_predictive_p_value for check in made]
        assert kstest(p, "uniform").pvalue > 1e-3
    by_group = np.array([check.group_p_value for check in made])
    assert kstest(by_group.ravel(), "uniform").pvalue > 1e-3
    # 5 % of groups' medians fall outside, as they should.
    assert np.mean([check.n_groups_outside for check in made]) == pytest.approx(0.05 * SIZES.size, abs=0.2)
    assert max(check.n_groups_outside for check in made) <= made[0].n_groups_outside_limit


@pytest.mark.parametrize(
    ("noise", "statistic", "extreme"),
    [
        (lambda rng, index: rng.exponential(size=index.size) * 6 - 6, "skewness", 0.0),
        (lambda rng, index: -rng.exponential(size=index.size) * 6 + 6, "skewness", 1.0),
        (lambda rng, index: rng.standard_normal(index.size) + 12.0 * (np.arange(index.size) == 7), "maximum", 0.0),
        (lambda rng, index: rng.standard_normal(index.size) - 12.0 * (np.arange(index.size) == 7), "minimum", 1.0),
        (lambda rng, index: rng.standard_normal(index.size) + 1.0, "median", 0.0),
    ],
)
def test_what_the_model_cannot_make_is_extreme(noise, statistic: str, extreme: float) -> None:
    """P(T(y_rep) >= T(y)): 0 where the data have more of it than any replicate."""
    found = {s.name: s.posterior_predictive_p_value for s in checked(3, noise).overall}
    assert found[statistic] == pytest.approx(extreme, abs=0.01)


def test_groups_that_are_off_are_counted() -> None:
    """Four of seven groups are moved by 3 residual SDs, up and down."""
    moved = np.array([0.0, 0.0, 0.0, 3.0, 3.0, -3.0, 3.0])
    found = checked(4, lambda rng, index: rng.standard_normal(index.size) + moved[index])
    assert found.n_groups_outside >= 4
    assert found.n_groups_outside > found.n_groups_outside_limit
    np.testing.assert_allclose(found.group_p_value[3:], [0.0, 0.0, 1.0, 0.0], atol=0.01)
    observed = found.group_median_observed
    assert (observed[[4, 6]] > found.group_median_upper[[4, 6]]).all()
    assert observed[5] < found.group_median_lower[5]


def test_observed_statistics_are_those_of_the_rows() -> None:
    have = sampled("sleepstudy")
    made = predictive_check(have.data, have.draws, have.scaling, 0.025, 1)
    y = have.data.y
    np.testing.assert_allclose([s.observed for s in made.overall], [np.median(y), skew(y), y.min(), y.max()])
    expected = [np.median(y[have.data.group_index == j]) for j in range(18)]
    np.testing.assert_allclose(made.group_median_observed, expected)
    for s in made.overall:
        share = np.mean(s.replicated > s.observed) + 0.5 * np.mean(s.replicated == s.observed)
        assert s.posterior_predictive_p_value == pytest.approx(share)
        assert s.replicated.shape == (made.n_replicates,) == (1000,)
    assert made.n_groups_outside == ((made.group_p_value < 0.025) | (made.group_p_value > 0.975)).sum() == 0


def test_limit_of_groups_outside_is_binomial() -> None:
    have = sampled("sleepstudy")
    for tail in (0.025, 0.1):
        limit = predictive_check(have.data, have.draws, have.scaling, tail, 1).n_groups_outside_limit
        assert binom.cdf(limit, 18, 2 * tail) >= 0.999 > binom.cdf(limit - 1, 18, 2 * tail)


def test_the_seed_decides_and_order_of_rows_does_not_matter_to_what_is_observed() -> None:
    have = sampled("sleepstudy")
    a, b, c = (predictive_check(have.data, have.draws, have.scaling, 0.025, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.overall[0].replicated, b.overall[0].replicated)
    assert not np.array_equal(a.overall[0].replicated, c.overall[0].replicated)
    order = np.random.default_rng(0).permutation(180)
    shuffled = GroupedData(
        have.data.y[order], have.data.x[order], have.data.group_index[order], have.data.labels, have.data.terms
    )
    d = predictive_check(shuffled, have.draws, have.scaling, 0.025, 1)
    np.testing.assert_allclose(d.group_median_observed, a.group_median_observed)
    np.testing.assert_allclose(d.group_p_value, a.group_p_value, atol=0.08)


def test_thinned_group_effects_go_with_their_own_residual_sd() -> None:
    """Draws with alternating residual SDs, group effects kept for the small ones: replicates are tight."""
    coef = np.zeros((SIZES.size, 2))
    draws = known(coef, 1.0)
    sigma = np.tile([1e-3, 1e3], 50)[None].repeat(2, axis=0)
    draws = replace(draws, sigma=sigma, group_coef=draws.group_coef[:, ::2], group_thin=2)
    index = np.repeat(np.arange(SIZES.size), SIZES)
    data = grouped(np.random.default_rng(0).standard_normal(50), index, np.arange(50.0))
    made = predictive_check(data, draws, model_of(data)[1], 0.025, 1)
    assert max(s.replicated.max() for s in made.overall if s.name == "maximum") < 1.0


def test_groups_without_a_row_in_the_sample_are_neither_judged_nor_counted() -> None:
    have = sampled("sleepstudy")
    rows = have.data.group_index % 3 > 0
    y, x, index = have.data.y[rows], have.data.x[rows], have.data.group_index[rows]
    made = predictive_check(replace(have.data, y=y, x=x, group_index=index), have.draws, have.scaling, 0.025, 1)
    absent = np.arange(18) % 3 == 0
    for name in ("group_median_observed", "group_median_lower", "group_median_upper", "group_p_value"):
        np.testing.assert_array_equal(np.isnan(getattr(made, name)), absent)
    p = made.group_p_value[~absent]
    assert made.n_groups_outside == ((p < 0.025) | (p > 0.975)).sum()
    limit = made.n_groups_outside_limit
    assert binom.cdf(limit, 12, 0.05) >= 0.999 > binom.cdf(limit - 1, 12, 0.05)
    assert made.n_groups_compared == 12
