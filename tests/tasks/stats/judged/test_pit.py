"""LOO-PIT values are uniform where the model is right, and say how it is wrong where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, norm, t

from tasks.stats.bayes.loo import loo
from tasks.stats.judged.pit import Shape, judge_loo_pit, loo_pit, shape_of
from tests.datasets import simulated
from tests.posteriors import sampled, sampled_of, study_of


def test_values_are_uniform_for_data_from_the_model() -> None:
    data = simulated(5, [20] * 15)
    found = sampled_of(data, study_of(data)).findings
    assert found.bayes.loo.pit is not None
    assert kstest(found.bayes.loo.pit, "uniform").pvalue > 0.01
    assert found.loo_pit is not None
    assert (found.loo_pit.shape, found.loo_pit.share_outside) == ("calibrated", 0.0)
    assert judge_loo_pit(found.loo_pit)[0].status == "pass"


def test_values_of_a_model_that_is_badly_wrong_leave_the_band() -> None:
    """The draws of another spread: half the residual SD, or twice it."""
    have = sampled("bounce_rates")
    for factor, shape in [(0.5, "too_narrow"), (2.0, "too_wide")]:
        wrong = type(have.draws)(**{**vars(have.draws), "sigma": have.draws.sigma * factor})
        scores = loo(have.data, have.products, have.varying, wrong, have.scaling, None, 1)
        found = loo_pit(scores.pit, 1)
        assert found is not None
        assert found.shape == shape
        assert found.share_outside > 0.3
        assert judge_loo_pit(found)[0].status == "review"


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        (norm.cdf(1.5 * norm.ppf((np.arange(500) + 0.5) / 500)), "too_narrow"),
        (norm.cdf(0.6 * norm.ppf((np.arange(500) + 0.5) / 500)), "too_wide"),
        (norm.cdf(norm.ppf((np.arange(500) + 0.5) / 500) - 0.4), "too_high"),
        (norm.cdf(norm.ppf((np.arange(500) + 0.5) / 500) + 0.4), "too_low"),
        (norm.cdf(np.random.default_rng(1).exponential(size=2000) - 1), "other"),
        (norm.cdf(t(2.2).rvs(2000, random_state=1) / 1.45), "other"),
    ],
)
def test_the_shape_says_what_is_wrong(values: np.ndarray, shape: Shape) -> None:
    found = loo_pit(values, 1)
    assert found is not None
    assert found.shape == shape


@pytest.mark.parametrize("n", [12, 60, 700])
def test_uniform_values_stay_within_the_band_in_95_of_100_studies(n: int) -> None:
    rng = np.random.default_rng(n)
    band = loo_pit(rng.random(n), 1)
    assert band is not None
    counts = np.cumsum(rng.multinomial(n, np.diff(np.concatenate([[0], band.at, [1]])), 4000), axis=1)[:, :-1]
    difference = counts / n - band.at
    inside = ((difference >= band.lower - 0.5 / n) & (difference <= band.upper + 0.5 / n)).all(axis=1)
    assert inside.mean() == pytest.approx(0.95, abs=0.02)


def test_the_same_seed_gives_the_same_band() -> None:
    values = np.random.default_rng(3).random(100)
    one, same, other = (loo_pit(values, seed) for seed in (1, 1, 2))
    assert one is not None
    assert same is not None
    assert other is not None
    np.testing.assert_array_equal(one.lower, same.lower)
    np.testing.assert_array_equal(one.difference, other.difference)


def test_few_rows_and_no_values_are_not_judged() -> None:
    assert loo_pit(None, 1) is None
    assert loo_pit(np.array([0.2, 0.5]), 1) is None
    assert judge_loo_pit(None) == ()


def test_shape_of_a_pure_shift_has_its_sign() -> None:
    at = np.arange(1, 100) / 100
    assert shape_of(at, norm.cdf(norm.ppf(at) + 0.2) - at) == "too_high"
    assert shape_of(at, norm.cdf(norm.ppf(at) - 0.2) - at) == "too_low"
