"""The program for counted outcomes has the density of the formulas, and samples the posterior of integration."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import stanli
from arviz_stats.base import array_stats
from numpy.polynomial.hermite_e import hermegauss
from scipy import stats

from tasks.engines.engines import COUNTED, EmbeddedEngine
from tasks.stats.bayes.stan_data import StanData
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.partial_pooling import partial_pooling
from tasks.stats.counted.priors import default_priors
from tasks.stats.counted.sampling_units import sampling_units
from tasks.stats.counted.stan_data import counted_data
from tasks.stats.fits.cells import Cells, Family, cells_of
from tasks.stats.records import Floats, Scaling
from tasks.study.settings import SamplerSettings
from tests.counted_density import density, some_units
from tests.unconstrained import points

DESIGNS = [(1, (0,)), (2, (0,)), (2, (1,)), (2, (0, 1)), (3, (0, 1, 2))]
FAMILIES: tuple[Family, ...] = ("binomial", "poisson")


def simulated(family: Family, n_rows: int, n_groups: int, p: int, seed: int = 1) -> Cells:
    rng = np.random.default_rng(seed)
    group, size = np.arange(n_rows) % n_groups, rng.integers(1, 9, n_rows).astype(float)
    x = rng.integers(0, 3, (n_rows, p - 1)).astype(float)
    eta = -1.0 + rng.normal(0, 0.7, n_groups)[group] + 0.3 * x.sum(axis=1)
    if family == "binomial":
        events = rng.binomial(size.astype(int), 1 / (1 + np.exp(-eta)))
    else:
        size = size * rng.uniform(0.5, 1.5, n_rows)
        events = rng.poisson(size * np.exp(eta))
    terms = ("intercept", *(f"x{k}" for k in range(1, p)))
    return cells_of(family, events.astype(float), size, x, group, [f"g{j}" for j in range(n_groups)], terms)


def model_of(cells: Cells, varying: tuple[int, ...]) -> CountedModel:
    """Predictors are taken as they are."""
    k = len(cells.terms) - 1
    return CountedModel(cells, Scaling(cells.terms[1:], np.zeros(k), np.ones(k), 0.0, 1.0), varying)


def data_of(cells: Cells, varying: tuple[int, ...]) -> StanData:
    model = model_of(cells, varying)
    return counted_data(model, default_priors(model))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("p", "varying"), DESIGNS)
@pytest.mark.parametrize("units", ["of priors", "of a fit", "others"])
def test_log_density_is_the_formulas_up_to_a_constant_and_its_gradient_is_one(
    family: Family, p: int, varying: tuple[int, ...], units: str
) -> None:
    of = model_of(simulated(family, 40, 5, p), varying)
    priors = default_priors(of)
    data = counted_data(of, priors, sampling_units(of, priors) if units == "of a fit" else None)
    if units == "others":
        data = some_units(data, p)
    model = stanli.Model(stan_file=str(COUNTED), data=data)
    where = points(model)
    theirs = np.array([model.log_prob_grad(free)[0] for free in where])
    ours = np.array([density(free, data) for free in where])
    np.testing.assert_allclose(theirs - theirs[0], ours - ours[0], rtol=1e-7, atol=1e-6)
    for free in where[:3]:
        steps = 1e-5 * np.eye(free.size)
        numeric = [(model.log_prob_grad(free + s)[0] - model.log_prob_grad(free - s)[0]) / 2e-5 for s in steps]
        np.testing.assert_allclose(model.log_prob_grad(free)[1], numeric, rtol=1e-5, atol=1e-4)


@cache
def integrated(family: Family) -> tuple[Floats, Floats]:
    """Posterior means and SDs of the intercept and the group SD, on a grid: each group's effect by 60-point quadrature
    about its mode's neighbourhood, which is fine for groups as small as these."""
    cells = simulated(family, 48, 8, 1, seed=4)
    priors = default_priors(model_of(cells, (0,)))
    nodes, weights = hermegauss(60)
    intercepts, sds = np.linspace(-3.5, 1.5, 301), np.linspace(1e-4, 3.5, 300)
    eta = intercepts[:, None, None] + sds[None, :, None] * nodes  # (I, S, K)
    total = np.zeros((intercepts.size, sds.size))
    for events, size in zip(cells.events, cells.size, strict=True):  # a cell a group
        if family == "binomial":
            log_lik = events * eta - size * np.logaddexp(0.0, eta)
        else:
            log_lik = events * eta - size * np.exp(eta)
        top = log_lik.max(axis=-1, keepdims=True)
        total += np.log((np.exp(log_lik - top) * weights).sum(axis=-1)) + top[..., 0]
    total += stats.norm.logpdf(intercepts, priors.beta_mean[0], priors.beta_sd[0])[:, None]
    total += stats.norm.logpdf(sds, 0, priors.sigma_group_sd[0])[None]
    mass = np.exp(total - total.max())
    mass /= mass.sum()
    means = np.array([(mass.sum(axis=1) * intercepts).sum(), (mass.sum(axis=0) * sds).sum()])
    squares = np.array([(mass.sum(axis=1) * intercepts**2).sum(), (mass.sum(axis=0) * sds**2).sum()])
    return means, np.sqrt(squares - means**2)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_posterior_is_that_of_integration_within_monte_carlo_error(family: Family) -> None:
    cells = simulated(family, 48, 8, 1, seed=4)
    settings = SamplerSettings().model_copy(update={"adapt_delta": 0.95, "draws": 2000})
    made = EmbeddedEngine().sample(COUNTED, data_of(cells, (0,)), settings, 3, lambda _: None)
    means, sds = integrated(family)
    for k, draws in enumerate((made["beta"][..., 0], made["sigma_group"][..., 0])):
        axes = {"chain_axis": 0, "draw_axis": 1}
        error, error_of_sd = (array_stats.mcse(draws, method=method, **axes) for method in ("mean", "sd"))
        assert abs(draws.mean() - means[k]) < 4 * error
        assert abs(draws.std(ddof=1) - sds[k]) < 4 * error_of_sd


