"""One or two varying effects by closed forms: the criterion, its gradient and the spread are those of the profile."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.stats.fits.batched_reml import factors
from tasks.stats.fits.closed_form import BLOCK_VALUES, evaluate, sums
from tasks.stats.fits.reml import Criterion, MixedModel, closed_form_of, mixed_model, profile
from tests.datasets import bounce_rates, grouped, model_of, simulated, sleepstudy


def constant_within_groups():
    """Groups of one row, and groups whose predictor is constant: Z'Z is singular."""
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(12), [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6])
    x = np.where(labels % 2, rng.standard_normal(labels.size), 0.1 * labels)
    return grouped(rng.standard_normal(labels.size) + labels, labels, x)


DATA = {
    "regular": sleepstudy,
    "far from 0": bounce_rates,
    "singular": constant_within_groups,
    "three coefficients": lambda: simulated(11, [1, 2, 3, 9, 5, 4], beta=(5.0, 1.0, -2.0), sd=(2.0, 0.5, 1.0)),
}


def agrees(model: MixedModel, thetas: np.ndarray) -> None:
    data, at_factors = closed_form_of(model), factors(thetas, model.q)
    found = evaluate(data, at_factors)
    v = sums(data, at_factors, found.fixef)
    for b, theta in enumerate(thetas):
        at = profile(model, theta)
        assert found.value[b] == pytest.approx(at.value, rel=1e-10, abs=1e-8)
        size = np.abs(at.covariance_gradient).max()
        np.testing.assert_allclose(found.covariance_gradient[b], at.covariance_gradient, atol=1e-7 * max(size, 1.0))
        np.testing.assert_allclose(found.spread[b], at.v.T @ at.v / at.sigma**2, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(found.fixef[b], at.fixef, rtol=1e-7, atol=1e-9)
        assert found.sigma[b] == pytest.approx(at.sigma, rel=1e-7)
        np.testing.assert_allclose(v[b], at.v.T, rtol=1e-6, atol=1e-7 * at.sigma)


@settings(deadline=None, max_examples=40)
@given(
    name=st.sampled_from(sorted(DATA)),
    varying=st.sampled_from([(0,), (1,), (0, 1), (1, 0)]),
    criterion=st.sampled_from(["reml", "ml"]),
    scale=st.sampled_from([0.0, 0.01, 0.3, 1.0, 10.0]),
    seed=st.integers(0, 10**6),
)
def test_closed_forms_equal_the_profile(
    name: str, varying: tuple[int, ...], criterion: Criterion, scale: float, seed: int
) -> None:
    model = mixed_model(model_of(DATA[name]())[0], varying, criterion)
    q = len(varying)
    agrees(model, scale * np.random.default_rng(seed).standard_normal((3, q * (q + 1) // 2)))


def test_more_than_are_evaluated_at_once() -> None:
    model = mixed_model(model_of(simulated(5, [3] * 900))[0], (0, 1))
    n = 2 * BLOCK_VALUES // (12 * 900) + 1
    agrees(model, np.random.default_rng(1).standard_normal((n, 3)))
