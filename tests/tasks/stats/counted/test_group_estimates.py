"""Groups' estimates and standard errors: what they are, whether they hold the truth, and Stan's posterior SDs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.engines.engines import COUNTED, EmbeddedEngine
from tasks.stats.counted.added_terms import counted_model
from tasks.stats.counted.group_estimates import group_estimates
from tasks.stats.counted.predictors import scaling_of
from tasks.stats.counted.priors import default_priors
from tasks.stats.counted.stan_data import counted_data
from tasks.stats.fits.cells import Family
from tasks.stats.fits.mean_structure import Added
from tasks.study.settings import SamplerSettings
from tests.counted_data import counted
from tests.counted_worlds import World, fit_of, simulate

FAMILIES: tuple[Family, ...] = ("binomial", "poisson")


@pytest.mark.parametrize("family", FAMILIES)
def test_intervals_hold_the_truth_about_as_often_as_they_say(family: Family) -> None:
    held = []
    for seed in range(20):
        made = simulate(World(family, groups=25, trials=(1, 4)), seed)
        model = made.model()
        coef, se = group_estimates(model, fit_of(model))
        at_mean = made.coef[:, 0] + made.coef[:, 1] * model.scaling.center[0]
        held.append(np.abs(coef[:, 0] - at_mean) < 1.96 * se[:, 0])
    assert 0.92 < np.mean(held) < 0.98


@pytest.mark.parametrize("family", FAMILIES)
def test_standard_errors_are_about_the_posteriors(family: Family) -> None:
    made = simulate(World(family, groups=20, rows=(10, 40), trials=(1, 3), slope_sd=0.4), 2)
    model = made.model((0, 1))
    coef, se = group_estimates(model, fit_of(model))
    data = counted_data(model, default_priors(model))
    settings = SamplerSettings().model_copy(update={"chains": 2, "warmup": 300, "draws": 400})
    draws = EmbeddedEngine().sample(COUNTED, data, settings, 1, lambda _: None)
    groups = draws["beta"][:, :, None] + draws["u"]
    sd = groups.std(axis=(0, 1))
    np.testing.assert_allclose((se / sd).mean(axis=0), 1.0, atol=0.15)
    assert np.abs((coef - groups.mean(axis=(0, 1))) / sd).max() < 0.5


def test_the_variance_parameters_make_intervals_wider() -> None:
    """Without them, the formula is that of the normal family's joint errors: fixed effects and groups only."""
    made = simulate(World("poisson", groups=8, rows=(2, 5)), 4)
    model = made.model()
    fit = fit_of(model)
    se = group_estimates(model, fit)[1]
    known = fit.parameter_cov.copy()
    known[:2, :2] -= np.outer(known[:2, 2], known[:2, 2]) / known[2, 2]
    known[2], known[:, 2] = 0.0, 0.0
    assert np.all(se[:, 0] > group_estimates(model, replace(fit, parameter_cov=known))[1][:, 0])


def test_a_normal_limit_is_reached_where_counts_are_large() -> None:
    """Log counts of large groups are normal with known variances: the meta-analytic formulas hold."""
    rng = np.random.default_rng(6)
    size = np.full(40, 1e6)
    events = rng.poisson(size * np.exp(0.01 * rng.standard_normal(40)))
    cells = counted("poisson", events, size, np.arange(40))
    model = counted_model(cells, scaling_of(cells), (0,))
    fit = fit_of(model)
    coef, se = group_estimates(model, fit)
    noise, between = 1.0 / events, fit.cov[0, 0]
    shrunk = noise / (noise + between)
    level = np.log(events / size)
    np.testing.assert_allclose(coef[:, 0], level + shrunk * (level.mean() - level), atol=1e-5)
    joint = noise * (1 - shrunk) + shrunk**2 * (noise + between) / 40
    # d(shrunk) / d(sd), with the sd's own variance of about (noise + between)^2 / (2 J) / between
    by_sd = 2 * shrunk * (1 - shrunk) / np.sqrt(between) * (level - level.mean())
    known = joint + by_sd**2 * (noise + between) ** 2 / (2 * 40 * between)
    np.testing.assert_allclose(se[:, 0], np.sqrt(known), rtol=2e-3)


def test_added_terms_belong_to_the_level_and_a_singular_fit_has_estimates() -> None:
    rng = np.random.default_rng(8)
    group = np.repeat(np.arange(10), np.arange(2, 12))
    cells = counted("poisson", rng.poisson(2.0, group.size), None, group, rng.standard_normal(group.size))
    model = counted_model(cells, scaling_of(cells), (0,), (Added("curve", 1), Added("size"), Added("context", 1)))
    fit = fit_of(model)
    assert fit.is_singular
    coef, se = group_estimates(model, fit)
    at = np.column_stack([np.ones(10), np.zeros(10), model.group_values])
    np.testing.assert_allclose(coef[:, 0], at @ fit.fixef)
    np.testing.assert_allclose(coef[:, 1], fit.fixef[1])
    np.testing.assert_allclose(se[:, 0], np.sqrt(np.einsum("ja,ab,jb->j", at, fit.fixef_cov, at)), rtol=1e-6)
    np.testing.assert_allclose(se[:, 1], fit.se[1])
