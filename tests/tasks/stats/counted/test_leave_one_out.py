"""Leave-one-out scores are those of refits without the cell or the group, by brute-force integration."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy import stats
from scipy.special import logsumexp

from tasks.stats.counted import leave_one_out as module
from tasks.stats.counted.drawn_log_lik import drawn_log_lik
from tasks.stats.counted.draws import CountedDraws
from tasks.stats.counted.leave_one_out import cell_constants, left_out_cells, left_out_groups
from tasks.stats.counted.links import log_likelihood_of, mean_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.priors import CountedPriors, default_priors
from tasks.stats.counted.resampling import resampled_posterior
from tasks.stats.fits.cells import Cells, Family
from tasks.stats.records import Floats
from tests.counted_models import simulated_model

BETA, TAU = np.linspace(-4.0, 2.5, 81), np.linspace(0.02, 4.0, 80)
FAMILIES: tuple[Family, ...] = ("binomial", "poisson")


def log_posterior(cells: Cells, priors: CountedPriors, weight: Floats) -> Floats:
    """(B, T) log of likelihood times prior; cells count as often as `weight` (C,) says."""
    nodes, node_weights = hermegauss(30)
    eta = BETA[:, None, None] + TAU[:, None] * nodes
    constant = cell_constants(cells)
    total = np.zeros((BETA.size, TAU.size))
    for j in range(cells.n_groups):
        log_lik = np.zeros_like(eta)
        for c in np.flatnonzero(cells.group_index == j):
            of_cell = log_likelihood_of(cells.family, cells.events[c], cells.size[c], eta) + constant[c]
            log_lik += weight[c] * of_cell
        total += logsumexp(log_lik + np.log(node_weights / np.sqrt(2 * np.pi)), axis=-1)
    total += stats.norm.logpdf(BETA, priors.beta_mean[0], priors.beta_sd[0])[:, None]
    return total + stats.halfnorm.logpdf(TAU, 0, priors.sigma_group_sd[0])


def without(cells: Cells, left_out: np.ndarray) -> Floats:
    weight = np.ones(cells.events.size)
    weight[left_out] = 0.0
    return weight


@cache
def tiny(family: Family) -> tuple[CountedModel, CountedDraws, Floats]:
    """Six groups of two cells, exact draws of the parameters from a grid, and the log posterior there."""
    model = simulated_model(family, 3, [2] * 6, (-0.7, 0.0), (0.8,), (2, 7))
    cells = replace(model.cells, x=np.empty((12, 0)), terms=("intercept",))
    model = replace(model, cells=cells, scaling=replace(model.scaling, center=np.empty(0), scale=np.empty(0)))
    density = log_posterior(cells, default_priors(model), np.ones(12))
    mass = np.exp(density - density.max()).ravel()
    at = np.random.default_rng(1).choice(mass.size, 4000, p=mass / mass.sum())
    beta, tau = BETA[at // TAU.size].reshape(4, -1), TAU[at % TAU.size].reshape(4, -1)
    none = np.zeros_like(beta)
    draws = CountedDraws(
        beta=beta[..., None],
        sigma_group=tau[..., None],
        correlation=np.ones((*beta.shape, 1, 1)),
        group_coef=np.zeros((*beta.shape, 6, 1)),
        divergent=none,
        energy=none,
        treedepth=none,
        acceptance=none,
        n_leapfrog=none,
    )
    return model, draws, density


@pytest.mark.parametrize("family", FAMILIES)
def test_a_cells_score_is_that_of_a_refit_without_it(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_DRAWS", 4000)
    model, draws, density = tiny(family)
    found = left_out_cells(model, drawn_log_lik(model, draws), None, 1)
    priors = default_priors(model)
    others = [logsumexp(log_posterior(model.cells, priors, without(model.cells, np.array([c])))) for c in range(12)]
    exact = logsumexp(density) - np.array(others)
    np.testing.assert_allclose(found.pointwise, exact, atol=0.05)
    assert found.elpd_loo == pytest.approx(exact.sum(), abs=0.15)
    np.testing.assert_allclose(found.elpd_by_group, found.pointwise.reshape(6, 2).sum(axis=1))
    assert found.pareto_k_max < 0.7
    assert found.n_rows_used == 12
    twice = [
        logsumexp(log_posterior(model.cells, priors, 2.0 - without(model.cells, np.array([c])))) for c in range(12)
    ]
    assert found.p_loo == pytest.approx((np.array(twice) - logsumexp(density) - exact).sum(), abs=0.2)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_groups_score_is_that_of_a_refit_without_it(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_DRAWS", 4000)
    model, draws, density = tiny(family)
    found = left_out_groups(model, drawn_log_lik(model, draws), None)
    cells, priors = model.cells, default_priors(model)
    others = [logsumexp(log_posterior(cells, priors, without(cells, cells.group_index == j))) for j in range(6)]
    np.testing.assert_allclose(found.pointwise, logsumexp(density) - np.array(others), atol=0.05)
    assert found.rows.tolist() == list(range(6))


@pytest.mark.parametrize("family", FAMILIES)
def test_pit_is_between_the_chances_of_fewer_and_of_no_more_events(family: Family) -> None:
    """By brute force for one cell: the chance of each number of events, given all other cells."""
    model, draws, _ = tiny(family)
    cells, priors, c = model.cells, default_priors(model), 5
    found = left_out_cells(model, drawn_log_lik(model, draws), None, 1).pit
    assert found is not None
    rest = logsumexp(log_posterior(cells, priors, without(cells, np.array([c]))))
    below = [0.0]
    for events in range(int(cells.events[c]) + 1):
        changed = cells.events.copy()
        changed[c] = events
        joint = logsumexp(log_posterior(replace(cells, events=changed), priors, np.ones(12)))
        below.append(below[-1] + np.exp(joint - rest))
    assert below[-2] - 0.05 < found[c] < below[-1] + 0.05


def test_pit_is_uniform_where_the_model_is_right() -> None:
    model = simulated_model("poisson", 7, [3] * 80, (-0.5, 0.4), (0.6,))
    draws = resampled_posterior(model, default_priors(model), 4, 250, 1, lambda _: None).draws
    found = left_out_cells(model, drawn_log_lik(model, draws), None, 2)
    assert found.pit is not None
    assert stats.kstest(found.pit, "uniform").pvalue > 0.01
    wrong = replace(draws, beta=draws.beta + 0.5)
    assert stats.kstest(left_out_cells(model, drawn_log_lik(model, wrong), None, 2).pit, "uniform").pvalue < 1e-4


def test_of_many_cells_some_are_scored_and_sums_are_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    model = simulated_model("binomial", 7, [4] * 30, (-0.5, 0.4), (0.6, 0.3))
    draws = resampled_posterior(model, default_priors(model), 4, 250, 1, lambda _: None).draws
    every = left_out_cells(model, drawn_log_lik(model, draws), None, 2)
    monkeypatch.setattr(module, "MOST_CELLS", 50)
    some = left_out_cells(model, drawn_log_lik(model, draws), None, 2)
    assert (every.n_rows_used, some.n_rows_used) == (model.cells.events.size, 50)
    np.testing.assert_allclose(some.pointwise, every.pointwise[some.rows], atol=1e-3)
    assert abs(some.elpd_loo - every.elpd_loo) < 4 * some.se
    assert some.se > every.se


def test_what_is_true_of_the_data_has_the_higher_score() -> None:
    """Simulated without a slope's spread; groups that differ less than a model says are predicted worse."""
    model = simulated_model("poisson", 7, [3] * 60, (-0.5, 0.4), (0.6,))
    draws = resampled_posterior(model, default_priors(model), 4, 250, 1, lambda _: None).draws
    good = left_out_groups(model, drawn_log_lik(model, draws), None)
    wide = replace(draws, sigma_group=3.0 * draws.sigma_group)
    bad = left_out_groups(model, drawn_log_lik(model, wide), None)
    assert good.elpd_loo > bad.elpd_loo + 10


def test_rates_and_kernel_with_constant_make_the_familys_probabilities() -> None:
    for family in FAMILIES:
        model = simulated_model(family, 1, [1] * 10, (-0.5,), (0.6,))
        cells, eta = model.cells, np.linspace(-1, 1, 10)
        kernel = log_likelihood_of(family, cells.events, cells.size, eta) + cell_constants(cells)
        mean = mean_of(family, eta)
        if family == "binomial":
            expected = stats.binom.logpmf(cells.events, cells.size, mean)
        else:
            expected = stats.poisson.logpmf(cells.events, cells.size * mean)
        np.testing.assert_allclose(kernel, expected)
