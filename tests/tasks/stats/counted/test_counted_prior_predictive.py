"""What priors of counted outcomes expect, on the scale of rates: by closed forms, and judged as the data lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from tasks.stats.counted.prior_predictive import counted_prior_predictive
from tasks.stats.counted.priors import CountedPriors, default_priors
from tasks.stats.fits.cells import Family
from tasks.stats.judged.prior_predictive import N_DRAWS, judge_prior_predictive
from tests.counted_data import cattle, grouse
from tests.counted_models import model_of, simulated_model, with_size


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_default_priors_leave_room_for_data_of_the_model(family: Family) -> None:
    found = counted_prior_predictive(*_with_default(family), 0.025, 1)
    (judgement,) = judge_prior_predictive(found)
    assert (judgement.kind, judgement.status, judgement.case) == ("prior_predictive", "pass", "room")
    assert found.share_wild < 0.01
    assert [(one.name, one.term) for one in found.expected] == [("rate", ""), ("ratio", "x1")]
    assert found.share_below.shape == (5, found.outcome_grid.size)
    assert (np.diff(found.share_below_observed) >= 0).all()
    assert found.share_below_observed[-1] == 1.0


def _with_default(family: Family):
    model = simulated_model(family, 1, [5] * 30, (-1.0, 0.3), (0.5,), (2, 9))
    return model, default_priors(model)


def test_real_data_are_not_excluded_by_default_priors() -> None:
    for cells in (cattle(), grouse()):
        model = model_of(cells)
        assert not counted_prior_predictive(model, default_priors(model), 0.025, 1).excluded


def test_what_is_expected_are_the_priors_own_quantiles() -> None:
    """Of the intercept alone, without a spread of groups: the link of a normal distribution's."""
    model = simulated_model("binomial", 1, [5] * 30, (-1.0, 0.3), (0.5,), (2, 9))
    priors = CountedPriors(np.array([-1.0, 0.0]), np.array([0.5, 0.2]), np.array([1e-9]), 2.0)
    found = counted_prior_predictive(model, priors, 0.025, 1)
    rate, ratio = found.expected
    normal = np.array([-1.959964, -0.67449, 0.0, 0.67449, 1.959964])
    error = 5 * 0.5 / np.sqrt(N_DRAWS)
    np.testing.assert_allclose(np.log(rate.quantiles / (1 - rate.quantiles)), -1.0 + 0.5 * normal, atol=2 * error)
    np.testing.assert_allclose(np.log(ratio.quantiles) * model.scaling.scale[0], 0.2 * normal, atol=0.4 * error + 0.02)


def test_the_simulated_overall_rate_has_the_mean_of_the_prior() -> None:
    """E expit(normal) by numerical integration; a single group and no predictors."""
    model = simulated_model("binomial", 1, [1] * 40, (-1.0,), (0.5,), (20, 30))
    priors = CountedPriors(np.array([-1.0]), np.array([0.5]), np.array([1e-9]), 2.0)
    (rate, _) = counted_prior_predictive(model, priors, 0.025, 1).statistics
    at = np.linspace(-4, 2, 4001)
    weight = np.exp(-0.5 * ((at + 1.0) / 0.5) ** 2)
    cumulative = np.cumsum(weight) / weight.sum()
    ends = [expit(at[np.searchsorted(cumulative, share)]) for share in (0.025, 0.975)]
    assert (rate.lower, rate.upper) == pytest.approx(ends, abs=0.025)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_priors_against_the_data_ask_for_review(family: Family) -> None:
    model, priors = _with_default(family)
    moved = replace(priors, beta_mean=priors.beta_mean + np.array([4.0, 0.0]), beta_sd=priors.beta_sd / 3)
    found = counted_prior_predictive(model, moved, 0.025, 1)
    assert [one.name for one in found.excluded] == ["rate"]
    (judgement,) = judge_prior_predictive(found)
    assert (judgement.status, judgement.case) == ("review", "excluded")


def test_a_spread_too_large_for_the_priors_is_excluded_and_a_small_one_is_not() -> None:
    wide = simulated_model("poisson", 1, [1] * 60, (0.0,), (1.5,), (5, 20))
    tight = replace(default_priors(wide), sigma_group_sd=np.array([0.05]))
    assert [one.name for one in counted_prior_predictive(wide, tight, 0.025, 1).excluded] == ["spread"]
    even = simulated_model("poisson", 1, [1] * 60, (0.0,), (0.0,), (5, 20))
    assert not counted_prior_predictive(even, default_priors(even), 0.025, 1).excluded


def test_wild_rates_are_counted_and_added_terms_are_simulated() -> None:
    model = with_size("poisson", 4, 50)
    priors = default_priors(model)
    assert counted_prior_predictive(model, priors, 0.025, 1).share_wild < 0.02
    absurd = replace(priors, beta_sd=priors.beta_sd * np.array([10.0, 1.0, 1.0]))
    assert counted_prior_predictive(model, absurd, 0.025, 1).share_wild > 0.3
    of_size = replace(priors, beta_sd=priors.beta_sd * np.array([1.0, 1.0, 20.0]))
    assert counted_prior_predictive(model, of_size, 0.025, 1).share_wild > 0.3