@pytest.mark.parametrize("family", FAMILIES)
def test_the_prior_of_the_intercept_lies_about_the_overall_rate(family: Family) -> None:
    cells = simulated(family, 400, 5, 2)
    center, rate = default_priors(model_of(cells, (0,))).beta_mean[0], cells.events.sum() / cells.size.sum()
    assert (1 / (1 + np.exp(-center)) if family == "binomial" else np.exp(center)) == pytest.approx(rate, abs=0.01)
    none = cells_of(family, np.zeros(3), np.ones(3), np.zeros((3, 0)), np.arange(3), list("abc"), ("intercept",))
    assert np.isfinite(default_priors(model_of(none, (0,))).beta_mean).all()


def test_a_huge_group_beside_small_ones_is_sampled_without_divergences() -> None:
    """One group says nearly all of the intercept, and a spread of 0 is possible: a funnel in other parameters."""
    rng = np.random.default_rng(3)
    events, size = np.append(300_000.0, rng.binomial(1, 0.3, 50)), np.append(1e6, np.ones(50))
    cells = cells_of(
        "binomial", events, size, np.empty((51, 0)), np.arange(51), [f"g{j}" for j in range(51)], ["intercept"]
    )
    model = model_of(cells, (0,))
    data = counted_data(model, default_priors(model), sampling_units(model, default_priors(model)))
    made = EmbeddedEngine().sample(COUNTED, data, SamplerSettings(), 3, lambda _: None)
    assert made["divergent__"].sum() == 0
    assert made["n_leapfrog__"].mean() < 100


def test_separated_groups_beside_a_huge_one_are_sampled_in_few_steps() -> None:
    """Where a level has no finite best fit, the units are of the posterior's mode."""
    rng = np.random.default_rng(12)
    events = np.concatenate([rng.binomial(1, 0.1, 50), np.zeros(30), [9.0, 60_000.0, 41_000.0]])
    size = np.concatenate([np.ones(50), np.full(30, 12.0), [9.0, 600_000.0, 400_000.0]])
    group, x = np.minimum(np.arange(83), 81), np.zeros((83, 2))
    x[1::2, 0], x[80] = 1.0, (0.0, 1.0)
    cells = cells_of("binomial", events, size, x, group, [f"g{j}" for j in range(82)], ["intercept", "b", "only here"])
    model = model_of(cells, (0,))
    assert not partial_pooling(cells, "varying_intercept", (0,)).is_converged
    data = counted_data(model, default_priors(model), sampling_units(model, default_priors(model)))
    made = EmbeddedEngine().sample(COUNTED, data, SamplerSettings(), 3, lambda _: None)
    assert made["n_leapfrog__"].mean() < 40
    assert made["divergent__"].sum() == 0
