"""Standardised rates: everybody's cells under one group's model, whatever the group's own cells are."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.stats.counted import standardised_rates as module
from tasks.stats.counted.glm import complete_rates
from tasks.stats.counted.observed_expected import observed_expected
from tasks.stats.counted.predictors import centre_scaled, scaling_of
from tasks.stats.counted.standardised_rates import case_mix, standardised_rates
from tasks.stats.fits.cells import Family
from tests.counted_data import counted, simulated_counts


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_each_rate_is_the_mean_over_all_cells_one_by_one(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = simulated_counts(family, 2, [15] * 5, (-1.0, 0.5, 0.3))
    scaling = scaling_of(cells)
    x, mix = centre_scaled(cells, scaling), case_mix(cells, scaling)
    draws = np.random.default_rng(1).normal(0, 0.5, (4, 5, 3))
    found = standardised_rates(family, mix, draws)
    for s in range(4):
        for j in range(5):
            eta = x @ draws[s, j]
            mean = 1 / (1 + np.exp(-eta)) if family == "binomial" else np.exp(eta)
            assert found[s, j] == pytest.approx(cells.size @ mean / cells.size.sum(), rel=1e-10)
    monkeypatch.setattr(module, "LARGEST_BLOCK", 3 * len(mix.share))
    np.testing.assert_allclose(standardised_rates(family, mix, draws), found, rtol=1e-12)
    np.testing.assert_allclose(standardised_rates(family, mix, draws[0]), found[0], rtol=1e-12)


@pytest.mark.parametrize("spread", [0.5, 3.0])
@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_rates_of_many_groups_that_differ_in_levels_alone_are_their_own(family: Family, spread: float) -> None:
    cells = simulated_counts(family, 2, [15] * 5, (-1.0, 0.5, 0.3))
    mix, rng = case_mix(cells, scaling_of(cells)), np.random.default_rng(1)
    draws = np.repeat(rng.normal(0, 0.5, (3, 1, 3)), 2000, axis=1)
    draws[..., 0] += np.clip(spread * rng.standard_normal((3, 2000)), -9.0, 9.0)
    by_curve = standardised_rates(family, mix, draws)
    one_by_one = np.stack([standardised_rates(family, mix, part) for part in np.split(draws, 20, axis=1)], axis=1)
    np.testing.assert_allclose(by_curve, one_by_one.reshape(3, 2000), rtol=1e-5)
    draws[:, :, 1] += 1e-3 * rng.standard_normal((3, 2000))
    one_by_one = np.stack([standardised_rates(family, mix, part) for part in np.split(draws, 20, axis=1)], axis=1)
    np.testing.assert_allclose(standardised_rates(family, mix, draws), one_by_one.reshape(3, 2000), rtol=1e-12)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_complete_pooling_gives_everybody_the_overall_rate(family: Family) -> None:
    cells = simulated_counts(family, 3, [30] * 6, (-1.0, 0.5), tau=0.5)
    scaling = scaling_of(cells)
    coef = np.tile(complete_rates(cells, scaling).coef, (6, 1))
    found = standardised_rates(family, case_mix(cells, scaling), coef)
    np.testing.assert_allclose(found, cells.events.sum() / cells.size.sum(), rtol=1e-9)


def test_groups_with_the_same_model_differ_in_rates_but_not_in_standardised_ones() -> None:
    """George et al.: what O/E cannot compare. The model of both groups bends with the case, so that O/E differ."""
    x = np.repeat([0.0, 1.0, 0.0, 1.0], [900, 100, 100, 900])
    group = np.repeat(["a", "b"], 1000)
    risk = np.where(x == 0, 0.1, 0.5)
    cells = counted("poisson", np.round(1000 * risk), np.full(2000, 1000.0), group, x)
    raw = cells.of_groups(cells.events) / cells.of_groups(cells.size)
    assert raw == pytest.approx([0.14, 0.46])
    wrong = observed_expected(cells, np.full(4, 0.3)).ratio
    assert wrong[1] / wrong[0] > 3
    scaling = scaling_of(cells)
    coef = np.array([np.log(0.1) + scaling.center[0] * np.log(5.0), np.log(5.0) * scaling.scale[0]])
    rates = standardised_rates("poisson", case_mix(cells, scaling), np.tile(coef, (2, 1)))
    assert rates == pytest.approx([0.3, 0.3])


def test_a_thinned_case_mix_has_nearly_the_same_rates() -> None:
    rng = np.random.default_rng(4)
    x = rng.standard_normal((4000, 2))
    cells = counted("binomial", rng.binomial(3, 0.3, 4000), np.full(4000, 3.0), rng.integers(0, 10, 4000), x)
    scaling, coef = scaling_of(cells), rng.normal(0, 0.7, (10, 3))
    every, some = case_mix(cells, scaling), case_mix(cells, scaling, 500)
    assert (len(every.share), len(some.share)) == (4000, 500)
    assert some.share.sum() == pytest.approx(1.0)
    exact = standardised_rates("binomial", every, coef)
    np.testing.assert_allclose(standardised_rates("binomial", some, coef), exact, atol=0.004)
    same = case_mix(cells, scaling, 4000)
    np.testing.assert_array_equal(same.share, every.share)


def test_cases_count_by_their_trials() -> None:
    cells = counted("binomial", [1, 1, 1], [1, 2, 7], list("aab"), np.array([0.0, 1.0, 1.0]))
    assert case_mix(cells, scaling_of(cells)).share.tolist() == pytest.approx([0.1, 0.9])
