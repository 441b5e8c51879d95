"""What the priors expect: their own moments, and an alarm only where they rule the data out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import expon, halfnorm, kstest, norm

from tasks.stats.bayes.priors import ResolvedPriors, resolve_priors
from tasks.stats.judged.prior_predictive import (
    N_DRAWS,
    ROWS_LIMIT,
    PriorPredictive,
    judge_prior_predictive,
    prior_draws,
    prior_predictive,
    rows_used,
)
from tasks.stats.records import GroupedData
from tests.datasets import bounce_rates, dyestuff, model_of, simulated
from tests.posteriors import study_of


def predicted(data: GroupedData, seed: int = 7, **priors: object) -> PriorPredictive:
    study, scaling = study_of(data, priors=priors), model_of(data)[1]
    varying = (0, *study.varying_columns)
    return prior_predictive(data, varying, resolve_priors(study, scaling), scaling, 0.005, seed)


def test_draws_follow_the_priors() -> None:
    priors = ResolvedPriors(np.array([5.0, -1.0]), np.array([2.0, 0.5]), np.array([3.0, 0.2]), 4.0, 2.0)
    made = prior_draws(priors, 4000, np.random.default_rng(1))
    pairs = [
        (made.beta[:, 1], norm(-1, 0.5)),
        (made.sigma_group[:, 0], halfnorm(scale=3)),
        (made.sigma, expon(scale=4)),
    ]
    for values, distribution in pairs:
        assert kstest(values, distribution.cdf).pvalue > 0.001


def test_an_outcome_has_the_variance_that_the_priors_add_up_to() -> None:
    """normal(0, 2.5 s) intercept and slope, half-normal(0, s) SDs, exponential(s): in units of s, E(y - mean)^2."""
    data = simulated(1, [20] * 20)
    found = predicted(data)
    outcome = next(one for one in found.expected if one.name == "outcome").quantiles
    level = next(one for one in found.expected if one.name == "level").quantiles
    s = data.y.std(ddof=1)
    middle = (level[3] - level[1]) / s
    assert middle == pytest.approx(2 * 0.6745 * np.sqrt(2.5**2 + 1.0), rel=0.06)
    assert outcome[4] - outcome[0] > level[4] - level[0]
    assert level[2] == pytest.approx(data.y.mean(), abs=0.25 * s)


def test_default_priors_allow_the_data_and_little_that_is_wild() -> None:
    found = predicted(bounce_rates())
    check = judge_prior_predictive(found)[0]
    assert check.status == "pass"
    assert 0.001 < found.share_wild < 0.05
    assert (found.n_draws, found.n_rows_used) == (N_DRAWS, ROWS_LIMIT)
    assert [(one.name, one.term) for one in found.statistics] == [("median", ""), ("SD", ""), ("slope", "age")]


@pytest.mark.parametrize(
    ("priors", "name"),
    [
        ({"intercept": {"mean": 3.0, "sd": 1.0}}, "median"),  # minutes, where the data are seconds
        ({"slopes": {"age": {"mean": 500.0, "sd": 5.0}}}, "slope"),
        (
            {
                "slopes": {"age": {"sd": 0.1}},
                "sigma_group_sd": {"intercept": 0.1, "age": 0.1},
                "sigma_residual_mean": 0.1,
            },
            "SD",
        ),
    ],
)
def test_a_prior_that_rules_the_data_out_calls_for_review(priors: dict[str, object], name: str) -> None:
    found = predicted(bounce_rates(), **priors)
    assert name in [one.name for one in found.excluded]
    check = judge_prior_predictive(found)[0]
    assert check.status == "review"


def test_vague_priors_are_not_held_against_anyone() -> None:
    wide = {
        "intercept": {"mean": 0.0, "sd": 1e5},
        "slopes": {"age": {"sd": 1e4}},
        "sigma_group_sd": {"intercept": 1e4, "age": 1e4},
        "sigma_residual_mean": 1e4,
    }
    found = predicted(bounce_rates(), **wide)
    assert not found.excluded
    assert found.share_wild > 0.9


def test_slopes_are_in_raw_units() -> None:
    data = bounce_rates()
    months = replace(data, x=data.x * 12)
    a, b = (next(one for one in predicted(d).expected if one.name == "slope") for d in (data, months))
    np.testing.assert_allclose(a.quantiles, 12 * b.quantiles, rtol=1e-9)


def test_an_intercept_alone_has_no_slope() -> None:
    found = predicted(dyestuff())
    assert [one.name for one in found.expected] == ["outcome", "level", "icc"]
    assert [one.name for one in found.statistics] == ["median", "SD"]
    assert found.n_rows_used == 30


def test_shares_below_rise_from_nought_to_one() -> None:
    found = predicted(bounce_rates())
    assert (np.diff(found.share_below, axis=1) >= 0).all()
    assert (np.diff(found.share_below, axis=0) >= 0).all()
    assert (found.share_below_observed[0], found.share_below_observed[-1]) == (0.0, 1.0)


def test_the_seed_decides() -> None:
    a, b, c = (predicted(dyestuff(), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.share_below, b.share_below)
    assert not np.array_equal(a.share_below, c.share_below)


def test_thinned_rows_come_from_all_groups() -> None:
    data = simulated(3, [30] * 50)
    assert set(data.group_index[rows_used(data)]) == set(range(50))
    assert np.unique(rows_used(data)).size == ROWS_LIMIT
