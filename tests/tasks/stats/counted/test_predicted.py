"""Quantile residuals, calibration and rootograms: uniform, inside, alike where predictions are right – and not else."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tasks.stats.counted.predicted import calibration_table, quantile_residuals, randomised_pit, rootogram
from tasks.stats.fits.cells import Cells, Family
from tests.counted_data import counted


def true_cells(family: Family, seed: int, n: int = 600) -> tuple[Cells, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, size = rng.permutation(n) / n, rng.integers(1, 9, n)
    events = rng.binomial(size, 0.02 + 0.5 * x) if family == "binomial" else rng.poisson(size * (0.02 + 0.5 * x))
    cells = counted(family, events, size, rng.integers(0, 6, n), x)
    return cells, 0.02 + 0.5 * cells.x[:, 0]


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_residuals_of_the_truth_are_normal(family: Family) -> None:
    p_values = [stats.kstest(quantile_residuals(*true_cells(family, s), seed=s), "norm").pvalue for s in range(60)]
    assert stats.kstest(p_values, "uniform").pvalue > 1e-3
    cells, mean = true_cells(family, 1)
    for wrong in (0.7 * mean, 1.4 * mean):
        assert stats.kstest(quantile_residuals(cells, wrong, 1), "norm").pvalue < 1e-4


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_each_value_lies_within_its_steps(family: Family) -> None:
    cells, mean = true_cells(family, 2)
    size = cells.size.astype(int)
    chance = stats.binom(size, mean) if family == "binomial" else stats.poisson(size * mean)
    found = randomised_pit(cells, mean, 5)
    assert (chance.cdf(cells.events - 1) - 1e-12 <= found).all()
    assert (found <= chance.cdf(cells.events) + 1e-12).all()
    np.testing.assert_array_equal(found, randomised_pit(cells, mean, 5))
    both = randomised_pit(cells, np.stack([mean, mean]), 5)
    np.testing.assert_allclose(both, found)


def test_draws_are_averaged_in_probability() -> None:
    cells = counted("poisson", [2.0], [1.0])
    found = randomised_pit(cells, np.array([[1.0], [4.0]]), 1)
    low, high = (np.mean([stats.poisson.cdf(k, m) for m in (1.0, 4.0)]) for k in (1, 2))
    share = np.random.default_rng(1).uniform(size=1)
    assert found == pytest.approx(low + share * (high - low))


def test_impossible_events_have_finite_residuals() -> None:
    cells = counted("binomial", [0, 5, 5], [5, 5, 5], list("abc"))
    found = quantile_residuals(cells, np.array([1.0, 1e-30, 1.0]), 1)
    assert np.isfinite(found).all()
    assert found[0] < -8 < 8 < found[1]


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_calibration_adds_up_and_orders(family: Family) -> None:
    cells, mean = true_cells(family, 3)
    table = calibration_table(cells, mean)
    assert table.size.size == 10
    assert (np.diff(table.predicted) > 0).all()
    assert table.size.sum() == cells.size.sum()
    assert table.n_cells.sum() == len(mean)
    assert table.observed @ table.size == pytest.approx(cells.events.sum())
    assert table.predicted @ table.size == pytest.approx(cells.size @ mean)
    assert table.size.min() > 0.8 * table.size.mean()
    assert (table.lower_simultaneous <= table.lower).all()
    assert (table.upper <= table.upper_simultaneous).all()


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_bands_hold_true_predictions_as_often_as_they_say(family: Family) -> None:
    tables = [calibration_table(*true_cells(family, seed)) for seed in range(300)]
    inside = sum(table.is_inside for table in tables)
    assert stats.binom.cdf(inside, 300, 0.95) > 1e-3
    single = np.mean([(t.lower <= t.observed) & (t.observed <= t.upper) for t in tables])
    assert 0.945 < single < 0.985
    cells, mean = true_cells(family, 1)
    assert not calibration_table(cells, 0.6 * mean).is_inside


def test_equal_predictions_share_a_bin() -> None:
    cells = counted("binomial", [1, 0, 2, 3, 1, 0], [5] * 6, list("abcdef"))
    table = calibration_table(cells, np.array([0.2, 0.2, 0.2, 0.2, 0.2, 0.4]))
    assert table.n_cells.tolist() == [5, 1]
    assert table.observed.tolist() == pytest.approx([7 / 25, 0.0])
    assert calibration_table(cells, np.full(6, 0.3)).n_cells.tolist() == [6]


def test_predictions_that_differ_by_rounding_share_a_bin() -> None:
    """Without predictors every group that is left out is predicted alike; rounding goes with its events."""
    cells = counted("binomial", [0] * 30 + [5] * 3, [20] * 33, list(range(33)))
    mean = np.full(33, 15 / 660) * (1.0 + 1e-13 * cells.events)
    table = calibration_table(cells, mean)
    assert table.n_cells.tolist() == [33]
    assert table.is_inside


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_bands_hold_rates_that_are_known_by_their_distribution_only(family: Family) -> None:
    """Each cell's rate is one of ten of equal weight: chance alone would call most of these data outside."""
    outside = {"known": 0, "unknown": 0}
    for seed in range(100):
        rng = np.random.default_rng([seed, 3])
        middle, size = rng.uniform(-2.5, -0.5, 200), rng.integers(20, 300, 200).astype(float)
        values = middle + 0.6 * stats.norm.ppf((np.arange(10) + 0.5) / 10)[:, None]
        rates = 1 / (1 + np.exp(-values)) if family == "binomial" else np.exp(values)
        true = rates[rng.integers(0, 10, 200), np.arange(200)]
        events = rng.binomial(size.astype(int), true) if family == "binomial" else rng.poisson(size * true)
        cells = counted(family, events, size, list(range(200)))
        outside["unknown"] += not calibration_table(cells, rates.mean(axis=0), unknown=rates.std(axis=0)).is_inside
        outside["known"] += not calibration_table(cells, rates.mean(axis=0)).is_inside
    assert stats.binom.sf(outside["unknown"] - 1, 100, 0.05) > 1e-3
    assert outside["known"] > 80


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_a_rootogram_counts_cells(family: Family) -> None:
    cells, mean = true_cells(family, 4)
    found = rootogram(cells, mean)
    for at, first in enumerate(found.first):
        assert found.observed[at] == (cells.events == first).sum()
        pmf = (
            stats.binom.pmf(first, cells.size, mean)
            if family == "binomial"
            else stats.poisson.pmf(first, cells.size * mean)
        )
        assert found.expected[at] == pytest.approx(pmf.sum(), rel=1e-9, abs=1e-9)
    assert found.observed.sum() == len(mean)
    assert found.expected.sum() + found.beyond == pytest.approx(len(mean))
    large = found.expected > 10
    chi = (found.observed - found.expected)[large] ** 2 / found.expected[large]
    assert chi.max() < 12


def test_large_counts_share_bars() -> None:
    rng = np.random.default_rng(5)
    events = rng.poisson(500.0, 300)
    cells = counted("poisson", events, None, np.arange(300))
    found = rootogram(cells, np.full(300, 500.0))
    assert found.first.size <= 41
    assert len(set(np.diff(found.first))) == 1
    assert found.observed.sum() == 300
    assert found.expected.sum() + found.beyond == pytest.approx(300)
    width = found.first[1] - found.first[0]
    at = int(np.argmax(found.observed))
    inside = (events >= found.first[at]) & (events < found.first[at] + width)
    assert found.observed[at] == inside.sum()
