"""Groups left out by importance weights score as groups left out in truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

import tasks.stats.judged.held_out
from tasks.engines.engines import MARGINAL, EmbeddedEngine
from tasks.stats.bayes.group_likelihood import group_log_lik, parameter_draws
from tasks.stats.bayes.posterior import posterior_draws
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.stan_data import design_matrix, marginal_data
from tasks.stats.judged.held_out import LeaveOneGroupOut, leave_one_group_out
from tests.datasets import model_of, simulated
from tests.posteriors import Sampled, sampled


def left_out(have: Sampled, **other: Any) -> LeaveOneGroupOut | None:
    """The scores, with some of the data or products others."""
    given = {"data": have.data, "products": have.products, "draws": have.draws, **other}
    return leave_one_group_out(
        given["data"], given["products"], have.scaling, have.varying, given["draws"], None, seed=1
    )


def refitted(have: Sampled, group: int) -> tuple[float, float]:
    """Sum over the group's rows of log p(y_i | all other groups), and their RMSE, from the model sampled without j."""
    rest = np.arange(len(have.products.labels)) != group
    labels = tuple(np.array(have.products.labels)[rest])
    fewer = replace(have.products, labels=labels, gram=have.products.gram[rest])
    stan_data = marginal_data(fewer, have.varying, resolve_priors(have.study, have.scaling), have.scaling)
    variables = EmbeddedEngine().sample(MARGINAL, stan_data, have.study.sampler, 11 + group, lambda _: None)
    draws = posterior_draws(variables, fewer, have.varying, have.scaling, 1)
    at = parameter_draws(draws, have.products.outcome_center, 4000)
    own = have.products.gram[[group]]
    rows = have.data.group_index == group
    x, y = design_matrix(have.data, have.scaling)[rows], have.data.y[rows] - have.products.outcome_center
    z = x[:, list(have.varying)]
    score = 0.0
    for i in range(len(y)):
        spread = [np.sqrt(s**2 + z[i] @ t @ t.T @ z[i]) for s, t in zip(at.sigma, at.factor, strict=True)]
        score += logsumexp(norm.logpdf(y[i], at.beta @ x[i], spread)) - np.log(len(at.sigma))
    residual_of = np.append(-at.beta.mean(axis=0), 1.0)
    return float(score), float(np.sqrt(residual_of @ own[0] @ residual_of / own[0, 0, 0]))


@pytest.mark.parametrize(
    ("name", "group", "four_sds"), [("sleepstudy", 3, 0.1), ("sleepstudy", 0, 0.2), ("dyestuff", 1, 0.1)]
)
def test_scores_equal_those_of_a_fit_without_the_group(name: str, group: int, four_sds: float) -> None:
    """Within Monte Carlo error: group 0 of sleepstudy, with a Pareto k of about 0.5, has an SD of 0.05 over seeds."""
    have = sampled(name)
    found = left_out(have)
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
    place = np.argsort(order)
    again = left_out(have, products=moved, data=replace(have.data, group_index=place[have.data.group_index]))
    assert found is not None
    assert again is not None
    np.testing.assert_allclose(again.elpd_by_group, found.elpd_by_group[order], rtol=1e-10)
    np.testing.assert_allclose(again.pareto_k, found.pareto_k[order], atol=1e-6)


def test_draws_are_thinned_where_groups_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    have = sampled("sleepstudy")
    monkeypatch.setattr(tasks.stats.judged.held_out, "VALUES_LIMIT", 18_000)
    found, whole = left_out(have), have.findings.leave_one_group_out
    assert found is not None
    assert whole is not None
    assert found.n_draws_used == 1000
    assert found.elpd == pytest.approx(whole.elpd, abs=2)
    assert found.pareto_k_threshold == pytest.approx(2 / 3)


def test_two_groups_are_too_few() -> None:
    have = sampled("sleepstudy")
    few = simulated(1, [5, 6])
    assert left_out(have, data=few, products=model_of(few)[0]) is None


def test_a_new_group_is_scored_row_by_row_far_below_a_known_one() -> None:
    """Counties lie 15 s apart and rows 8 s: a row of a new county is normal with an SD of about 17 s.

    The density of a county's rows together, about -2,165, lets each lean on those before it and would hide this.
    """
    have = sampled("bounce_rates")
    found = have.findings.leave_one_group_out
    assert found is not None
    assert found.elpd == pytest.approx(-2607, abs=8)
    at = parameter_draws(have.draws, have.products.outcome_center, 4000)
    assert group_log_lik(have.products.gram, have.varying, at).mean(axis=0).sum() > -2200


def test_a_group_is_scored_by_the_rows_at_hand_and_not_at_all_without_any() -> None:
    have = sampled("sleepstudy")
    index = have.data.group_index
    kept = (index != 4) & ~((index == 2) & (np.arange(index.size) % 2 == 0))
    data = replace(have.data, y=have.data.y[kept], x=have.data.x[kept], group_index=index[kept])
    found, whole = left_out(have, data=data), have.findings.leave_one_group_out
    assert found is not None
    assert whole is not None
    assert np.isnan(found.elpd_by_group[4])
    same = ~np.isin(np.arange(18), [2, 4])
    np.testing.assert_allclose(found.elpd_by_group[same], whole.elpd_by_group[same], rtol=1e-10)
    assert found.elpd_by_group[2] == pytest.approx(whole.elpd_by_group[2], abs=5)
    assert found.elpd == pytest.approx(np.nansum(found.elpd_by_group) * 18 / 17)


def test_many_rows_are_scored_by_some_of_every_group(monkeypatch: pytest.MonkeyPatch) -> None:
    have = sampled("bounce_rates")
    whole = have.findings.leave_one_group_out
    monkeypatch.setattr(tasks.stats.judged.held_out, "ROW_VALUES_LIMIT", 4000 * 200)
    found = left_out(have)
    assert found is not None
    assert whole is not None
    small = np.flatnonzero(have.products.n < 25)
    np.testing.assert_allclose(found.elpd_by_group[small], whole.elpd_by_group[small], rtol=1e-10)
    assert np.isfinite(found.elpd_by_group).all()
    assert found.elpd == pytest.approx(whole.elpd, rel=0.02)
