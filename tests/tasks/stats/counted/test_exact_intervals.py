"""Exact intervals are those of R and statsmodels, and hold every truth at least as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import confint_poisson

from tasks.stats.counted.exact_intervals import clopper_pearson, exact_interval, garwood


@pytest.mark.parametrize(
    ("family", "events", "size", "wanted"),
    [
        ("binomial", 3, 20, (0.0320709371855, 0.3789268265453)),
        ("binomial", 0, 20, (0.0, 0.168433470983)),
        ("binomial", 9, 40, (0.108396638984, 0.384511677303)),
        ("poisson", 7, 12.5, (0.225149044122, 1.153814028936)),
        ("poisson", 0, 3, (0.0, 1.2296264847)),
    ],
)
def test_intervals_are_those_of_r(family, events, size, wanted) -> None:
    """R 4.2.2: binom.test(events, size)$conf.int, poisson.test(events, size)$conf.int."""
    found = exact_interval(family, np.array([float(events)]), np.array([float(size)]))
    np.testing.assert_allclose(np.ravel(found), wanted, rtol=1e-10)


@given(st.integers(0, 400), st.integers(0, 400), st.floats(0.5, 0.999))
def test_intervals_are_those_of_statsmodels(events: int, others: int, level: float) -> None:
    trials = max(events + others, 1)
    found = clopper_pearson(np.array([events], float), np.array([trials], float), level)
    wanted = proportion_confint(events, trials, 1 - level, method="beta")
    np.testing.assert_allclose(np.ravel(found), wanted, rtol=1e-7, atol=1e-12)
    found = garwood(np.array([events], float), np.array([7.5]), level)
    wanted = np.nan_to_num(confint_poisson(events, 7.5, method="exact-c", alpha=1 - level))
    np.testing.assert_allclose(np.ravel(found), wanted, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.998])
def test_every_truth_is_held_at_least_as_often_as_said(level: float) -> None:
    """Not by simulation: the probabilities of all outcomes whose interval holds the truth, added up."""
    trials, counts = np.arange(38.0), np.arange(400.0)
    lower, upper = clopper_pearson(trials, np.full(38, 37.0), level)
    for truth in np.linspace(0.001, 0.999, 333):
        held = (lower <= truth) & (truth <= upper)
        assert stats.binom.pmf(trials[held], 37, truth).sum() >= level - 1e-12
    lower, upper = garwood(counts, np.full(400, 2.0), level)
    for truth in np.linspace(0.01, 60.0, 333):
        held = (lower <= truth) & (truth <= upper)
        assert stats.poisson.pmf(counts[held], 2.0 * truth).sum() >= level - 1e-9


def test_without_size_everything_is_possible() -> None:
    nothing = np.zeros(1)
    assert np.ravel(clopper_pearson(nothing, nothing)).tolist() == [0.0, 1.0]
    assert np.ravel(garwood(nothing, nothing)).tolist() == [0.0, np.inf]


def test_events_and_their_absence_are_mirrors() -> None:
    events, trials = np.arange(12.0), np.full(12, 11.0)
    lower, upper = clopper_pearson(events, trials)
    np.testing.assert_allclose(upper, 1.0 - clopper_pearson(trials - events, trials)[0], rtol=1e-12)
    assert (lower <= events / trials).all()
    assert (events / trials <= upper).all()
