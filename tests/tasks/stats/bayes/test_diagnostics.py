"""Diagnostics are ArviZ's, over everything reported, and name what misses its threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from arviz_stats.base import array_stats

from tasks.stats.bayes.diagnostics import diagnose
from tasks.stats.bayes.posterior import intraclass_correlation
from tasks.stats.records import PosteriorDraws, SamplerDiagnostics
from tasks.study.settings import Thresholds
from tasks.view.words.sampler_words import missed_in_words
from tests.posteriors import Sampled, sampled


def diagnosed(have: Sampled, draws: PosteriorDraws, **limits: float) -> SamplerDiagnostics:
    return diagnose(draws, have.data.labels, have.data.terms, Thresholds(**limits), max_treedepth=10)


def by_arviz(quantities: list[np.ndarray], function: str, **options: object) -> list[float]:
    of = getattr(array_stats, function)
    return [float(of(draws, chain_axis=0, draw_axis=1, **options)) for draws in quantities]


def in_words(found: SamplerDiagnostics) -> list[str]:
    return missed_in_words(found, Thresholds(), 4)


@pytest.mark.parametrize("name", ["sleepstudy", "dyestuff2"])
def test_they_are_the_worst_of_arvizs_over_every_reported_quantity(name: str) -> None:
    have = sampled(name)
    draws, q = have.draws, have.draws.sigma_group.shape[-1]
    stacked = [draws.beta, draws.sigma_group, draws.group_coef.reshape(*draws.group_coef.shape[:2], -1)]
    quantities = [column for block in stacked for column in np.moveaxis(block, -1, 0)]
    quantities += [draws.sigma, intraclass_correlation(draws)]
    quantities += [draws.correlation[..., 1, 0]] if q > 1 else []
    found = diagnosed(have, draws)
    assert found.rhat_max == pytest.approx(max(by_arviz(quantities, "rhat")), rel=1e-12)
    assert found.ess_bulk_min == pytest.approx(min(by_arviz(quantities, "ess", method="bulk")), rel=1e-12)
    tail = by_arviz(quantities, "ess", method="tail", prob=(0.025, 0.975))
    assert found.ess_tail_min == pytest.approx(min(tail), rel=1e-12)
    energy = np.diff(draws.energy, axis=1)
    ebfmi = np.mean(energy**2, axis=1) / np.var(draws.energy, axis=1, ddof=1)
    assert found.ebfmi_min == pytest.approx(ebfmi.min(), rel=0.01)
    assert found.n_quantities == found.n_reported == len(quantities)
    assert found.failures == ()


def spoiled(have: Sampled, **change: np.ndarray) -> SamplerDiagnostics:
    return diagnosed(have, replace(have.draws, **change))


def test_each_failure_is_named() -> None:
    have = sampled("sleepstudy")
    draws = have.draws
    shifted = draws.beta.copy()
    shifted[0, :, 1] += 3 * shifted[..., 1].std()
    stuck = draws.sigma.copy()
    stuck[:] = np.repeat(stuck[:, ::100], 100, axis=1) + 1e-9 * draws.beta[..., 0]
    divergent, deep = np.zeros_like(draws.sigma), np.zeros_like(draws.sigma)
    divergent[0, :3], deep[1, 5] = 1.0, 10.0
    slow = np.cumsum(np.random.default_rng(0).standard_normal(draws.energy.shape), axis=1)
    found = spoiled(have, beta=shifted)
    assert found.worst == "Days"
    assert found.rhat_max > 1.3
    assert "rhat" in found.failures
    assert "ess_bulk" in spoiled(have, sigma=stuck).failures
    assert spoiled(have, divergent=divergent).failures == ("divergences",)
    assert spoiled(have, treedepth=deep).failures == ("treedepth",)
    assert in_words(spoiled(have, divergent=divergent)) == ["3 divergent transitions"]
    assert in_words(spoiled(have, treedepth=deep)) == ["1 transition at the largest tree depth"]
    only = spoiled(have, energy=slow)
    assert only.failures == ("ebfmi",)
    assert in_words(only)[0].startswith("E-BFMI 0.0")


def test_a_group_whose_chains_disagree_is_found_by_name() -> None:
    have = sampled("sleepstudy")
    coef = have.draws.group_coef.copy()
    coef[2, :, 4, 1] += 5 * coef[..., 4, 1].std()
    found = spoiled(have, group_coef=coef)
    assert found.worst == f"Days of {have.data.labels[4]}"
    assert found.failures


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_constant_draws_do_not_pass() -> None:
    have = sampled("sleepstudy")
    assert spoiled(have, sigma=np.ones_like(have.draws.sigma)).failures


@pytest.mark.parametrize(
    ("limits", "failure"),
    [({"rhat": 1.0001}, "rhat"), ({"ess_per_chain": 2000.0}, "ess_bulk"), ({"ebfmi": 1.5}, "ebfmi")],
)
def test_the_studys_thresholds_decide(limits: dict[str, float], failure: str) -> None:
    have = sampled("sleepstudy")
    assert failure in diagnosed(have, have.draws, **limits).failures


def test_of_very_many_groups_evenly_spread_ones_are_checked() -> None:
    have = sampled("sleepstudy")
    found = diagnosed(have, replace(have.draws, checked_step=4))
    assert found.n_reported == 7 + 36
    assert found.n_quantities == 7 + 10


def test_thinned_group_effects_are_judged_by_unthinned_ones() -> None:
    """R-hat of a few draws is noise: 100 a chain would fail sound samples."""
    have = sampled("sleepstudy")
    few = replace(have.draws, group_coef=have.draws.group_coef[:, ::40], group_thin=40)
    assert diagnosed(have, few).rhat_max > 1.01
    judged = diagnosed(have, replace(few, checked_coef=have.draws.group_coef[:, :, ::2], checked_step=2))
    assert judged.rhat_max < 1.01
    assert judged.n_quantities == 7 + 18
