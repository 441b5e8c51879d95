"""Rows that vary more than their family says: densities against scipy's, fits against glmm's, simulations, the test."""

from __future__ import annotations

from dataclasses import replace

import glmm
import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from tasks.stats.counted import overdispersed_fit as overdispersed_module
from tasks.stats.counted.added_terms import with_cells
from tasks.stats.counted.cell_rows import cells_of_rows
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.overdispersed import derivatives, inflation, log_density, rising, simulated_rows, weight
from tasks.stats.counted.overdispersed_fit import OverdispersedFit, log_likelihood_and_score, overdispersed_fit
from tasks.stats.fits.cells import Family, constant_of
from tests.counted_data import counted
from tests.counted_worlds import Made, World, fit_of, simulate

FAMILIES: tuple[Family, ...] = ("binomial", "poisson")
DISPERSIONS = [0.0, 1e-12, 1e-6, 5e-5, 2e-4, 0.1, 3.0]
RNG = np.random.default_rng(0)
EVENTS = RNG.integers(0, 30, 60).astype(float)
SIZE = np.maximum(EVENTS + RNG.integers(0, 30, 60), 1.0)
ETA = 1.5 * RNG.standard_normal(60)


def rows_of(made: Made, varying: tuple[int, ...] = (0,)) -> CountedModel:
    return with_cells(made.model(varying), cells_of_rows(made.data, made.family))


@pytest.mark.parametrize("phi", [1e-3, 0.1, 3.0])
def test_densities_are_scipys(phi: float) -> None:
    p, mean = expit(ETA), SIZE * np.exp(ETA)
    binomial = stats.betabinom.logpmf(EVENTS, SIZE, p / phi, (1 - p) / phi)
    np.testing.assert_allclose(log_density("binomial", EVENTS, SIZE, ETA, phi), binomial, rtol=1e-9, atol=1e-9)
    poisson = stats.nbinom.logpmf(EVENTS, 1 / phi, 1 / (1 + phi * mean))
    np.testing.assert_allclose(log_density("poisson", EVENTS, SIZE, ETA, phi), poisson, rtol=1e-9, atol=1e-9)


def test_without_dispersion_they_are_those_of_the_family() -> None:
    np.testing.assert_allclose(
        log_density("binomial", EVENTS, SIZE, ETA, 0.0), stats.binom.logpmf(EVENTS, SIZE, expit(ETA)), rtol=1e-10
    )
    np.testing.assert_allclose(
        log_density("poisson", EVENTS, SIZE, ETA, 0.0), stats.poisson.logpmf(EVENTS, SIZE * np.exp(ETA)), rtol=1e-10
    )


