"""How far estimates are pulled: from none (0) to all the way (1)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.stats.fits.partial_pooling import partial_pooling
from tasks.stats.fits.pooling import no_pooling
from tasks.stats.fits.shrinkage import shrinkage_factor
from tests.datasets import bounce_rates, dyestuff, dyestuff2, model_of, pastes, simulated, sleepstudy

positive = st.floats(1e-3, 1e3)


@given(n=st.lists(st.integers(1, 500), min_size=1, max_size=8), tau=positive, sigma=positive)
def test_intercepts_follow_the_scalar_formula(n: list[int], tau: float, sigma: float) -> None:
    sizes = np.array(n, dtype=float)
    made = shrinkage_factor(sizes[:, None, None], np.array([[tau**2]]), sigma)[:, 0]
    np.testing.assert_allclose(made, sigma**2 / (sigma**2 + sizes * tau**2), rtol=1e-9)
    assert ((made > 0) & (made < 1)).all()


@given(seed=st.integers(0, 10**6))
def test_slopes_follow_the_matrix_formula(seed: int) -> None:
    """B = I - Sigma Z' V^-1 Z, by the N x N matrix V."""
    rng = np.random.default_rng(seed)
    z, root = rng.standard_normal((6, 2)), rng.standard_normal((2, 2))
    cov = root @ root.T
    v = z @ cov @ z.T + 0.49 * np.eye(6)
    expected = np.diag(np.eye(2) - cov @ z.T @ np.linalg.solve(v, z))
    np.testing.assert_allclose(shrinkage_factor((z.T @ z)[None], cov, 0.7)[0], expected, rtol=1e-7, atol=1e-9)


def test_no_variance_between_groups_pools_fully() -> None:
    np.testing.assert_allclose(shrinkage_factor(np.ones((3, 2, 2)), np.zeros((2, 2)), 1.0), 1.0)


@pytest.mark.parametrize("data", [dyestuff, pastes, lambda: simulated(1, [1, 2, 30, 5, 9], beta=(4.0,), sd=(2.0,))])
def test_intercepts_lie_between_their_own_mean_and_the_common_one(data) -> None:
    """At exactly the share that the shrinkage factor says."""
    products, scaling = model_of(data())
    fit, own = partial_pooling(products, scaling, "varying_intercept", (0,)), no_pooling(products).coef[:, 0]
    share = fit.shrinkage_factor[:, 0]
    np.testing.assert_allclose(fit.coef[:, 0], share * fit.fixef[0] + (1 - share) * own, rtol=1e-8)
    assert ((share > 0) & (share < 1)).all()
    lower, upper = np.minimum(own, fit.fixef[0]), np.maximum(own, fit.fixef[0])
    assert ((fit.coef[:, 0] >= lower) & (fit.coef[:, 0] <= upper)).all()


def test_smaller_groups_are_pulled_further() -> None:
    products, scaling = model_of(bounce_rates())
    fit = partial_pooling(products, scaling, "varying_intercept", (0,))
    order = np.argsort(products.n)
    assert (np.diff(fit.shrinkage_factor[order, 0]) < 0).all()


def test_a_singular_fit_pools_fully() -> None:
    products, scaling = model_of(dyestuff2())
    np.testing.assert_array_equal(partial_pooling(products, scaling, "varying_intercept", (0,)).shrinkage_factor, 1.0)


def test_estimates_of_a_balanced_design_are_pulled_together() -> None:
    """Sleepstudy: every subject alike, so the spread of the estimates shrinks in both terms."""
    products, scaling = model_of(sleepstudy())
    fit, own = partial_pooling(products, scaling, "varying_intercept_slope", (0, 1)), no_pooling(products)
    assert (fit.coef.std(axis=0) < own.coef.std(axis=0)).all()
    np.testing.assert_allclose(fit.coef.mean(axis=0), own.coef.mean(axis=0), rtol=1e-6)
