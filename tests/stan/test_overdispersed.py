"""The program for overdispersed rows has the density of the formulas, and samples where the likelihood is."""

from __future__ import annotations

import numpy as np
import pytest
import stanli
from scipy import stats

from tasks.engines.engines import OVERDISPERSED, EmbeddedEngine
from tasks.stats.counted.overdispersed import log_density
from tasks.stats.counted.overdispersed_fit import overdispersed_fit
from tasks.stats.counted.priors import default_priors
from tasks.stats.counted.stan_data import overdispersed_data
from tasks.stats.fits.cells import Family
from tasks.stats.records import Floats
from tasks.study.settings import SamplerSettings
from tests.counted_worlds import World, simulate
from tests.sbc.bands import Uniformity
from tests.sbc.counted import KEPT, WITH_DISPERSION, CountedSimulation
from tests.unconstrained import correlation_factor, effects_of, points, random_units

FAMILIES: tuple[Family, ...] = ("binomial", "poisson")


def formulas(free: Floats, data: dict) -> float:
    """In the order of declaration: beta, log sigma_group, L_group, e, log dispersion."""
    p, q, phi = data["p"], data["q"], np.exp(free[-1])
    beta, log_sd, rest = free[:p], free[p : p + q], free[p + q : -1]
    n = q * (q - 1) // 2
    factor, log_jacobian = correlation_factor(rest[:n], q)
    sd, own = data["sigma_group_unit"] * np.exp(log_sd), data["u_own"]
    fixed = data["beta_center"] + data["beta_factor"] @ beta
    effects = effects_of(rest[n:].reshape(data["J"], q), fixed, sd, data)
    z = np.linalg.solve(factor, (effects / sd).T)
    eta = data["X"] @ fixed + (data["Z"] * effects[data["group"] - 1]).sum(axis=1)
    family: Family = "binomial" if data["is_binomial"] else "poisson"
    size = data["trials"] if data["is_binomial"] else np.exp(data["log_exposure"])
    return float(
        log_density(family, data["events"], size, eta, phi).sum()
        + stats.norm.logpdf(fixed, data["beta_mean"], data["beta_sd"]).sum()
        + stats.norm.logpdf(sd, 0, data["sigma_group_sd"]).sum()
        + stats.norm.logpdf(phi, 0, data["dispersion_sd"])
        + stats.norm.logpdf(z).sum()
        - (own * np.log(sd)).sum()
        - data["J"] * np.log(np.diag(factor)).sum()
        + sum((q - i - 1 + 2 * (data["lkj"] - 1)) * np.log(factor[i, i]) for i in range(1, q))
        + log_jacobian
        + log_sd.sum()
        + free[-1]
    )


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("varying", [(0,), (1,), (0, 1)])
def test_log_density_is_the_formulas_up_to_a_constant(family: Family, varying: tuple[int, ...]) -> None:
    model = simulate(World(family, groups=5, rows=(3, 9), trials=(1, 8), dispersion=0.4), 1).model(varying)
    data = random_units(overdispersed_data(model, default_priors(model)), 1)
    program = stanli.Model(stan_file=str(OVERDISPERSED), data=data)
    where = points(program)
    theirs = np.array([program.log_prob_grad(free)[0] for free in where])
    ours = np.array([formulas(free, data) for free in where])
    np.testing.assert_allclose(theirs - theirs[0], ours - ours[0], rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_dispersion_is_a_regular_point(family: Family) -> None:
    """Where dispersion goes to 0, only its own density on the log scale still falls, by 1 per unit."""
    model = simulate(World(family, groups=5, rows=(3, 9), trials=(2, 8)), 1).model()
    data = overdispersed_data(model, default_priors(model))
    program = stanli.Model(stan_file=str(OVERDISPERSED), data=data)
    for log_dispersion in (-14.0, -16.0, -18.0):
        free = np.append(np.full(program.n_unconstrained - 1, 0.1), log_dispersion)
        value, gradient = program.log_prob_grad(free)
        assert gradient[-1] == pytest.approx(1.0, abs=2e-3)
        assert formulas(free, data) - formulas(np.append(free[:-1], -8.0), data) == pytest.approx(
            value - program.log_prob_grad(np.append(free[:-1], -8.0))[0], abs=1e-5
        )


@pytest.mark.parametrize("family", FAMILIES)
def test_the_posterior_lies_about_the_maximum_of_the_likelihood(family: Family) -> None:
    made = simulate(World(family, groups=40, rows=(10, 20), trials=(3, 9), dispersion=0.3), 5)
    model = made.model()
    data = overdispersed_data(model, default_priors(model))
    settings = SamplerSettings().model_copy(update={"chains": 2, "warmup": 300, "draws": 300})
    draws = EmbeddedEngine().sample(OVERDISPERSED, data, settings, 3, lambda _: None)
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
