"""Draws by importance resampling are the posterior's, and it is known when they are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from tasks.engines import sample
from tasks.engines.engines import EmbeddedEngine
from tasks.engines.sample import draw_posterior, resampled_posterior, sample_posterior
from tasks.stats.bayes.resampling import normal_at_mode
from tasks.stats.records import GroupedData, PosteriorDraws
from tests.datasets import dyestuff2, model_of, simulated
from tests.posteriors import study_of


def many_groups() -> GroupedData:
    return simulated(2, [8] * 300, sd=(3.0, 1.0), correlation=0.4)


def columns(draws: PosteriorDraws) -> np.ndarray:
    """(S, ...) parameters and a few groups' coefficients."""
    n = draws.sigma.size
    parts = (draws.beta, draws.sigma_group, draws.correlation[..., 1:, 0], draws.sigma, draws.group_coef[:, :, :4])
    return np.column_stack([part.reshape(n, -1) for part in parts])


def test_moments_are_those_of_the_stan_engine() -> None:
    data = many_groups()
    products, scaling = model_of(data)
    study = study_of(data)
    ours = resampled_posterior(study, products, scaling, 7, lambda _: None)
    assert ours is not None
    theirs, _ = sample_posterior(EmbeddedEngine(), study, products, scaling, 7, lambda _: None)
    mine, others = columns(ours.draws), columns(theirs)
    assert mine.shape == others.shape
    sd = others.std(axis=0)
    np.testing.assert_allclose((mine.mean(axis=0) - others.mean(axis=0)) / sd, 0.0, atol=0.1)
    np.testing.assert_allclose(mine.std(axis=0) / sd, 1.0, atol=0.08)
    tails = [(np.quantile(mine, p, axis=0) - np.quantile(others, p, axis=0)) / sd for p in (0.025, 0.975)]
    np.testing.assert_allclose(tails, 0.0, atol=0.25)


def test_what_was_done_is_said() -> None:
    data = many_groups()
    products, scaling = model_of(data)
    made = resampled_posterior(study_of(data), products, scaling, 7, lambda _: None)
    assert made is not None
    (attempt,) = made.attempts
    found = attempt.diagnostics
    assert made.engine.startswith("importance resampling")
    assert not made.draws.from_chains
    assert attempt.is_resampled
    assert found.pareto_k is not None
    assert found.pareto_k < 0.3
    assert np.isnan(found.rhat_max)
    assert found.failures == ()
    assert 1500 < found.ess_tail_min < 4000
    assert 1500 < found.ess_bulk_min < 4000


def test_the_same_seed_gives_the_same_draws() -> None:
    data = many_groups()
    products, scaling = model_of(data)
    one, same, other = (resampled_posterior(study_of(data), products, scaling, s, lambda _: None) for s in (1, 1, 2))
    assert one is not None
    assert same is not None
    assert other is not None
    np.testing.assert_array_equal(one.draws.group_coef, same.draws.group_coef)
    assert not np.array_equal(one.draws.beta, other.draws.beta)


def test_uneven_weights_are_left_to_a_stan_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six groups without a spread of their own: the posterior is far from any t."""
    data = dyestuff2()
    products, scaling = model_of(data)
    study = study_of(data, sampler={"adapt_delta": 0.99})
    monkeypatch.setattr(sample, "FEWEST_GROUPS", 1)
    monkeypatch.setattr("tasks.stats.bayes.diagnostics.HIGHEST_K", -1.0)
    made = draw_posterior("auto", study, products, scaling, 3, lambda _: None)
    assert made.draws.from_chains
    assert not made.attempts[-1].is_resampled
    assert "resampling" not in made.engine


@pytest.mark.parametrize(
    ("engine", "fewest", "resampled"), [("auto", 300, True), ("embedded", 300, False), ("auto", 301, False)]
)
def test_many_groups_are_resampled_unless_an_engine_is_named(
    engine, fewest: int, resampled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = many_groups()
    products, scaling = model_of(data)
    monkeypatch.setattr(sample, "FEWEST_GROUPS", fewest)
    made = draw_posterior(engine, study_of(data), products, scaling, 3, lambda _: None)
    assert made.attempts[-1].is_resampled == resampled


def test_the_mode_is_found_from_afar() -> None:
    """Of a t with scales a thousand apart, from 30 SDs away."""
    sd = np.array([1e-3, 1.0, 30.0])
    found = normal_at_mode(lambda at: t.logpdf((at - sd) / sd, 9).sum(axis=1), 30 * sd, 5 * sd)
    np.testing.assert_allclose(found.mode / sd, 1.0, atol=0.02)
    np.testing.assert_allclose(np.sqrt(np.diag(found.root @ found.root.T)) / sd, np.sqrt(9 / 10), rtol=0.02)


def test_without_a_mode_it_is_an_error() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        normal_at_mode(lambda at: at.sum(axis=1), np.zeros(2), np.ones(2))
