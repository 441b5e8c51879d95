"""Group effects are drawn from their own conditionals: those of fine numerical integration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import cumulative_trapezoid

from tasks.stats.counted.group_draws import standardised_effects
from tasks.stats.counted.group_modes import linear_of
from tasks.stats.counted.links import log_likelihood_of
from tasks.stats.counted.unconstrained import full_design
from tasks.stats.fits.cells import Family
from tasks.stats.records import Floats
from tests.counted_data import counted
from tests.counted_models import model_of

N_DRAWS = 20_000  # copies of each group


@pytest.mark.parametrize("tau", [0.05, 0.7, 3.0])
@pytest.mark.parametrize(
    ("family", "events", "size"),
    [
        ("binomial", 0, 1),
        ("binomial", 0, 1000),
        ("binomial", 3, 3),
        ("binomial", 40, 80),
        ("poisson", 0, 0.5),
        ("poisson", 0, 500),
        ("poisson", 12, 3),
    ],
)
def test_one_effect_has_its_conditional_distribution(family: Family, events: int, size: float, tau: float) -> None:
    """Also where that is skewed: no events, or nothing but events, and a wide spread of groups."""
    cells = counted(family, np.full(N_DRAWS, events), np.full(N_DRAWS, size), np.arange(N_DRAWS))
    design, beta = full_design(model_of(cells)), np.array([-1.2])
    start = np.zeros((1, N_DRAWS))
    linear = linear_of(design, beta, np.array([[tau]]))
    drawn = tau * standardised_effects(design, linear, start, np.random.default_rng(3))[0]
    grid = np.linspace(-30 * tau, 30 * tau, 40_001)
    log_joint = log_likelihood_of(family, np.array(events), np.array(size), beta[0] + grid) - 0.5 * (grid / tau) ** 2
    below = cumulative_trapezoid(np.exp(log_joint - log_joint.max()), grid, initial=0.0)
    found = stats.kstest(drawn, lambda at: np.interp(at, grid, below / below[-1]))
    assert found.pvalue > 1e-3


def moments_on_grid(log_lik_at: Floats, b: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    log_joint = log_lik_at + stats.multivariate_normal(np.zeros(2), covariance).logpdf(b)
    mass = np.exp(log_joint - log_joint.max())
    mass /= mass.sum()
    mean = np.einsum("gh,ghk->k", mass, b)
    return mean, np.einsum("gh,ghk,ghm->km", mass, b - mean, b - mean)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
@pytest.mark.parametrize("events", [(0, 0, 0), (1, 3, 5)])
def test_two_effects_have_the_moments_of_their_conditional(family: Family, events: tuple[int, ...]) -> None:
    x, size = np.array([-1.0, 0.0, 1.0]), np.array([3.0, 8.0, 5.0])
    n = N_DRAWS
    group = np.repeat(np.arange(n), 3)
    cells = counted(family, np.tile(events, n), np.tile(size, n), group, np.tile(x, n))
    design = full_design(model_of(cells, (0, 1)))
    beta, factor = np.array([-0.5, 0.3]), np.array([[1.2, 0.0], [-0.5, 0.9]])
    linear = linear_of(design, beta, factor)
    drawn = factor @ standardised_effects(design, linear, np.zeros((2, n)), np.random.default_rng(5))
    b = np.stack(np.meshgrid(np.linspace(-9, 7, 500), np.linspace(-7, 7, 500), indexing="ij"), axis=-1)
    scaled = x / np.std(np.tile(x, n), ddof=1)
    eta = beta[0] + b[..., :1] + (beta[1] + b[..., 1:]) * scaled
    log_lik = log_likelihood_of(family, np.array(events), size, eta).sum(axis=-1)
    mean, covariance = moments_on_grid(log_lik, b, factor @ factor.T)
    sd = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose((drawn.mean(axis=1) - mean) / sd, 0.0, atol=4 / np.sqrt(n))
    np.testing.assert_allclose(np.cov(drawn) / np.outer(sd, sd), covariance / np.outer(sd, sd), atol=8 / np.sqrt(n))