@pytest.mark.parametrize("phi", DISPERSIONS)
def test_rising_products_are_sums_of_logs(phi: float) -> None:
    for a in (expit(ETA), np.ones(60)):
        terms = a[:, None] + phi * np.arange(60)
        below = np.arange(60) < EVENTS[:, None]
        value, slope = rising(a, EVENTS, np.asarray(phi))
        np.testing.assert_allclose(value, np.where(below, np.log(terms), 0).sum(axis=1), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(slope, np.where(below, 1 / terms, 0).sum(axis=1), rtol=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("phi", DISPERSIONS)
def test_derivatives_are_those_of_the_density(family: Family, phi: float) -> None:
    h = 1e-4
    by_eta, by_log = derivatives(family, EVENTS, SIZE, ETA, phi)
    up, down = (log_density(family, EVENTS, SIZE, ETA + step, phi) for step in (h, -h))
    np.testing.assert_allclose(by_eta, (up - down) / (2 * h), rtol=1e-5, atol=1e-5)
    up, down = (log_density(family, EVENTS, SIZE, ETA, phi * np.exp(step)) for step in (h, -h))
    np.testing.assert_allclose(by_log, (up - down) / (2 * h), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_simulated_rows_have_the_variance_that_inflation_says(family: Family) -> None:
    cells = counted(family, [1, 1, 1], [4, 20, 1], list("abc"))
    rng, mean, phi = np.random.default_rng(4), np.array([0.3, 0.2, 0.5]), 0.4
    events = np.array([simulated_rows(cells, mean, phi, rng) for _ in range(20_000)])
    np.testing.assert_allclose(events.mean(axis=0), cells.size * mean, rtol=0.03)
    plain = cells.size * mean * (1 - mean if family == "binomial" else 1)
    expected = plain * inflation(family, cells.size, mean, phi)
    np.testing.assert_allclose(events.var(axis=0), expected, rtol=0.05)
    slope = cells.size * mean * (1 - mean if family == "binomial" else 1)
    link = np.log(mean / (1 - mean)) if family == "binomial" else np.log(mean)
    np.testing.assert_allclose(weight(family, cells.size, link, phi), slope**2 / expected)
    assert simulated_rows(cells, mean, 0.0, rng).size == 3


def test_a_negative_binomial_fit_is_glmms() -> None:
    made = simulate(World("poisson", groups=40, trials=(1, 6), dispersion=0.4), 3)
    data = made.data
    model = rows_of(made)
    fit = overdispersed_fit(model)
    frame = {"y": data.y, "x": model.design[:, 1], "g": np.array([data.labels[j] for j in data.group_index], object)}
    theirs = glmm.fit(frame, "y ~ x + (1 | g)", "negativebinomial", nagq=25, offset=np.log(data.size))
    assert fit.is_converged
    assert fit.log_lik == pytest.approx(theirs.loglik, abs=2e-3)
    assert fit.log_lik > theirs.loglik - 1e-5
    assert fit.dispersion == pytest.approx(1 / theirs.dispersion, rel=0.01)
    np.testing.assert_allclose(fit.fixef, theirs.beta, atol=5e-3)
    assert np.sqrt(fit.cov[0, 0]) == pytest.approx(np.sqrt(theirs.varcorr[0][0]), rel=0.02)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("varying", [(0,), (0, 1)])
def test_the_score_is_that_of_the_likelihood(family: Family, varying: tuple[int, ...]) -> None:
    model = rows_of(
        simulate(World(family, groups=12, rows=(2, 9), trials=(2, 9), slope_sd=0.3, dispersion=0.3), 2), varying
    )
    at = np.concatenate([[-0.5, 0.4], [0.6, 0.1, 0.4][: 1 if varying == (0,) else 3], [np.log(0.2)]])
    score = log_likelihood_and_score(model, at[:2], at[2:-1], 0.2)[1]

    def value(there: np.ndarray) -> float:
        return log_likelihood_and_score(model, there[:2], there[2:-1], float(np.exp(there[-1])))[0]

    numeric = [(value(at + step) - value(at - step)) / 2e-4 for step in 1e-4 * np.eye(at.size)]
    np.testing.assert_allclose(score, numeric, rtol=1e-3, atol=3e-3)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("varying", [(0,), (0, 1)])
def test_without_dispersion_the_likelihood_is_the_plain_fits(family: Family, varying: tuple[int, ...]) -> None:
    model = rows_of(simulate(World(family, groups=20, rows=(4, 12), trials=(2, 5), slope_sd=0.4), 2), varying)
    plain = fit_of(model)
    value = log_likelihood_and_score(model, plain.fixef, plain.theta, 1e-12)[0]
    assert value == pytest.approx(plain.log_lik, abs=1e-5)
    fit = overdispersed_fit(model, plain)
    assert fit.log_lik_without == pytest.approx(plain.log_lik, abs=1e-8)
    assert fit.log_lik >= fit.log_lik_without
    assert fit.dispersion < 0.1


@pytest.mark.parametrize("family", FAMILIES)
def test_the_truth_is_found(family: Family) -> None:
    made = simulate(World(family, groups=80, trials=(2, 10), dispersion=0.3), 7)
    fit = overdispersed_fit(rows_of(made), points=9)
    assert fit.dispersion == pytest.approx(0.3, abs=0.08)
    assert np.sqrt(fit.cov[0, 0]) == pytest.approx(0.5, abs=0.15)
    assert fit.p_value < 1e-20
    errors = fit.fixef[0] + fit.conditional_mode[:, 0] - (made.coef[:, 0] + 0.5 * made.model().scaling.center[0])
    assert np.mean(errors**2 / fit.conditional_cov[:, 0, 0]) == pytest.approx(1.0, abs=0.4)


@pytest.mark.parametrize("family", FAMILIES)
def test_of_rows_without_dispersion_small_p_values_are_rare(family: Family) -> None:
    world = World(family, groups=25, rows=(3, 10), trials=(2, 6))
    fits = [overdispersed_fit(rows_of(simulate(world, seed)), points=5) for seed in range(8)]
    p_values = np.array([fit.p_value for fit in fits])
    assert (p_values < 0.05).sum() <= 3
    assert (p_values == 1.0).sum() >= 2


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dispersion", [0.0, 0.02])
def test_no_dispersion_is_told_where_a_search_finds_none(
    family: Family, dispersion: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(family, groups=25, rows=(3, 10), trials=(2, 12), dispersion=dispersion)
    models = [rows_of(simulate(world, seed)) for seed in range(6)]
    told = [overdispersed_fit(model, points=5) for model in models]
    monkeypatch.setattr(overdispersed_module, "_is_none_best", lambda *_: False)
    searched = [overdispersed_fit(model, points=5) for model in models]
    for one, other in zip(told, searched, strict=True):
        assert one.dispersion == pytest.approx(other.dispersion, abs=1e-5)
        assert one.log_lik == pytest.approx(other.log_lik, abs=1e-3)


def test_p_is_half_a_chi_squared() -> None:
    none = np.zeros(0)
    fit = OverdispersedFit(none, none, none, 0.1, -10.0, -12.0, none, none, is_converged=True)
    assert fit.p_value == pytest.approx(stats.chi2.sf(4.0, 1) / 2)
    assert replace(fit, log_lik_without=-10.0).p_value == 1.0


def test_rows_stay_rows() -> None:
    made = simulate(World("binomial", groups=3, rows=(2, 4), trials=(1, 5)), 1)
    order = np.random.default_rng(1).permutation(made.data.n_rows)
    data = made.data
    mixed = replace(data, y=data.y[order], x=0 * data.x, group_index=data.group_index[order], size=data.size[order])
    rows = cells_of_rows(mixed, "binomial")
    assert rows.events.size == data.n_rows
    assert np.all(np.diff(rows.group_index) >= 0)
    assert rows.constant == pytest.approx(made.cells.constant)
    for j in range(3):
        np.testing.assert_array_equal(rows.events[rows.group_index == j], mixed.y[mixed.group_index == j])
    assert cells_of_rows(replace(data, size=None), "poisson").size.tolist() == [1.0] * data.n_rows


def test_cells_of_rows_of_0_or_1_are_compared_with_cells() -> None:
    """Their binomial coefficients are in both likelihoods: as events of trials, and as rows that were added up."""
    made = simulate(World("binomial", groups=30, rows=(20, 60), digits=0), 5)
    model = made.model()
    found = overdispersed_fit(model, points=9)
    cells = model.cells
    as_trials = replace(model, cells=replace(cells, constant=constant_of("binomial", cells.events, cells.size)))
    assert found.log_lik_without == pytest.approx(fit_of(as_trials).log_lik, abs=1e-3)
    assert found.log_lik - found.log_lik_without < 4.0
    assert found.p_value > 0.01
