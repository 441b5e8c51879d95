"""Ranks of counted outcomes: of rates on everybody's case mix; rankability against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.counted.added_terms import counted_model
from tasks.stats.counted.ranks import counted_ranks, group_information, rankability
from tasks.stats.counted.standardised_rates import case_mix, standardised_rates
from tests.counted_reports import CountedCase, counts_case, shares_case
from tests.counted_worlds import World, fit_of, simulate


def model_of(case: CountedCase):
    found = case.findings
    return counted_model(found.cells, found.scaling, found.fits.fullest.varying)


def test_the_highest_rate_has_the_first_rank() -> None:
    found = counts_case().findings
    (one,) = found.ranks.terms
    order = np.argsort(-found.compared.rate.estimate)
    assert np.corrcoef(one.expected[order], np.arange(found.cells.n_groups))[0, 1] > 0.95
    assert one.expected.sum() == pytest.approx(found.cells.n_groups * (found.cells.n_groups + 1) / 2)
    np.testing.assert_allclose(one.above, found.compared.above, atol=0.02)


def test_draws_that_agree_give_certain_ranks_of_standardised_rates() -> None:
    """Where slopes differ, ranks are of rates over all cases, not of levels at the mean."""
    case = shares_case()
    found, model = case.findings, model_of(case)
    assert case.draws is not None
    coef = found.bayes.groups.mean
    draws = replace(case.draws, group_coef=np.broadcast_to(coef, case.draws.group_coef.shape))
    mix = case_mix(found.cells, found.scaling)
    ranks = counted_ranks(model, model, found.fits.fullest, draws, mix, 0.75)
    rates = standardised_rates(found.cells.family, mix, coef)
    expected = np.argsort(np.argsort(-rates)) + 1
    np.testing.assert_array_equal(ranks.terms[0].expected, expected)
    np.testing.assert_array_equal(ranks.terms[0].lower, ranks.terms[0].upper)


def test_rankability_is_the_closed_form_for_levels_alone() -> None:
    """The information of a Poisson group on its level is its expected count."""
    case = counts_case()
    found, model = case.findings, model_of(case)
    assert case.draws is not None
    fit = found.fits.fullest
    linear = fit.fixef[0] + fit.conditional_mode[:, 0]
    expected = found.fits.rates.size * np.exp(linear)
    np.testing.assert_allclose(group_information(model, fit)[:, 0, 0], expected, rtol=1e-9)
    tau = np.full(case.draws.sigma_group.shape, 0.3)
    rho = rankability(model, model, fit, replace(case.draws, sigma_group=tau))
    np.testing.assert_allclose(rho, 0.09 / (0.09 + np.median(1.0 / expected)), rtol=1e-9)


def test_with_slopes_the_level_is_known_less_well_than_without() -> None:
    """The variance of the level given a slope with a normal prior, by inverting each group's own matrix."""
    case = shares_case()
    found, model = case.findings, model_of(case)
    assert case.draws is not None
    shape = case.draws.sigma_group.shape
    draws = replace(
        case.draws,
        sigma_group=np.broadcast_to([0.4, 0.2], shape),
        correlation=np.broadcast_to(np.eye(2), (*shape, 2)),
    )
    information = group_information(model, found.fits.fullest)
    with_prior = information + np.diag([0.0, 1.0 / 0.2**2])
    variance = np.linalg.inv(with_prior)[:, 0, 0]
    rho = rankability(model, model, found.fits.fullest, draws)
    np.testing.assert_allclose(rho, 0.16 / (0.16 + np.median(variance)), rtol=1e-8)
    assert (variance > 1.0 / information[:, 0, 0]).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_large_groups_are_ranked_right(seed: int) -> None:
    """By the fit's own rates: so that the order of the simulated levels is found."""
    made = simulate(World(family="binomial", groups=12, rows=(150, 200), trials=(10, 20), level_sd=0.8), seed)
    model = made.model()
    fit = fit_of(model)
    rates = fit.conditional_mode[:, 0]
    assert np.corrcoef(np.argsort(np.argsort(rates)), np.argsort(np.argsort(made.coef[:, 0])))[0, 1] > 0.95
    assert (group_information(model, fit)[:, 0, 0] > 1.0 / 0.8**2).all()
