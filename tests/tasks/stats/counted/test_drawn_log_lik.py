"""Likelihoods of many draws at once are those of each draw by itself, near the draws' mean and far from it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tasks.stats.counted import drawn_log_lik as module
from tasks.stats.counted.drawn_log_lik import (
    about_near_modes,
    about_searched_modes,
    by_draw,
    drawn_log_lik,
    mean_modes,
    parameter_draws,
)
from tasks.stats.counted.draws import CountedDraws
from tasks.stats.counted.marginal_likelihood import evaluate
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.priors import default_priors
from tasks.stats.counted.quadrature import rule
from tasks.stats.counted.resampling import resampled_posterior
from tasks.stats.counted.unconstrained import full_design
from tasks.stats.fits.cells import Family
from tests.counted_models import simulated_model

FAMILIES: tuple[Family, ...] = ("binomial", "poisson")
SPREADS = ((0.6,), (0.6, 0.3))


@cache
def many(family: Family, sd: tuple[float, ...], n_groups: int = 60) -> tuple[CountedModel, CountedDraws]:
    model = simulated_model(family, 7, [4] * n_groups, (-0.5, 0.4), sd, (2, 30))
    return model, resampled_posterior(model, default_priors(model), 4, 25, 1, lambda _: None).draws


@pytest.mark.parametrize("sd", SPREADS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_draw_has_the_likelihood_of_its_own_fit(family: Family, sd: tuple[float, ...]) -> None:
    model, draws = many(family, sd)
    found, at = drawn_log_lik(model, draws), parameter_draws(draws)
    design = found.design
    values, start = found.of_groups.reshape(100, -1), np.zeros((design.q, design.n_groups))
    for s in range(0, 100, 9):
        exact = evaluate(design, rule(design.q, {1: 25, 2: 15}[design.q]), at.beta[s], at.factor[s], start)
        assert values[s].sum() == pytest.approx(exact.value, abs=0.03)


@pytest.mark.parametrize("sd", SPREADS)
@pytest.mark.parametrize("family", FAMILIES)
def test_modes_that_were_not_searched_do_as_well(family: Family, sd: tuple[float, ...]) -> None:
    model, draws = many(family, sd, 400)
    design, at = full_design(model), parameter_draws(draws)
    modes = mean_modes(design, at)
    near, searched = about_near_modes(design, at, modes, at), about_searched_modes(design, at, modes.u)
    np.testing.assert_allclose(near, searched, rtol=0, atol=5e-3)
    np.testing.assert_array_equal(by_draw(design, at), near)


def test_with_three_effects_each_draw_has_its_laplace_approximation() -> None:
    model = simulated_model("binomial", 7, [6] * 30, (-0.5, 0.4, 0.2), (0.6, 0.3, 0.2), (2, 30))
    design, rng = full_design(model), np.random.default_rng(1)
    factor = np.diag([0.6, 0.3, 0.2]) * (1.0 + 0.1 * rng.standard_normal((20, 1, 1)))
    at = module.ParameterDraws(np.array([-0.5, 0.4, 0.2]) + 0.1 * rng.standard_normal((20, 3)), factor)
    start = np.zeros((3, 30))
    exact = [evaluate(design, rule(3, 1), at.beta[s], at.factor[s], start).value for s in range(20)]
    np.testing.assert_allclose(by_draw(design, at).sum(axis=1), exact, atol=0.03)


def test_draws_far_apart_have_their_modes_searched() -> None:
    """Twelve groups whose SD may be 0.05 or 4: one set of nodes does not suit both."""
    model, draws = many("binomial", (0.6,), 12)
    design, at = full_design(model), parameter_draws(draws)
    wide = module.ParameterDraws(at.beta, np.linspace(0.05, 4.0, 100)[:, None, None])
    modes = mean_modes(design, wide)
    searched = about_searched_modes(design, wide, modes.u)
    assert np.abs(about_near_modes(design, wide, modes, wide) - searched).max() > module.OFF_IN_GROUP
    np.testing.assert_array_equal(by_draw(design, wide), searched)


def test_thinned_draws_keep_their_group_effects(monkeypatch: pytest.MonkeyPatch) -> None:
    model, draws = many("poisson", (0.6,))
    every = drawn_log_lik(model, draws)
    assert every.of_groups.shape == (4, 25, 60)
    monkeypatch.setattr(module, "FEWEST_DRAWS", 20)
    monkeypatch.setattr(module, "VALUES_AFFORDED", 20 * model.cells.events.size)
    few = drawn_log_lik(model, draws)
    assert few.n_draws == 20
    np.testing.assert_array_equal(few.draws.group_coef, draws.group_coef[:, ::5])
    np.testing.assert_array_equal(few.draws.beta, draws.beta[:, ::5])
    np.testing.assert_allclose(few.of_groups, every.of_groups[:, ::5], atol=1e-3)
