"""The criterion is the textbook one, its gradient is its gradient, and its minimum is a minimum."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.stats.fits.reml import MixedModel, fit, mixed_model, profile, relative_factor
from tasks.stats.fits.small_matrices import lower_triangle
from tasks.stats.records import Floats, GroupedData
from tests.datasets import arabidopsis, bounce_rates, cbpp, dyestuff2, model_of, simulated, sleepstudy
from tests.dense import dense, profiled_deviance

thetas = st.integers(0, 10**6)
designs = st.sampled_from([(0,), (1,), (0, 1), (1, 2), (0, 1, 2), (0, 2)])
criteria = st.sampled_from(["reml", "ml"])


def small() -> GroupedData:
    """Unbalanced: from one row to nine; three coefficients."""
    return simulated(11, [1, 2, 3, 9, 5, 4], beta=(5.0, 1.0, -2.0), sd=(2.0, 0.5, 1.0))


def random_theta(seed: int, q: int, scale: float = 1.0) -> Floats:
    rng = np.random.default_rng(seed)
    rows, columns = lower_triangle(q)
    theta = scale * rng.standard_normal(rows.size)
    theta[rows == columns] = np.abs(theta[rows == columns])
    return theta


def model_for(data: GroupedData, varying: tuple[int, ...], criterion: str = "reml") -> MixedModel:
    return mixed_model(model_of(data)[0], varying, criterion)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=25)
@given(seed=thetas, varying=designs, criterion=criteria, scale=st.sampled_from([0.01, 0.3, 1.0, 10.0]))
def test_criterion_equals_the_dense_one(seed: int, varying: tuple[int, ...], criterion: str, scale: float) -> None:
    data = small()
    theta = random_theta(seed, len(varying), scale)
    factor = relative_factor(theta, len(varying))
    expected = profiled_deviance(data, model_of(data)[1], varying, factor @ factor.T, criterion)
    assert profile(model_for(data, varying, criterion), theta).value == pytest.approx(expected, abs=1e-8)


@settings(deadline=None, max_examples=25)
@given(seed=thetas, varying=designs, criterion=criteria)
def test_gradient_equals_central_differences(seed: int, varying: tuple[int, ...], criterion: str) -> None:
    model = model_for(small(), varying, criterion)
    theta = random_theta(seed, len(varying))
    steps = 1e-5 * np.eye(theta.size)
    numeric = [(profile(model, theta + s).value - profile(model, theta - s).value) / 2e-5 for s in steps]
    np.testing.assert_allclose(profile(model, theta).theta_gradient, numeric, rtol=1e-6, atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(seed=thetas, varying=designs, criterion=criteria)
def test_covariance_gradient_is_the_slope_along_any_added_variance(
    seed: int, varying: tuple[int, ...], criterion: str
) -> None:
    """What certifies a boundary: d criterion / d (L L') in the direction w w' is w' G w, at L = 0 too."""
    model, q = model_for(small(), varying, criterion), len(varying)
    w = np.random.default_rng(seed).standard_normal(q)
    at = profile(model, np.zeros(q * (q + 1) // 2))
    size = 1e-7
    inside = np.linalg.cholesky(size * (np.outer(w, w) + 1e-9 * np.eye(q)))[lower_triangle(q)]
    slope = (profile(model, inside).value - at.value) / size
    assert slope == pytest.approx(w @ at.covariance_gradient @ w, rel=1e-3, abs=1e-3)


def test_what_is_profiled_out_equals_generalised_least_squares() -> None:
    data, varying = small(), (0, 1)
    scaling = model_of(data)[1]
    theta = random_theta(3, 2)
    at = profile(model_for(data, varying), theta)
    factor = relative_factor(theta, 2)
    oracle = dense(data, scaling, varying, at.sigma**2 * factor @ factor.T, at.sigma)
    np.testing.assert_allclose(at.fixef, oracle.beta, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(at.sigma**2 * at.unscaled_cov, oracle.beta_cov, rtol=1e-9)
    np.testing.assert_allclose((at.v @ (factor @ factor.T)).ravel(), oracle.modes, rtol=1e-8, atol=1e-12)


def test_theta_is_filled_column_by_column_as_in_lme4() -> None:
    np.testing.assert_array_equal(
        relative_factor(np.arange(1.0, 7.0), 3), [[1.0, 0.0, 0.0], [2.0, 4.0, 0.0], [3.0, 5.0, 6.0]]
    )


CERTIFIED = [
    pytest.param(sleepstudy, (0, 1), id="regular"),
    pytest.param(dyestuff2, (0,), id="zero variance"),
    pytest.param(bounce_rates, (0, 1), id="correlation at its limit"),
    pytest.param(cbpp, (0, 1, 2), id="three effects, singular"),
    pytest.param(small, (0, 1, 2), id="three effects, unbalanced"),
]


@pytest.mark.parametrize(("data", "varying"), CERTIFIED)
@pytest.mark.parametrize("criterion", ["reml", "ml"])
def test_no_feasible_step_lowers_the_optimum(data, varying: tuple[int, ...], criterion: str) -> None:
    """Random steps of many sizes, along the cone's edge and into it."""
    model, q = model_for(data(), varying, criterion), len(varying)
    best = fit(model)
    assert best.converged
    rng = np.random.default_rng(5)
    factor = relative_factor(best.theta, q)
    for size in (1e-5, 1e-3, 1e-2, 0.1, 1.0):
        for _ in range(10):
            step = random_theta(int(rng.integers(2**31)), q, size)
            assert profile(model, best.theta + np.where(best.theta == 0, np.abs(step), step)).value > (
                best.profile.value - 1e-7
            )
            w = size * rng.standard_normal(q)
            added = np.linalg.cholesky(factor @ factor.T + np.outer(w, w) + 1e-13 * np.eye(q))
            assert profile(model, added[lower_triangle(q)]).value > best.profile.value - 1e-7


@pytest.mark.parametrize(("data", "varying"), CERTIFIED)
def test_optimum_certificate_is_a_zero_gradient_and_a_semidefinite_covariance_gradient(
    data, varying: tuple[int, ...]
) -> None:
    best = fit(model_for(data(), varying))
    factor = relative_factor(best.theta, len(varying))
    g = best.profile.covariance_gradient
    np.testing.assert_allclose(g @ factor, 0.0, atol=1e-5)
    assert np.linalg.eigvalsh(g)[0] > -1e-5


def test_boundary_is_left_where_it_is_only_a_saddle() -> None:
    """At theta = 0 every derivative in theta vanishes, whatever the data; these have much variance."""
    model = model_for(simulated(2, [6] * 12), (0, 1))
    zero = np.zeros(3)
    np.testing.assert_array_equal(profile(model, zero).theta_gradient, 0.0)
    best = fit(model)
    assert best.converged
    assert np.linalg.eigvalsh(relative_factor(best.theta, 2) @ relative_factor(best.theta, 2).T)[0] > 0.1
    assert best.profile.value < profile(model, zero).value - 20.0


def test_singular_optimum_of_three_effects_is_on_the_boundary_exactly() -> None:
    best = fit(model_for(arabidopsis(), (0, 1, 2)))
    assert best.converged
    assert np.linalg.svd(relative_factor(best.theta, 3), compute_uv=False)[-1] < 1e-6
    assert best.gradient_norm < 1e-5


@pytest.mark.parametrize("varying", [(0,), (0, 1)])
def test_no_variance_is_complete_pooling(varying: tuple[int, ...]) -> None:
    data = small()
    products = model_of(data)[0]
    at = profile(mixed_model(products, varying), np.zeros(len(varying) * (len(varying) + 1) // 2))
    x, y = products.xtx.sum(axis=0), products.xty.sum(axis=0)
    np.testing.assert_allclose(at.fixef, np.linalg.solve(x, y), rtol=1e-12)
    np.testing.assert_array_equal(at.m, 0.0)


def test_boundless_variance_is_no_pooling() -> None:
    """Group estimates tend to each group's own least-squares line."""
    data = simulated(4, [6, 7, 8, 9])
    products = model_of(data)[0]
    at = profile(mixed_model(products, (0, 1)), np.array([1e4, 0.0, 1e4]))
    estimates = at.fixef + at.v * 1e8
    own = np.linalg.solve(products.xtx, products.xty[..., None])[..., 0]
    np.testing.assert_allclose(estimates, own, rtol=1e-5, atol=1e-6)


def test_order_of_groups_and_effects_changes_nothing() -> None:
    data = small()
    products, _ = model_of(data)
    best = fit(mixed_model(products, (0, 1, 2)))
    for order in permutations((0, 1, 2)):
        other = fit(mixed_model(products, order))
        assert other.profile.value == pytest.approx(best.profile.value, abs=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_no_start_finds_a_lower_minimum(seed: int) -> None:
    """Small unbalanced groups, some variances 0: where a single start ends in a poor minimum."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 12, rng.integers(4, 12))
    sd = np.abs(rng.standard_normal(2)) * rng.choice([0.0, 0.1, 1.0], 2)
    model = model_for(simulated(seed, list(map(int, sizes)), sd=tuple(sd)), (0, 1))
    best = fit(model)
    grid = [np.array([a, r * b, np.sqrt(1 - r * r) * b]) for a in GRID for b in GRID for r in (-1, -0.5, 0, 0.5, 1)]
    assert best.converged
    assert best.profile.value <= min(profile(model, theta).value for theta in grid) + 1e-8


GRID = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
