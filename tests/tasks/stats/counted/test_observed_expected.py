"""O/E: totals agree, intervals are exact, draws give predicted/expected and the chance of being beyond a margin."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tasks.stats.counted.glm import complete_rates
from tasks.stats.counted.observed_expected import beyond, observed_expected, predicted_expected
from tasks.stats.counted.own_rates import own_fits
from tasks.stats.counted.predictors import centre_scaled, scaling_of
from tasks.stats.fits.cells import Family
from tasks.stats.fits.intervals import Z_95
from tests.counted_data import counted, simulated_counts


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_as_many_are_expected_as_were_observed_in_all(family: Family) -> None:
    cells = simulated_counts(family, 1, [20] * 15, (-1.0, 0.5), tau=0.5)
    mean = complete_rates(cells, scaling_of(cells)).mean
    found = observed_expected(cells, mean)
    assert found.observed.sum() == cells.events.sum()
    assert found.expected.sum() == pytest.approx(found.observed.sum(), rel=1e-9)
    assert found.expected[3] == pytest.approx((cells.size * mean)[cells.group_index == 3].sum())
    np.testing.assert_allclose(found.ratio, found.observed / found.expected)
    assert ((found.lower < found.ratio) & (found.ratio < found.upper)).all()


def test_limits_of_counts_are_published_ones() -> None:
    """30 observed, 15.21 expected: *Biological Effects of Low Level Exposures to Chemicals and Radiation* (1992), by
    table 7.5 (limits of a count: 20.24, 42.83). 25 observed: GraphPad QuickCalcs, by Garwood's method."""
    found = observed_expected(counted("poisson", [30, 25], [15.21, 1.0], list("ab")), np.ones(2))
    assert (round(found.lower[0], 2), round(found.upper[0], 2)) == (1.33, 2.82)
    assert (round(found.lower[0] * 15.21, 2), round(found.upper[0] * 15.21, 2)) == (20.24, 42.83)
    assert (round(found.lower[1], 2), round(found.upper[1], 2)) == (16.18, 36.90)


def test_limits_of_counts_are_nearly_byars() -> None:
    """Byar's formula is within 0.2 % of the exact limits from ten events on: Public Health England's *Technical Guide:
    Confidence Intervals* (2018)."""
    observed, expected = np.array([10.0, 25.0, 60.0, 300.0]), np.array([8.0, 31.0, 50.0, 280.0])
    found = observed_expected(counted("poisson", observed, expected, np.arange(4)), np.ones(4))
    lower = observed * (1 - 1 / (9 * observed) - Z_95 / (3 * np.sqrt(observed))) ** 3
    more = observed + 1
    upper = more * (1 - 1 / (9 * more) + Z_95 / (3 * np.sqrt(more))) ** 3
    np.testing.assert_allclose(found.lower, lower / expected, rtol=0.002)
    np.testing.assert_allclose(found.upper, upper / expected, rtol=0.002)


def of_unequal_trials(p: np.ndarray) -> np.ndarray:
    """Probabilities of 0, 1, .. events of trials with probabilities `p`: by convolution."""
    probabilities = np.ones(1)
    for each in p:
        probabilities = np.convolve(probabilities, [1 - each, each])
    return probabilities


@pytest.mark.parametrize("seed", range(30))
def test_intervals_of_unequal_trials_hold_the_true_ratio(seed: int) -> None:
    """By all outcomes: trials whose probabilities differ by a lot, expected ones that are as wrong as can be."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 40))
    truth = rng.beta(0.4, rng.uniform(0.4, 4.0), n)
    expected = rng.uniform(0.05, 0.9, n)
    true_ratio = truth.sum() / expected.sum()
    held = 0.0
    for events, probability in enumerate(of_unequal_trials(truth)):
        outcome = (np.arange(n) < events).astype(float)
        cells = counted("binomial", outcome, x=np.arange(n))
        found = observed_expected(cells, expected)
        held += probability * float(found.lower[0] <= true_ratio <= found.upper[0])
    assert held >= 0.95 - 1e-9


def test_no_more_events_than_trials_are_possible() -> None:
    found = observed_expected(counted("binomial", [9.0], [10.0]), np.array([0.8]))
    assert found.upper[0] < 1 / 0.8
    as_counts = observed_expected(counted("poisson", [9.0], [10.0]), np.array([0.8]))
    assert (as_counts.lower[0], as_counts.upper[0]) < (found.lower[0], 3.0)
    assert as_counts.upper[0] > 1 / 0.8


def test_nothing_expected_has_no_ratio() -> None:
    found = observed_expected(counted("poisson", [0, 3], [1, 2], list("ab")), np.array([0.0, 1.5]))
    assert np.isnan([found.ratio[0], found.lower[0], found.upper[0]]).all()
    assert found.ratio[1] == 1.0
    assert np.isnan(observed_expected(counted("binomial", [0, 1]), np.full(1, np.nan)).ratio).all()


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_predicted_lies_between_expected_and_observed_as_the_models_do(family: Family) -> None:
    cells = simulated_counts(family, 6, [60] * 8, (-0.5, 0.5), tau=0.7)
    scaling = scaling_of(cells)
    design, complete, own = centre_scaled(cells, scaling), complete_rates(cells, scaling), own_fits(cells, scaling)
    oe = observed_expected(cells, complete.mean)
    same = np.tile(complete.coef, (8, 1))
    draws = np.stack([same, own.coef, (same + own.coef) / 2])
    ratios = predicted_expected(cells, design, draws, oe.expected)
    assert ratios.shape == (3, 8)
    np.testing.assert_allclose(ratios[0], 1.0, rtol=1e-9)
    np.testing.assert_allclose(ratios[1], oe.ratio, rtol=1e-7)
    assert (np.abs(ratios[2] - 1.0) < np.abs(oe.ratio - 1.0)).all()
    np.testing.assert_array_equal(predicted_expected(cells, design, own.coef, oe.expected), ratios[1])


def test_chances_of_being_beyond_a_margin_are_shares_of_draws() -> None:
    ratios = stats.norm.ppf((np.arange(2000) + 0.5) / 2000)[:, None] * 0.1 + np.array([1.0, 1.2, 0.8])
    found = beyond(ratios)
    np.testing.assert_allclose(found.above, stats.norm.cdf([0.0, 2.0, -2.0]), atol=1e-3)
    np.testing.assert_allclose(found.above + found.below, 1.0)
    wide = beyond(ratios, 1.25)
    np.testing.assert_allclose(wide.above, stats.norm.sf([2.5, 0.5, 4.5]), atol=1e-3)
    np.testing.assert_allclose(wide.below, stats.norm.cdf([-2.0, -4.0, 0.0]), atol=1e-3)
