"""Overdispersion and zeros against simulated data: no alarm by chance, an alarm where there is cause."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tasks.stats.counted.dispersion import ReplicatedStatistic, overdispersion_and_zeros, simulated_events
from tasks.stats.fits.cells import Cells, Family
from tests.counted_data import counted


def true_cells(family: Family, seed: int, n: int = 150) -> tuple[Cells, np.ndarray]:
    """Cells of the model itself, and their true means."""
    rng = np.random.default_rng(seed)
    x, size = rng.permutation(n) / n, rng.integers(2, 9, n)
    events = rng.binomial(size, 0.05 + 0.3 * x) if family == "binomial" else rng.poisson(size * (0.05 + 0.3 * x))
    cells = counted(family, events, size, rng.integers(0, 6, n), x)
    return cells, 0.05 + 0.3 * cells.x[:, 0]


@pytest.mark.parametrize("statistic", [0, 1])
@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_p_values_of_the_truth_are_at_least_uniform(family: Family, statistic: int) -> None:
    found = [overdispersion_and_zeros(*true_cells(family, seed), seed=seed, n_replicates=99) for seed in range(200)]
    p_values = np.array([each[statistic].p_value for each in found])
    for level in (0.05, 0.2, 0.5):
        assert stats.binom.sf((p_values <= level).sum() - 1, 200, level) > 1e-3
    assert (p_values > 0.5).mean() > 0.3


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_rows_that_vary_more_are_overdispersed(family: Family) -> None:
    rng = np.random.default_rng(1)
    size = np.full(400, 20)
    p = rng.beta(2.0, 4.0, 400)
    events = rng.binomial(size, p) if family == "binomial" else rng.poisson(size * 3 * p)
    cells = counted(family, events, size, np.arange(400))
    found = overdispersion_and_zeros(cells, np.full(400, 1 / 3 if family == "binomial" else 1.0), 1)[0]
    assert found.p_value == pytest.approx(1 / 401)
    pearson = (events - size * (1 / 3 if family == "binomial" else 1.0)) ** 2
    variance = 20 * 2 / 9 if family == "binomial" else 20.0
    assert found.ratio == pytest.approx((pearson / variance).mean(), rel=0.03)
    assert found.observed[0] == pytest.approx((pearson / variance).sum())


def test_zeros_beyond_the_poisson_distribution_are_seen() -> None:
    rng = np.random.default_rng(2)
    events = rng.poisson(3.0, 400) * (rng.uniform(size=400) > 0.3)
    cells = counted("poisson", events, None, np.arange(400))
    found = overdispersion_and_zeros(cells, np.full(400, events.mean()), 2)[1]
    assert found.observed[0] == (events == 0).sum()
    assert found.p_value < 0.003
    assert found.ratio == pytest.approx((events == 0).sum() / (400 * np.exp(-events.mean())), rel=0.05)


def test_each_draw_is_compared_with_data_of_its_own() -> None:
    cells, mean = true_cells("poisson", 3)
    draws = mean * np.array([[0.5], [1.0], [2.0]])
    found = overdispersion_and_zeros(cells, draws, 3, n_replicates=6)[0]
    alone = [overdispersion_and_zeros(cells, draw, 3, 1)[0].observed[0] for draw in draws]
    np.testing.assert_allclose(found.observed, np.repeat(alone, 2))
    assert overdispersion_and_zeros(cells, draws, 3, 6)[0].replicated.tolist() == found.replicated.tolist()


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_simulated_events_have_the_means_and_variances_of_the_family(family: Family) -> None:
    cells = counted(family, [1, 1], [4, 50], list("ab"))
    rng, mean = np.random.default_rng(4), np.array([0.3, 0.02])
    events = np.array([simulated_events(cells, mean, rng) for _ in range(20_000)])
    np.testing.assert_allclose(events.mean(axis=0), cells.size * mean, rtol=0.03)
    variance = cells.size * mean * (1 - mean if family == "binomial" else 1)
    np.testing.assert_allclose(events.var(axis=0), variance, rtol=0.05)


def test_no_zeros_anywhere_have_no_ratio() -> None:
    assert np.isnan(ReplicatedStatistic(np.zeros(3), np.zeros(3)).ratio)
    assert ReplicatedStatistic(np.ones(3), np.zeros(3)).ratio == np.inf
    assert ReplicatedStatistic(np.zeros(3), np.zeros(3)).p_value == 1.0
