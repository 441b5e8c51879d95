"""Groups left out by importance weights score as groups left out in truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logsumexp

import tasks.stats.judged.held_out
from tasks.engines.engines import MARGINAL, EmbeddedEngine
from tasks.stats.bayes.group_likelihood import group_log_lik, parameter_draws
from tasks.stats.bayes.posterior import posterior_draws
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.stan_data import marginal_data
from tasks.stats.judged.held_out import leave_one_group_out
from tests.datasets import model_of, simulated
from tests.posteriors import Sampled, sampled


def refitted(have: Sampled, group: int) -> tuple[float, float]:
    """log p(y_j | all other groups) and RMSE of its rows, the model sampled without group j under the same priors."""
    rest = np.arange(len(have.products.labels)) != group
    labels = tuple(np.array(have.products.labels)[rest])
    fewer = replace(have.products, labels=labels, gram=have.products.gram[rest])
    stan_data = marginal_data(fewer, have.varying, resolve_priors(have.study, have.scaling), have.scaling)
    variables = EmbeddedEngine().sample(MARGINAL, stan_data, have.study.sampler, 11 + group, lambda _: None)
    draws = posterior_draws(variables, fewer, have.varying, have.scaling, 1)
    at = parameter_draws(draws, have.products.outcome_center, 4000)
    own = have.products.gram[[group]]
    score = logsumexp(group_log_lik(own, have.varying, at)) - np.log(len(at.sigma))
    residual_of = np.append(-at.beta.mean(axis=0), 1.0)
    return float(score), float(np.sqrt(residual_of @ own[0] @ residual_of / own[0, 0, 0]))


@pytest.mark.parametrize(
    ("name", "group", "four_sds"), [("sleepstudy", 3, 0.1), ("sleepstudy", 0, 0.2), ("dyestuff", 1, 0.1)]
)
def test_scores_equal_those_of_a_fit_without_the_group(name: str, group: int, four_sds: float) -> None:
    """Within Monte Carlo error: group 0 of sleepstudy, with a Pareto k of about 0.5, has an SD of 0.05 over seeds."""
    have = sampled(name)
    found = leave_one_group_out(have.products, have.varying, have.draws, None)
    assert found is not None
    score, rmse = refitted(have, group)
    assert found.elpd_by_group[group] == pytest.approx(score, abs=four_sds)
    assert found.rmse_by_group[group] == pytest.approx(rmse, rel=0.02)


@pytest.mark.parametrize("name", ["sleepstudy", "bounce_rates", "dyestuff"])
def test_parts_add_up(name: str) -> None:
    have = sampled(name)
    found = have.findings.leave_one_group_out
    assert found is not None
    assert found.elpd == pytest.approx(found.elpd_by_group.sum())
    assert found.n_high_pareto_k == (found.pareto_k > found.pareto_k_threshold).sum()
    assert found.pareto_k_max == found.pareto_k.max()
    assert found.rmse**2 * have.products.n_rows == pytest.approx(found.rmse_by_group**2 @ have.products.n)
    # Without knowing the group there is more error, and less is known.
    assert found.rmse > have.bayes.rmse
    assert found.elpd < have.bayes.loo.elpd_loo


def test_equal_groups_have_the_plain_standard_error() -> None:
    found = sampled("sleepstudy").findings.leave_one_group_out
    assert found is not None
    assert found.se == pytest.approx(np.sqrt(18) * found.elpd_by_group.std(ddof=1))


def test_relabelling_and_reordering_groups_changes_nothing() -> None:
    have = sampled("sleepstudy")
    order = np.random.default_rng(1).permutation(18)
    moved = replace(have.products, labels=tuple(f"x{j}" for j in order), gram=have.products.gram[order])
    found = have.findings.leave_one_group_out
    again = leave_one_group_out(moved, have.varying, have.draws, None)
    assert found is not None
    assert again is not None
    np.testing.assert_allclose(again.elpd_by_group, found.elpd_by_group[order], rtol=1e-10)
    np.testing.assert_allclose(again.pareto_k, found.pareto_k[order], atol=1e-6)


def test_draws_are_thinned_where_groups_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    have = sampled("sleepstudy")
    monkeypatch.setattr(tasks.stats.judged.held_out, "VALUES_LIMIT", 18_000)
    found, whole = leave_one_group_out(have.products, have.varying, have.draws, None), have.findings.leave_one_group_out
    assert found is not None
    assert whole is not None
    assert found.n_draws_used == 1000
    assert found.elpd == pytest.approx(whole.elpd, abs=2)
    assert found.pareto_k_threshold == pytest.approx(2 / 3)


def test_two_groups_are_too_few() -> None:
    have = sampled("sleepstudy")
    products, _ = model_of(simulated(1, [5, 6]))
    assert leave_one_group_out(products, have.varying, have.draws, None) is None
