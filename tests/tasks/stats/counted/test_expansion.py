"""Of groups whose levels are known well, the expansion's likelihood is that of the cells, and so are its draws."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tasks.stats.bayes.resampling import normal_at_mode
from tasks.stats.counted import expanded as module
from tasks.stats.counted import resampling
from tasks.stats.counted.expanded import Expanded, error_of, expanded, known_effects
from tasks.stats.counted.few_nodes import LARGEST_ERROR
from tasks.stats.counted.group_draws import standardised_effects
from tasks.stats.counted.group_modes import linear_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.outcomes import cumulant_and_rate, derivatives
from tasks.stats.counted.priors import default_priors
from tasks.stats.counted.quadrature import POINTS, rule
from tasks.stats.counted.unconstrained import CountedMarginal, counted_marginal
from tasks.stats.fits.cells import Family
from tasks.stats.records import Floats
from tests.counted_models import simulated_model

FAMILIES: tuple[Family, ...] = ("binomial", "poisson")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the cells were many."""
    monkeypatch.setattr(module, "FEW_CELLS", 100)


@cache
def model(family: Family) -> CountedModel:
    """Thirty groups of many rows, and twenty of one."""
    return simulated_model(family, 3, [40] * 30 + [1] * 20, (-0.7, 0.4, -0.2), (0.6,), (4, 12))


@cache
def marginal(family: Family) -> CountedMarginal:
    return counted_marginal(model(family), default_priors(model(family)))


def found(family: Family) -> Expanded:
    made = expanded(marginal(family))
    assert made is not None
    return made


@pytest.mark.parametrize("family", FAMILIES)
def test_derivatives_are_those_of_differences(family: Family) -> None:
    eta, step = np.linspace(-3, 3, 13), 1e-4
    up, down = (derivatives(family, cumulant_and_rate(family, eta + s)[1], 5) for s in (step, -step))
    at = derivatives(family, cumulant_and_rate(family, eta)[1], 6)
    np.testing.assert_allclose(at[1:], (up - down) / (2 * step), atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_density_is_that_of_the_cells(family: Family) -> None:
    """Not only up to a constant, also twice as far from the mode as proposals lie; some groups are of the rest."""
    made, exact = found(family), replace(marginal(family), rule=rule(1, POINTS[1]))
    assert 0 < made.is_known.sum() < made.is_known.size
    d = made.guessed_scale.size
    at = normal_at_mode(made.log_density, np.zeros(d), made.guessed_scale)
    z = np.random.default_rng(5).standard_normal((30, d))
    for times, most in ((1.0, 0.005), (2.0, 0.05)):
        places = at.mode + times * z @ at.root.T
        np.testing.assert_allclose(made.log_density(places), exact.log_density(places), rtol=0.0, atol=most)
    assert error_of(made, exact, at) < LARGEST_ERROR


@pytest.mark.parametrize("family", FAMILIES)
def test_effects_are_those_drawn_from_cells(family: Family) -> None:
    made, n = found(family), 4000
    at = marginal(family).constrained(np.tile(0.5 * made.guessed_scale, (n, 1)))
    ours = known_effects(made, at, np.random.default_rng(1))
    design = marginal(family).design
    linear, rng = linear_of(design, at.beta[0], at.factor[0]), np.random.default_rng(2)
    theirs = np.array([standardised_effects(design, linear, marginal(family).modes, rng)[0] for _ in range(n)])
    theirs = theirs[:, made.is_known]
    sd = theirs.std(axis=0)
    np.testing.assert_allclose((ours.mean(axis=0) - theirs.mean(axis=0)) / sd, 0.0, atol=4.5 * np.sqrt(2 / n))
    np.testing.assert_allclose(ours.std(axis=0) / sd, 1.0, atol=4.5 * np.sqrt(1 / n))


def test_the_posterior_is_that_by_few_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    own, priors = model("binomial"), default_priors(model("binomial"))
    ours = resampling.resampled_posterior(own, priors, 4, 1000, 1, lambda _: None)
    monkeypatch.setattr(resampling, "expanded", lambda _: None)
    theirs = resampling.resampled_posterior(own, priors, 4, 1000, 2, lambda _: None)
    assert ours.found.n_proposed == resampling.EXPANDED_PROPOSALS != theirs.found.n_proposed
    least = 4 * np.sqrt(1 / ours.found.ess_bulk.min() + 1 / theirs.found.ess_bulk.min())
    for name in ("beta", "sigma_group", "group_coef"):
        one, other = (getattr(each.draws, name) for each in (ours, theirs))
        sd = other.std(axis=(0, 1))
        np.testing.assert_allclose((one.mean(axis=(0, 1)) - other.mean(axis=(0, 1))) / sd, 0.0, atol=least)
        np.testing.assert_allclose(one.std(axis=(0, 1)) / sd, 1.0, atol=least)


def test_groups_that_are_not_known_well_are_left_to_the_cells() -> None:
    wide = simulated_model("binomial", 3, [2] * 100, (-0.7, 0.4), (0.6,), (1, 4))
    assert expanded(counted_marginal(wide, default_priors(wide))) is None


def test_an_expansion_that_is_off_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    own = model("binomial")
    monkeypatch.setattr(resampling, "is_exact_enough", lambda _: False)
    made = resampling.resampled_posterior(own, default_priors(own), 4, 100, 1, lambda _: None)
    assert made.found.n_proposed != resampling.EXPANDED_PROPOSALS


class NoMode:
    """An expansion that is of no use."""

    guessed_scale = np.ones(3)

    def log_density(self, free: Floats) -> Floats:
        return np.full(len(free), np.nan)


def test_an_expansion_without_a_mode_leaves_the_posterior_to_few_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    of = simulated_model("poisson", 1, [4] * 30, (-0.5, 0.4), (0.6,))
    monkeypatch.setattr(resampling, "expanded", lambda _: NoMode())
    made = resampling.resampled_posterior(of, default_priors(of), 2, 200, 1, lambda _: None)
    assert made.found.n_proposed < resampling.EXPANDED_PROPOSALS
    assert made.draws.sigma_group.mean() == pytest.approx(0.6, abs=0.3)
