"""Importance resampling and Stan draw from the same posterior; what is kept of the draws is what is reported."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from arviz_stats.base import array_stats

from tasks.engines.engines import COUNTED, EmbeddedEngine
from tasks.stats.bayes import posterior as kept
from tasks.stats.bayes.resampling import normal_at_mode
from tasks.stats.counted.few_nodes import LARGEST_ERROR, few_nodes
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.posterior import counted_draws
from tasks.stats.counted.priors import default_priors
from tasks.stats.counted.quadrature import POINTS, rule
from tasks.stats.counted.resampling import CountedResampled, resampled_posterior
from tasks.stats.counted.stan_data import counted_data
from tasks.stats.counted.unconstrained import counted_marginal
from tasks.stats.draws import Draws
from tasks.stats.records import Floats
from tasks.study.settings import SamplerSettings
from tests.counted_models import simulated_model, with_size

DESIGNS = {
    "binomial, intercept": lambda: simulated_model("binomial", 1, [1] * 90, (-1.0,), (0.8,), (3, 30)),
    "poisson, slope and exposure": lambda: simulated_model("poisson", 2, [1, 3, 5, 7] * 15, (-0.5, 0.4), (0.6,)),
    "binomial, two effects": lambda: simulated_model("binomial", 3, [6] * 50, (-0.5, 0.6), (0.8, 0.5), (2, 9)),
    "poisson, size added": lambda: with_size("poisson", 4, 100),
}
SETTINGS = SamplerSettings().model_copy(update={"adapt_delta": 0.9})


@cache
def resampled(name: str) -> tuple[CountedModel, CountedResampled]:
    model = DESIGNS[name]()
    return model, resampled_posterior(model, default_priors(model), 4, 1000, 1, lambda _: None)


def columns(draws: Draws) -> Floats:
    """(C, D, …) parameters."""
    shape = draws.beta.shape[:2]
    parts = (draws.beta, draws.sigma_group, draws.correlation[..., 1:, 0])
    return np.concatenate([part.reshape(*shape, -1) for part in parts], axis=-1)


@pytest.mark.parametrize("name", DESIGNS)
def test_moments_are_those_of_stan_within_monte_carlo_error(name: str) -> None:
    model, made = resampled(name)
    data = counted_data(model, default_priors(model))
    variables = EmbeddedEngine().sample(COUNTED, data, SETTINGS, 2, lambda _: None)
    theirs = counted_draws(variables, model)
    assert made.found.pareto_k < 0.5
    axes = {"chain_axis": 0, "draw_axis": 1}
    worth = made.found.ess_bulk
    pairs = zip(*(np.moveaxis(columns(each), -1, 0) for each in (made.draws, theirs)), strict=True)
    for at, (ours, others) in enumerate(pairs):
        error, error_of_sd = (array_stats.mcse(others, method=method, **axes) for method in ("mean", "sd"))
        sd = others.std()
        assert abs(ours.mean() - others.mean()) < 4 * np.hypot(error, sd / np.sqrt(worth[at]))
        assert abs(ours.std() - sd) < 4 * np.hypot(error_of_sd, sd / np.sqrt(worth[at]))
    flat = [each.group_coef.reshape(-1, *each.group_coef.shape[2:]) for each in (made.draws, theirs)]
    (mean, sd), (mean_theirs, sd_theirs) = [(each.mean(axis=0), each.std(axis=0)) for each in flat]
    least = 4 * np.sqrt(1 / worth.min() + 1 / 1000)  # Stan's draws of groups are worth 1000 at least
    np.testing.assert_allclose((mean - mean_theirs) / sd_theirs, 0.0, atol=least)
    np.testing.assert_allclose(sd / sd_theirs, 1.0, atol=least)


@pytest.mark.parametrize("name", DESIGNS)
def test_few_nodes_are_as_exact_as_many(name: str) -> None:
    """At other places than those that were looked at, within twice the error allowed; a constant does not matter."""
    model = DESIGNS[name]()
    rough = counted_marginal(model, default_priors(model))
    at = normal_at_mode(rough.log_density, np.zeros(rough.guessed_scale.size), rough.guessed_scale)
    few = few_nodes(rough, at)
    assert few.points < POINTS[rough.design.q]
    places = at.mode + np.random.default_rng(77).standard_normal((20, at.mode.size)) @ at.root.T
    exact = replace(rough, rule=rule(rough.design.q, POINTS[rough.design.q])).log_density(places)
    assert np.ptp(few.log_density(places) - exact) < 2 * LARGEST_ERROR


@pytest.mark.parametrize("name", DESIGNS)
def test_coefficients_are_curved_as_their_units_say(name: str) -> None:
    """So that of many cells their mixed derivatives need not be computed: about the same normal proposals come out."""
    model = DESIGNS[name]()
    rough = counted_marginal(model, default_priors(model))
    start, scale = np.zeros(rough.guessed_scale.size), rough.guessed_scale
    full, settled = (normal_at_mode(rough.log_density, start, scale, n) for n in (0, rough.beta_center.size))
    sd, sd_settled = (np.sqrt(np.diag(one.root @ one.root.T)) for one in (full, settled))
    np.testing.assert_allclose((settled.mode - full.mode) / sd, 0.0, atol=0.1)
    np.testing.assert_allclose(sd_settled / sd, 1.0, atol=0.15)


def test_a_large_design_is_cut_between_groups_and_a_small_one_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The density does not depend on how many cells are computed at once."""
    model = DESIGNS["binomial, two effects"]()
    marginal = counted_marginal(model, default_priors(model))
    free = 0.3 * np.random.default_rng(1).standard_normal((5, 5))
    repeated = marginal.log_density(free)
    monkeypatch.setattr("tasks.stats.counted.batches.CELLS_AT_ONCE", 100)
    np.testing.assert_allclose(marginal.log_density(free), repeated, atol=1e-3)


