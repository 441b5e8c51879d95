"""Sensitivity to the priors of counted outcomes: hardly any with much data, a strong prior and a conflict are told."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tasks.stats.counted import drawn_log_lik as module
from tasks.stats.counted.drawn_log_lik import DrawnLogLik, drawn_log_lik
from tasks.stats.counted.draws import CountedDraws
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.prior_sensitivity import counted_prior_sensitivity
from tasks.stats.counted.priors import CountedPriors, default_priors
from tasks.stats.counted.resampling import resampled_posterior
from tasks.stats.judged.prior_sensitivity import judge_prior_sensitivity
from tests.counted_models import simulated_model, with_size


@cache
def much() -> tuple[CountedModel, CountedDraws]:
    model = simulated_model("binomial", 1, [5] * 60, (-1.0, 0.3), (0.6,), (5, 20))
    return model, drawn(model, default_priors(model))


def drawn(model: CountedModel, priors: CountedPriors) -> CountedDraws:
    return resampled_posterior(model, priors, 4, 1000, 1, lambda _: None).draws


def log_lik(model: CountedModel, priors: CountedPriors) -> DrawnLogLik:
    return drawn_log_lik(model, drawn(model, priors))


def test_with_sixty_groups_the_default_priors_hardly_matter() -> None:
    model, draws = much()
    found = counted_prior_sensitivity(model, drawn_log_lik(model, draws), default_priors(model), 0.05)
    (judgement,) = judge_prior_sensitivity(found)
    assert (judgement.status, judgement.case) == ("pass", "hardly")
    assert [one.kind for one in found.quantities[:3]] == ["fixef", "fixef", "sigma_group"]
    assert sum(one.kind == "group" for one in found.quantities) == 24 * 2
    assert found.n_groups_used == 24
    assert all(one.likelihood > one.prior for one in found.quantities[:3])


def test_a_prior_against_the_data_is_a_conflict_and_one_beside_little_data_is_strong() -> None:
    model, _ = much()
    against = replace(default_priors(model), beta_mean=np.array([2.0, 0.0]), beta_sd=np.array([0.15, 1.0]))
    intercept = counted_prior_sensitivity(model, log_lik(model, against), against, 0.05).quantities[0]
    assert intercept.diagnosis == "conflict"
    little = simulated_model("poisson", 2, [2] * 8, (-1.0, 0.0), (0.3,), (1, 3))
    strong = replace(default_priors(little), beta_sd=np.array([1.5, 0.02]))
    slope = counted_prior_sensitivity(little, log_lik(little, strong), strong, 0.05).quantities[1]
    assert slope.prior > 0.05
    assert slope.diagnosis == "strong prior"


def test_fewer_draws_say_about_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model, draws = much()
    every = counted_prior_sensitivity(model, drawn_log_lik(model, draws), default_priors(model), 0.05)
    monkeypatch.setattr(module, "VALUES_AFFORDED", 2000 * model.cells.events.size)
    half = counted_prior_sensitivity(model, drawn_log_lik(model, draws), default_priors(model), 0.05)
    assert (every.n_draws_used, half.n_draws_used) == (4000, 2000)
    for one, other in zip(every.quantities[:3], half.quantities[:3], strict=True):
        assert one.prior == pytest.approx(other.prior, abs=0.03)


def test_a_groups_estimate_answers_to_its_own_cells() -> None:
    """With an added term, whose contribution is in the level: a group's likelihood moves it, its prior hardly."""
    model = with_size("binomial", 4, 60)
    found = counted_prior_sensitivity(model, log_lik(model, default_priors(model)), default_priors(model), 0.05)
    levels = [one for one in found.quantities if one.kind == "group" and one.terms == ("intercept",)]
    assert np.median([one.likelihood for one in levels]) > 3 * np.median([one.prior for one in levels])
