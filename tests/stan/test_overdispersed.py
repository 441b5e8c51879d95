"""The program for overdispersed rows has the density of the formulas, and samples where the likelihood is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import stanli

from tasks.engines.engines import COUNTED, EmbeddedEngine
from tasks.stats.counted.overdispersed_fit import overdispersed_fit
from tasks.stats.counted.priors import default_priors
from tasks.stats.counted.stan_data import counted_data
from tasks.stats.fits.cells import Family
from tasks.study.settings import SamplerSettings
from tests.counted_density import density, some_units
from tests.counted_worlds import World, simulate
from tests.sbc.bands import Uniformity
from tests.sbc.counted import KEPT, WITH_DISPERSION, CountedSimulation
from tests.unconstrained import points

FAMILIES: tuple[Family, ...] = ("binomial", "poisson")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("varying", [(0,), (1,), (0, 1)])
def test_log_density_is_the_formulas_up_to_a_constant(family: Family, varying: tuple[int, ...]) -> None:
    model = simulate(World(family, groups=5, rows=(3, 9), trials=(1, 8), dispersion=0.4), 1).model(varying)
    model = replace(model, is_overdispersed=True)
    data = some_units(counted_data(model, default_priors(model)), 1)
    program = stanli.Model(stan_file=str(COUNTED), data=data)
    where = points(program)
    theirs = np.array([program.log_prob_grad(free)[0] for free in where])
    ours = np.array([density(free, data) for free in where])
    np.testing.assert_allclose(theirs - theirs[0], ours - ours[0], rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_dispersion_is_a_regular_point(family: Family) -> None:
    """Where dispersion goes to 0, only its own density on the log scale still falls, by 1 per unit."""
    model = simulate(World(family, groups=5, rows=(3, 9), trials=(2, 8)), 1).model()
    model = replace(model, is_overdispersed=True)
    data = counted_data(model, default_priors(model))
    program = stanli.Model(stan_file=str(COUNTED), data=data)
    for log_dispersion in (-14.0, -16.0, -18.0):
        free = np.append(np.full(program.n_unconstrained - 1, 0.1), log_dispersion)
        value, gradient = program.log_prob_grad(free)
        assert gradient[-1] == pytest.approx(1.0, abs=2e-3)
        assert density(free, data) - density(np.append(free[:-1], -8.0), data) == pytest.approx(
            value - program.log_prob_grad(np.append(free[:-1], -8.0))[0], abs=1e-5
        )


@pytest.mark.parametrize("family", FAMILIES)
def test_the_posterior_lies_about_the_maximum_of_the_likelihood(family: Family) -> None:
    made = simulate(World(family, groups=40, rows=(10, 20), trials=(3, 9), dispersion=0.3), 5)
    model = made.model()
    model = replace(model, is_overdispersed=True)
    data = counted_data(model, default_priors(model))
    settings = SamplerSettings().model_copy(update={"chains": 2, "warmup": 300, "draws": 300})
    draws = EmbeddedEngine().sample(COUNTED, data, settings, 3, lambda _: None)
    fit = overdispersed_fit(model)
    for name, estimate in (("dispersion", fit.dispersion), ("sigma_group", np.sqrt(fit.cov[0, 0]))):
        assert abs(draws[name].mean() - estimate) < 0.5 * draws[name].std()
    for k in range(2):
        assert abs(draws["beta"][..., k].mean() - fit.fixef[k]) < 0.3 * draws["beta"][..., k].std()


@pytest.mark.parametrize("program", WITH_DISPERSION)
def test_ranks_of_the_truth_are_about_uniform(program: str) -> None:
    """A few of the simulations of `make sbc`, which runs many."""
    ranks = [CountedSimulation(program, (2, 3, 4, 6), (1, 9, number)).ranks() for number in range(6)]
    kept = [each for each in ranks if each is not None]
    assert len(kept) >= 4
    for name in ("dispersion", "log likelihood"):
        assert Uniformity(np.array([each[name] for each in kept]), KEPT).p_value > 1e-3
