"""Sampling goes on more carefully until its diagnostics hold, or says what was tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.engines.engines import MARGINAL, EmbeddedEngine, Progress
from tasks.engines.sample import escalated, sample_posterior
from tasks.stats.records import Floats, PosteriorDraws, SamplingAttempt
from tasks.study.errors import SamplingFailed
from tasks.study.settings import SamplerSettings
from tests.datasets import dyestuff, dyestuff2, model_of, simulated, sleepstudy
from tests.posteriors import sampled, study_of


@dataclass
class TroubledEngine:
    """The embedded engine, with divergences reported in its first `troubled` runs."""

    troubled: int
    calls: list[tuple[Path, SamplerSettings, int]] = field(default_factory=list)
    name: str = "troubled"

    def sample(
        self, program: Path, data: Mapping[str, Any], settings: SamplerSettings, seed: int, progress: Progress
    ) -> dict[str, Floats]:
        self.calls.append((program, settings, seed))
        careful = settings.model_copy(update={"adapt_delta": max(settings.adapt_delta, 0.97)})
        variables = EmbeddedEngine().sample(program, data, careful, seed, progress)
        if len(self.calls) <= self.troubled:
            variables["divergent__"][0, : len(self.calls)] = 1.0
        return variables


def attempted(engine: TroubledEngine, **fields: object) -> tuple[PosteriorDraws, tuple[SamplingAttempt, ...]]:
    data = sleepstudy()
    products, scaling = model_of(data)
    return sample_posterior(engine, study_of(data, **fields), products, scaling, 11, lambda _: None)


def test_the_first_good_attempt_is_the_last() -> None:
    engine = TroubledEngine(0)
    draws, attempts = attempted(engine)
    assert len(attempts) == len(engine.calls) == 1
    assert engine.calls[0][0] == MARGINAL
    assert attempts[0].diagnostics.failures == ()
    assert (attempts[0].adapt_delta, attempts[0].warmup, attempts[0].draws, attempts[0].seed) == (0.8, 1000, 1000, 11)
    assert draws.beta.shape == (4, 1000, 2)


def test_trouble_brings_smaller_steps_more_iterations_and_another_seed() -> None:
    engine = TroubledEngine(1)
    draws, attempts = attempted(engine, sampler={"warmup": 600, "draws": 700})
    assert [(a.adapt_delta, a.warmup, a.draws, a.seed) for a in attempts] == [
        (0.8, 600, 700, 11),
        (0.95, 1200, 1400, 12),
    ]
    assert attempts[0].diagnostics.failures == ("divergences",)
    assert attempts[1].diagnostics.failures == ()
    assert [seed for _, _, seed in engine.calls] == [11, 12]
    assert draws.beta.shape == (4, 1400, 2)


def test_when_all_fail_the_error_names_each_attempt() -> None:
    engine = TroubledEngine(3)
    with pytest.raises(SamplingFailed) as caught:
        attempted(engine, sampler={"warmup": 500, "draws": 500})
    text = str(caught.value)
    assert caught.value.exit_code == 4
    assert len(engine.calls) == 3
    assert "troubled engine" in text
    for words in (
        "adapt_delta 0.8, 500 + 500 iterations: 1 divergent transition",
        "adapt_delta 0.95, 1000 + 1000 iterations: 2 divergent transitions",
        "adapt_delta 0.99, 2000 + 2000 iterations: 3 divergent transitions",
    ):
        assert words in text


def test_a_study_that_is_careful_already_stays_so() -> None:
    settings = SamplerSettings(adapt_delta=0.97, draws=300)
    assert [s.adapt_delta for s in escalated(settings)] == [0.97, 0.97, 0.99]
    assert [s.draws for s in escalated(settings)] == [300, 600, 1200]
    assert {s.chains for s in escalated(settings)} == {4}


def test_the_same_seed_gives_the_same_posterior_group_effects_included() -> None:
    (a, _), (b, _) = (attempted(TroubledEngine(0)) for _ in range(2))
    for name in ("beta", "sigma_group", "correlation", "sigma", "group_coef"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_priors_of_the_study_reach_the_posterior() -> None:
    """Against the data: a slope pinned at 0, group SDs held down, a strong pull to no correlation."""
    data = sleepstudy()
    products, scaling = model_of(data)
    priors = {
        "slopes": {"Days": {"mean": 0.0, "sd": 0.1}},
        "sigma_group_sd": {"Days": 0.5},
        "sigma_residual_mean": 25.0,
        "correlation_lkj": 500.0,
    }
    engine = EmbeddedEngine()
    draws, _ = sample_posterior(engine, study_of(data, priors=priors), products, scaling, 3, lambda _: None)
    free = sampled("sleepstudy").draws
    assert abs(draws.beta[..., 1].mean()) < 0.2 < 20 < free.beta[..., 1].mean()
    assert draws.sigma_group[..., 1].mean() < 0.5 * free.sigma_group[..., 1].mean()
    assert np.abs(draws.correlation[..., 1, 0]).max() < 0.2 < np.abs(free.correlation[..., 1, 0]).max()


@pytest.mark.parametrize("data", [dyestuff, dyestuff2, lambda: simulated(3, [2, 2, 30, 1, 5])])
def test_units_of_the_outcome_do_not_change_the_sampling(data) -> None:
    """y in nano-units far from 0: the same draws, but for the unit."""
    rows = data()
    moved = type(rows)(rows.y * 1e-9 + 1e-3, rows.x, rows.group_index, rows.labels, rows.terms)
    made = []
    for each in (rows, moved):
        products, scaling = model_of(each)
        study = study_of(each, sampler={"adapt_delta": 0.99})
        draws, _ = sample_posterior(EmbeddedEngine(), study, products, scaling, 5, lambda _: None)
        made.append((draws.group_coef.mean(axis=(0, 1)), draws.sigma.mean(), draws.group_coef.std(axis=(0, 1))))
    (mean_a, sigma_a, sd_a), (mean_b, sigma_b, sd_b) = made
    np.testing.assert_allclose(((mean_b - 1e-3 * np.eye(mean_b.shape[1])[0]) / 1e-9 - mean_a) / sd_a, 0.0, atol=0.15)
    assert sigma_b / 1e-9 == pytest.approx(sigma_a, rel=0.05)
    np.testing.assert_allclose(sd_b / 1e-9, sd_a, rtol=0.15)
