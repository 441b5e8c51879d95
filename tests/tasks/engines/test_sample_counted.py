"""Which way a counted outcome's posterior is drawn, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.engines import sample_counted
from tasks.engines.engines import EmbeddedEngine
from tasks.engines.sample_counted import (
    draw_counted_posterior,
    resampled_counted_posterior,
    sample_counted_posterior,
)
from tasks.stats.bayes.diagnostics import diagnose
from tasks.stats.counted.resampling import FEWEST_GROUPS, MOST_CELLS, is_large
from tasks.study.errors import SamplingFailed
from tasks.study.settings import Thresholds
from tests.counted_models import simulated_model, study_of

CAREFUL = {"adapt_delta": 0.95, "warmup": 500, "draws": 500}


def small():
    return simulated_model("poisson", 1, [4] * 30, (-0.5, 0.4), (0.6,))


def test_a_stan_engine_samples_and_its_draws_are_diagnosed() -> None:
    """Parameters and groups, without the residual SD and the ICC of the normal family."""
    model = small()
    made = sample_counted_posterior(EmbeddedEngine(), study_of(model, sampler=CAREFUL), model, 3, lambda _: None)
    found = made.attempts[-1].diagnostics
    assert found.failures == ()
    assert found.n_reported == found.n_quantities == 3 + 30 * 2
    assert made.draws.from_chains
    assert made.draws.scalars == {}
    assert made.draws.group_coef.shape == (4, 500, 30, 2)
    assert made.engine.startswith("embedded")


def test_a_dispersion_is_diagnosed_where_there_is_one() -> None:
    model = small()
    made = sample_counted_posterior(EmbeddedEngine(), study_of(model, sampler=CAREFUL), model, 3, lambda _: None)
    stuck = np.tile(np.arange(4.0)[:, None], (1, 500)) + 0.01 * np.random.default_rng(1).random((4, 500))
    draws = replace(made.draws, dispersion=stuck)
    found = diagnose(draws, model.cells.labels, model.cells.terms, Thresholds(), 10)
    assert found.worst == "dispersion"
    assert "rhat" in found.failures
    assert found.n_reported == 4 + 30 * 2


def test_the_studys_priors_reach_both_ways_of_drawing() -> None:
    model = small()
    study = study_of(model, sampler=CAREFUL, priors={"slopes": {"x1": {"mean": -1.0, "sd": 0.03}}})
    by_stan = sample_counted_posterior(EmbeddedEngine(), study, model, 3, lambda _: None)
    resampled = resampled_counted_posterior(study, model, 3, lambda _: None)
    assert resampled is not None
    for made in (by_stan, resampled):
        assert made.draws.beta[..., 1].mean() == pytest.approx(-1.0, abs=0.2)


def test_what_was_done_is_said() -> None:
    model = small()
    made = resampled_counted_posterior(study_of(model), model, 3, lambda _: None)
    assert made is not None
    (attempt,) = made.attempts
    found = attempt.diagnostics
    assert attempt.is_resampled
    assert made.engine.startswith("importance resampling")
    assert not made.draws.from_chains
    assert found.failures == ()
    assert found.pareto_k is not None
    assert found.pareto_k < 0.5
    assert 1000 < found.ess_bulk_min < 4000
    assert found.n_reported == 3 + 30 * 2


def test_uneven_weights_or_too_few_draws_are_left_to_a_stan_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    demanding = study_of(model, thresholds={"ess_per_chain": 990})
    assert resampled_counted_posterior(demanding, model, 3, lambda _: None) is None
    monkeypatch.setattr("tasks.stats.bayes.diagnostics.HIGHEST_K", -2.0)
    assert resampled_counted_posterior(study_of(model), model, 3, lambda _: None) is None
    monkeypatch.setattr(sample_counted, "is_large", lambda _: True)
    made = draw_counted_posterior("auto", study_of(model, sampler=CAREFUL), model, 3, lambda _: None)
    assert made.draws.from_chains


@pytest.mark.parametrize(("engine", "large", "resampled"), [("auto", True, True), ("embedded", True, False)])
def test_large_data_are_resampled_unless_an_engine_is_named(
    engine, large: bool, resampled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = small()
    monkeypatch.setattr(sample_counted, "is_large", lambda _: large)
    made = draw_counted_posterior(engine, study_of(model, sampler=CAREFUL), model, 3, lambda _: None)
    assert made.attempts[-1].is_resampled == resampled


def test_many_groups_or_cells_are_large_where_quadrature_is_possible() -> None:
    groups = simulated_model("binomial", 1, [1] * FEWEST_GROUPS, (-1.0,), (0.5,))
    assert is_large(groups)
    assert not is_large(replace(groups, is_overdispersed=True))
    assert not is_large(simulated_model("binomial", 1, [1] * (FEWEST_GROUPS - 1), (-1.0,), (0.5,)))
    assert not is_large(replace(groups, varying=(0, 1, 2)))
    x = np.arange(MOST_CELLS + 1.0)[:, None]
    one = replace(groups.cells, x=x, group_index=np.zeros(len(x), dtype=int), events=x[:, 0], labels=("a",))
    assert is_large(replace(groups, cells=one))


def test_draws_of_an_overdispersed_model_have_a_dispersion() -> None:
    model = replace(small(), is_overdispersed=True)
    made = sample_counted_posterior(EmbeddedEngine(), study_of(model), model, 3, lambda _: None)
    assert made.draws.dispersion is not None
    assert made.draws.dispersion.shape == made.draws.sigma_group.shape[:2]
    assert made.draws.dispersion.min() > 0


@pytest.mark.parametrize("varying", [(0,), (0, 1)])
@pytest.mark.parametrize("spread", [0.0, 0.1])
@pytest.mark.parametrize("n_groups", [2, 3])
def test_few_groups_of_large_counts_are_sampled_at_the_first_attempt(
    varying: tuple[int, ...], spread: float, n_groups: int
) -> None:
    """The spread may be 0 or a hundred standard errors of a group: both kinds of funnel at once."""
    model = simulated_model("poisson", 1, [10] * n_groups, (5.3, 0.02), tuple(spread for _ in varying), (1, 2))
    made = sample_counted_posterior(EmbeddedEngine(), study_of(model), model, 3, lambda _: None)
    assert len(made.attempts) == 1
    assert made.draws.divergent.sum() == 0


def test_a_posterior_that_cannot_be_sampled_well_is_an_error() -> None:
    model = small()
    study = study_of(model, thresholds={"ess_per_chain": 1e6}, sampler={"warmup": 150, "draws": 100})
    with pytest.raises(SamplingFailed, match="ESS"):
        sample_counted_posterior(EmbeddedEngine(), study, model, 3, lambda _: None)
