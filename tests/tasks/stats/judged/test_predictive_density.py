"""Densities of rows and replicates are comparable: same rows, same bandwidth, and they differ where the model fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy.stats import gaussian_kde

from tasks.stats.judged.predictive_density import ROWS_LIMIT, PredictiveDensity, predictive_density
from tasks.stats.records import Floats
from tests.datasets import grouped, model_of
from tests.posteriors import known

Noise = Callable[[np.random.Generator, int], Floats]


def overlay(
    noise: Noise, *, sizes: tuple[int, ...] = (50,) * 4, levels: Sequence[float] | None = None, seed: int = 1
) -> PredictiveDensity:
    """Of rows of known levels (0 by default), by a posterior that knows these and takes rows' SD about them for 1."""
    index = np.repeat(np.arange(len(sizes)), sizes)
    levels = np.zeros(len(sizes)) if levels is None else np.asarray(levels)
    data = grouped(levels[index] + noise(np.random.default_rng(seed), index.size), index)
    return predictive_density(data, known(levels[:, None], 1.0), model_of(data)[1], seed + 1)


def normal(rng: np.random.Generator, n: int) -> Floats:
    return rng.standard_normal(n)


def bimodal(rng: np.random.Generator, n: int) -> Floats:
    """Of SD 1, as the model expects, in two narrow peaks."""
    return rng.choice([-0.95, 0.95], n) + 0.3 * rng.standard_normal(n)


def area(found: PredictiveDensity, density: Floats) -> float:
    return float(density.sum() * (found.grid[1] - found.grid[0]))


def is_within(found: PredictiveDensity) -> np.ndarray:
    return (found.lower <= found.observed) & (found.observed <= found.upper)


def n_peaks(density: Floats) -> int:
    rises = np.diff(density) > 0
    return int((rises[:-1] & ~rises[1:]).sum())


@pytest.mark.parametrize(
    "noise",
    [normal, bimodal, lambda rng, n: rng.standard_t(2, n), lambda rng, n: rng.exponential(size=n) - 1],
    ids=["normal", "bimodal", "heavy tails", "skewed"],
)
@pytest.mark.parametrize("sizes", [(2,) * 4, (50,) * 4, (2000,) * 4])
def test_densities_integrate_to_about_one(noise: Noise, sizes: tuple[int, ...]) -> None:
    found = overlay(noise, sizes=sizes)
    assert (
        area(found, found.observed) == pytest.approx(1.0 - found.n_beyond / found.n_rows) == pytest.approx(1, abs=0.02)
    )
    assert (found.lower <= found.median).all()
    assert (found.median <= found.upper).all()
    assert area(found, found.lower) < 1 < area(found, found.upper)
    assert found.n_replicates == 200


def test_rows_of_the_model_lie_within_the_band() -> None:
    """At each point in 95 of 100 data sets."""
    found = [overlay(normal, seed=seed) for seed in range(60)]
    middle = [is_within(one)[np.abs(one.grid) < 2].mean() for one in found]
    assert 0.91 < np.mean(middle) < 0.98


def test_rows_in_two_peaks_leave_the_band_though_mean_and_spread_are_right() -> None:
    found = overlay(bimodal)
    at = np.array([-0.95, 0.0, 0.95])
    observed, lower, upper = (np.interp(at, found.grid, each) for each in (found.observed, found.lower, found.upper))
    assert (observed > upper).tolist() == [True, False, True]
    assert (observed < lower).tolist() == [False, True, False]


def test_all_densities_have_the_bandwidth_that_is_told() -> None:
    """Replicates without scatter are the levels themselves: what is left of their density is the kernel."""
    rng = np.random.default_rng(2)
    levels = rng.standard_normal(40)
    data = grouped(levels, [f"{k:02d}" for k in range(40)])
    found = predictive_density(data, known(levels[:, None], 1e-9), model_of(data)[1], 1)
    for each in (found.observed, found.lower, found.median, found.upper):
        kernel = gaussian_kde(levels, bw_method=found.bandwidth / levels.std(ddof=1))
        np.testing.assert_allclose(each, kernel(found.grid), atol=0.02 * found.observed.max())


def test_whole_numbers_are_no_comb_and_two_values_stay_two() -> None:
    """Rounding that a measurement has does not count against the model; an outcome of two values does."""
    rounded = overlay(lambda rng, n: np.rint(3 * rng.standard_normal(n)) / 3, sizes=(2000,) * 2)
    assert n_peaks(rounded.observed[np.abs(rounded.grid) < 2]) == 1
    assert is_within(rounded)[np.abs(rounded.grid) < 2].mean() > 0.8
    ratings = overlay(lambda rng, n: np.rint(rng.standard_normal(n)), sizes=(2000,) * 2)
    assert n_peaks(ratings.observed) == 1
    binary = overlay(lambda rng, n: rng.choice([-1.0, 1.0], n))
    assert n_peaks(binary.observed) == 2
    assert np.interp(0.0, binary.grid, binary.observed) < np.interp(0.0, binary.grid, binary.lower)


def test_many_rows_are_sampled_and_replicates_are_of_the_same_rows() -> None:
    """Rows and replicates without scatter: if they are of the same rows, so many of each group, nothing differs."""
    levels = np.random.default_rng(2).standard_normal(40)
    data = grouped(np.repeat(levels, 500), np.repeat([f"{k:02d}" for k in range(40)], 500))
    found = predictive_density(data, known(levels[:, None], 1e-9), model_of(data)[1], 1)
    assert found.n_rows == ROWS_LIMIT < data.n_rows
    for each in (found.lower, found.median, found.upper):
        np.testing.assert_allclose(each, found.observed, atol=1e-6 * found.observed.max())


def test_a_far_row_leaves_room_for_the_others_and_is_counted() -> None:
    def with_a_far_row(rng: np.random.Generator, n: int) -> Floats:
        return np.where(np.arange(n) == 7, 1e6, rng.standard_normal(n))

    for n in (10, 1000):
        found = overlay(with_a_far_row, sizes=(n,) * 4)
        assert found.n_beyond == 1
        assert np.abs(found.grid).max() < 10
    assert overlay(normal, sizes=(1000,) * 4).n_beyond == 0


def test_the_seed_decides() -> None:
    found, again, other = (overlay(normal, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(found.upper, again.upper)
    assert not np.array_equal(found.upper, other.upper)