def test_the_same_seed_gives_the_same_draws() -> None:
    model, made = resampled("binomial, intercept")
    same, other = (resampled_posterior(model, default_priors(model), 4, 1000, seed, lambda _: None) for seed in (1, 2))
    np.testing.assert_array_equal(made.draws.group_coef, same.draws.group_coef)
    assert not np.array_equal(made.draws.beta, other.draws.beta)


def test_a_group_is_described_by_the_studys_own_terms() -> None:
    """Its level has what size contributes; its slope is everybody's."""
    model, made = resampled("poisson, size added")
    draws = made.draws
    assert (draws.beta.shape[-1], draws.group_coef.shape[-1]) == (3, 2)
    np.testing.assert_array_equal(draws.group_coef[..., 1], np.repeat(draws.beta[..., None, 1], 100, axis=-1))
    level = draws.beta[..., None, 0] + draws.beta[..., None, 2] * model.group_values[:, 0]
    effect = draws.group_coef[..., 0] - level
    assert abs(effect.mean()) < 0.1
    assert effect.std() == pytest.approx(draws.sigma_group.mean(), rel=0.2)


def test_a_group_without_a_cell_is_one_of_all_groups() -> None:
    model = simulated_model("binomial", 1, [3] * 40, (-1.0,), (0.8,), (3, 30))
    cells = replace(model.cells, labels=(*model.cells.labels, "new"))
    made = resampled_posterior(replace(model, cells=cells), default_priors(model), 4, 1000, 1, lambda _: None)
    coef = made.draws.group_coef
    effect = coef[:, :, -1, 0] - made.draws.beta[..., 0]
    assert coef.shape[2] == 41
    assert effect.std() == pytest.approx(np.sqrt((made.draws.sigma_group**2).mean()), rel=0.1)


def test_group_effects_are_kept_for_some_draws_where_all_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    model = with_size("binomial", 5, 30)
    rng = np.random.default_rng(1)
    variables = {
        "beta": rng.standard_normal((2, 400, 3)),
        "sigma_group": np.ones((2, 400, 1)),
        "L_group": np.ones((2, 400, 1, 1)),
        "u": rng.standard_normal((2, 400, 30, 1)),
    }
    every = counted_draws(variables, model)
    monkeypatch.setattr(kept, "GROUP_VALUES_LIMIT", 2 * 200 * 60)
    monkeypatch.setattr(kept, "CHECKED_QUANTITIES", 20)
    some = counted_draws(variables, model)
    assert every.checked_coef is None
    assert (some.group_thin, some.checked_step) == (2, 3)
    assert some.checked_coef is not None
    np.testing.assert_array_equal(some.group_coef, every.group_coef[:, ::2])
    np.testing.assert_array_equal(some.checked_coef, every.group_coef[:, :, ::3])
    assert not every.from_chains
