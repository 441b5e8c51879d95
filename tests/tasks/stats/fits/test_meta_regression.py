"""Against metafor's published fits of the BCG vaccine trials, statsmodels' weighted least squares, and simulation."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize_scalar

from tasks.stats.fits.meta_regression import meta_regression
from tasks.stats.records import Floats

# Colditz et al. 1994, as metafor's dat.bcg: cases and others if vaccinated, cases and others if not, latitude.
BCG = np.array(
    [
        [4, 119, 11, 128, 44],
        [6, 300, 29, 274, 55],
        [3, 228, 11, 209, 42],
        [62, 13536, 248, 12619, 52],
        [33, 5036, 47, 5761, 13],
        [180, 1361, 372, 1079, 44],
        [8, 2537, 10, 619, 19],
        [505, 87886, 499, 87892, 13],
        [29, 7470, 45, 7232, 27],
        [17, 1699, 65, 1600, 42],
        [186, 50448, 141, 27197, 18],
        [5, 2493, 3, 2338, 33],
        [27, 16886, 29, 17825, 33],
    ],
    dtype=float,
)


def bcg() -> tuple[Floats, Floats, Floats]:
    """Log relative risks, their variances, latitude."""
    a, b, c, d, latitude = BCG.T
    y = np.log(a / (a + b)) - np.log(c / (c + d))
    return y, 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d), latitude


def test_meta_analysis_is_metafors() -> None:
    """metafor's README, rma(yi, vi, data=dat, test="knha") with dat.bcg."""
    y, variance, _ = bcg()
    found = meta_regression(y, variance, np.ones((13, 1)))
    assert found.tau**2 == pytest.approx(0.3132, abs=5.1e-5)
    assert (found.coef[0], found.se[0]) == pytest.approx((-0.7145, 0.1808), abs=5.1e-5)
    assert np.ravel(found.interval()) == pytest.approx([-1.1084, -0.3206], abs=5.1e-5)


def test_meta_regression_is_metafors() -> None:
    """metafor's README, rma(yi, vi, mods = ~ ablat, data=dat, test="knha"); its search stops at a step of 1e-5."""
    y, variance, latitude = bcg()
    found = meta_regression(y, variance, np.column_stack([np.ones(13), latitude]))
    assert found.tau**2 == pytest.approx(0.0764, abs=1e-4)
    assert found.coef == pytest.approx([0.2515, -0.0291], abs=5.1e-5)
    assert found.se == pytest.approx([0.2839, 0.0082], abs=5.1e-5)
    lower, upper = found.interval()
    assert lower == pytest.approx([-0.3735, -0.0472], abs=1e-4)
    assert upper == pytest.approx([0.8764, -0.0111], abs=1e-4)


def test_standard_errors_are_those_of_weighted_least_squares() -> None:
    """Knapp & Hartung's covariance is the one that statsmodels gives to WLS with weights 1 / (tau^2 + v)."""
    y, variance, latitude = bcg()
    x = np.column_stack([np.ones(13), latitude])
    found = meta_regression(y, variance, x)
    peer = sm.WLS(y, x, weights=1.0 / (variance + found.tau**2)).fit()
    assert found.coef == pytest.approx(peer.params, rel=1e-9)
    assert found.se == pytest.approx(peer.bse, rel=1e-9)
    np.testing.assert_allclose(np.column_stack(found.interval()), peer.conf_int(), rtol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_tau_maximises_the_restricted_likelihood_of_the_full_covariance(seed: int) -> None:
    """With error contrasts: y'A of covariance A'VA, A a basis of the space orthogonal to x."""
    rng = np.random.default_rng(seed)
    variance, x = rng.uniform(0.2, 3.0, 15), np.column_stack([np.ones(15), rng.normal(size=15)])
    y = x @ [1.0, 0.5] + rng.normal(size=15) * np.sqrt(variance + rng.uniform(0, 2))
    contrast = np.linalg.svd(x)[0][:, 2:]

    def deviance(tau: float) -> float:
        cov = contrast.T @ np.diag(variance + tau**2) @ contrast
        return float(np.linalg.slogdet(cov)[1] + y @ contrast @ np.linalg.solve(cov, contrast.T @ y))

    best = minimize_scalar(deviance, bounds=(0.0, 6.0), method="bounded", options={"xatol": 1e-9})
    assert deviance(meta_regression(y, variance, x).tau) <= deviance(best.x) + 1e-7


def test_no_spread_beyond_chance_gives_tau_zero() -> None:
    assert meta_regression(np.array([1.0, 1.1, 0.9, 1.0]), np.ones(4), np.ones((4, 1))).tau == 0.0
    assert meta_regression(np.ones(4), np.ones(4), np.ones((4, 1))).tau == 0.0


def test_shift_and_scale_carry_over() -> None:
    y, variance, latitude = bcg()
    x = np.column_stack([np.ones(13), latitude])
    a, b = meta_regression(y, variance, x), meta_regression(100 + 7 * y, 49 * variance, x)
    assert b.tau == pytest.approx(7 * a.tau, rel=1e-6)
    assert b.coef == pytest.approx(7 * a.coef + [100, 0], rel=1e-8)
    assert b.se == pytest.approx(7 * a.se, rel=1e-6)


def test_interval_covers_as_often_as_it_says() -> None:
    rng, x = np.random.default_rng(11), np.column_stack([np.ones(20), np.linspace(-1, 1, 20)])
    variance = rng.uniform(0.1, 2.0, 20)
    hits = 0
    for _ in range(400):
        y = x @ [3.0, 1.0] + rng.normal(size=20) * np.sqrt(variance + 1.0)
        lower, upper = meta_regression(y, variance, x).interval()
        hits += bool(lower[1] <= 1.0 <= upper[1])
    assert 0.92 <= hits / 400 <= 0.98


@pytest.mark.parametrize("x", [np.ones((2, 2)), np.ones((5, 2))])
def test_too_few_groups_or_repeated_columns_are_refused(x: Floats) -> None:
    with pytest.raises(ValueError, match="cannot carry"):
        meta_regression(np.arange(float(len(x))), np.ones(len(x)), x)
