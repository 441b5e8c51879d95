"""Predictions of rows and groups left out, against fits of the rest and against integration."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from tasks.stats.counted.left_out import group_left_out_moments, left_out_rates, linear_predictor
from tasks.stats.counted.links import mean_of, variance_of
from tasks.stats.counted.predicted import calibration_table, randomised_pit
from tasks.stats.counted.size_calibration import calibration_by_size
from tasks.stats.fits.cells import Family
from tests.counted_worlds import World, fit_of, simulate

FAMILIES: tuple[Family, ...] = ("binomial", "poisson")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_groups_only_row_is_predicted_as_any_group(family: Family) -> None:
    model = simulate(World(family, groups=40, rows=(1, 1), trials=(2, 9)), 1).model()
    fit = fit_of(model)
    rates = left_out_rates(model, fit)
    base, sd = model.design @ fit.fixef, float(fit.sigma_group[0])
    assert sd > 0.1
    middle = np.median(np.log(rates / (1 - rates)) if family == "binomial" else np.log(rates), axis=0)
    np.testing.assert_allclose(middle, base, atol=0.02)
    mean, variance = group_left_out_moments(model, fit)
    for c in range(3):
        size = float(model.cells.size[c])

        def of_rate(f, at: float = float(base[c])) -> float:  # type: ignore[no-untyped-def]
            return quad(lambda u: stats.norm.pdf(u) * f(mean_of(family, np.asarray(at + sd * u))), -8, 8)[0]

        expected = size * of_rate(lambda rate: rate)
        spread = (
            size**2 * of_rate(lambda rate: rate**2) - expected**2 + size * of_rate(lambda r: variance_of(family, r))
        )
        assert mean[c] == pytest.approx(expected, rel=1e-6)
        assert variance[c] == pytest.approx(spread, rel=1e-6)
        assert rates[:, c].mean() * size == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_of_several_is_predicted_by_the_others(family: Family) -> None:
    """By numeric integration over the group's effect given its other rows."""
    model = simulate(World(family, groups=12, rows=(3, 8), trials=(1, 5)), 4).model()
    fit = fit_of(model)
    rates, cells = left_out_rates(model, fit).mean(axis=0), model.cells
    base, sd = model.design @ fit.fixef, float(fit.sigma_group[0])
    grid = np.linspace(-6, 6, 1201)
    for c in range(0, cells.events.size, 7):
        others = np.flatnonzero((cells.group_index == cells.group_index[c]) & (np.arange(base.size) != c))
        rate = mean_of(family, base[others, None] + sd * grid)
        chance = stats.binom if family == "binomial" else stats.poisson
        size, events = cells.size[others, None], cells.events[others, None]
        log = (chance.logpmf(events, size, rate) if family == "binomial" else chance.logpmf(events, size * rate)).sum(0)
        weights = np.exp(log - log.max()) * stats.norm.pdf(grid)
        expected = (weights * mean_of(family, base[c] + sd * grid)).sum() / weights.sum()
        assert rates[c] == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("family", FAMILIES)
def test_residuals_of_rows_left_out_are_uniform_and_rates_within_their_band(family: Family) -> None:
    values, inside = [], 0
    for seed in range(8):
        model = simulate(World(family, groups=100, rows=(1, 3), trials=(1, 8)), seed).model()
        rates = left_out_rates(model, fit_of(model))
        values.append(randomised_pit(model.cells, rates, seed))
        inside += calibration_table(model.cells, rates.mean(axis=0), unknown=rates.std(axis=0)).is_inside
    assert stats.kstest(np.concatenate(values), "uniform").pvalue > 1e-3
    assert inside >= 6


def test_bands_are_wider_by_what_is_unknown_together() -> None:
    model = simulate(World("poisson", groups=20, rows=(4, 9)), 2).model()
    mean = mean_of("poisson", linear_predictor(model, fit_of(model)))
    plain, wider = (calibration_table(model.cells, mean, unknown=sd) for sd in (None, 0.2 * mean))
    none = calibration_table(model.cells, mean, unknown=np.zeros(mean.size))
    np.testing.assert_allclose(none.upper, plain.upper)
    assert np.all(wider.upper > plain.upper)
    assert np.all(wider.lower <= plain.lower)


def test_quarters_hold_all_groups_and_their_events() -> None:
    model = simulate(World("poisson", groups=33, trials=(1, 5)), 2).model()
    found = calibration_by_size(model, fit_of(model))
    assert len(found) == 4
    assert sum(one.n_groups for one in found) == 33
    assert sum(one.observed for one in found) == model.cells.events.sum()
    assert all(a.largest < b.smallest for a, b in pairwise(found))
    assert found[0].band == pytest.approx(
        (max(1 - 1.96 * found[0].se / found[0].expected, 0), 1 + 1.96 * found[0].se / found[0].expected), rel=1e-4
    )
    few = simulate(World(groups=7), 1).model()
    assert calibration_by_size(few, fit_of(few)) == ()
