"""Median ratios and latent shares: pairs of groups drawn at random, and variances of latent variables."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from tasks.stats.counted.heterogeneity import count_icc, latent_icc, median_ratio


@pytest.mark.parametrize("tau", [0.1, 0.45, 1.3])
def test_half_of_all_pairs_of_groups_have_a_larger_ratio(tau: float) -> None:
    """Integrated over the first group: the chance that the second lies within the median ratio of it."""
    far = np.log(median_ratio(tau))

    def near(u: float) -> float:
        return stats.norm.pdf(u, scale=tau) * (stats.norm.cdf(u + far, scale=tau) - stats.norm.cdf(u - far, scale=tau))

    assert integrate.quad(near, -12 * tau, 12 * tau)[0] == pytest.approx(0.5, abs=1e-8)


def test_groups_that_are_alike() -> None:
    assert (median_ratio(0.0), latent_icc(0.0), count_icc(0.0, 3.0)) == (1.0, 0.0, 0.0)


def test_the_latent_share_is_the_correlation_of_two_rows_of_a_group() -> None:
    rng = np.random.default_rng(1)
    effect = 0.9 * rng.standard_normal(400_000)
    first, second = (effect + rng.logistic(size=effect.size) for _ in range(2))
    assert latent_icc(0.9) == pytest.approx(np.corrcoef(first, second)[0, 1], abs=0.005)


@pytest.mark.parametrize(("tau", "count"), [(0.3, 4.0), (0.5, 20.0), (0.2, 1.0)])
def test_the_share_of_counts_is_nearly_the_one_of_their_logs(tau: float, count: float) -> None:
    """Lognormal variables of the mean and variance of the counts, with and without groups."""
    between = np.expm1(tau**2)
    total = np.log1p(between + 1.0 / count)
    assert count_icc(tau, count) == pytest.approx(np.log1p(between) / total, abs=0.04)


def test_draws_keep_their_shape() -> None:
    tau = np.array([[0.1, 0.2], [0.3, 0.4]])
    assert median_ratio(tau).shape == latent_icc(tau).shape == count_icc(tau, 5.0).shape == (2, 2)
    assert (np.diff(median_ratio(tau).ravel()) > 0).all()
