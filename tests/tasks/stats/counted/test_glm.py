"""Complete pooling of counted outcomes: R's numbers, invariances, and problems that are values."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize

from tasks.stats.counted import glm, regressions
from tasks.stats.counted.glm import CompleteRates, complete_rates
from tasks.stats.counted.predictors import centre_scaled, scaling_of
from tasks.stats.fits.cells import Cells, Family
from tests.counted_data import cattle, counted, grouse, simulated_counts


def fit(cells: Cells) -> CompleteRates:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return complete_rates(cells, scaling_of(cells))


def test_cattle_as_in_r() -> None:
    """R 4.2.2, lme4's cbpp: glm(cbind(incidence, size - incidence) ~ scale(as.numeric(period)), binomial).

    Robust standard errors: sandwich::vcovCL(fit, herd, type = "HC1").
    """
    found = fit(cattle())
    np.testing.assert_allclose(found.coef, [-2.317412990174, -0.737741371779], rtol=1e-9)
    np.testing.assert_allclose(found.se, [0.138567016405, 0.133604561728], rtol=1e-8)
    np.testing.assert_allclose(found.robust_se, [0.199080480895, 0.195928182291], rtol=1e-8)
    assert found.dispersion == pytest.approx(123.325965666 / 54, rel=1e-9)
    assert found.log_likelihood == pytest.approx(-101.10227579, abs=1e-7)
    assert found.problem == ""
    np.testing.assert_allclose(found.quasi_se, found.se * np.sqrt(123.325965666 / 54), rtol=1e-8)


def test_grouse_as_in_r_though_rows_are_added_up() -> None:
    """R 4.2.2, lme4's grouseticks: glm(TICKS ~ scale(HEIGHT) + scale(YEAR == "97"), poisson), on 403 rows."""
    cells = grouse()
    found = fit(cells)
    assert len(cells.x) < 403
    np.testing.assert_allclose(found.coef, [1.230433679170, -0.805339072225, -0.917573467309], rtol=1e-9)
    np.testing.assert_allclose(found.se, [0.0343459016829, 0.0255119691320, 0.0393462354637], rtol=1e-8)
    np.testing.assert_allclose(found.robust_se, [0.163342327425, 0.181264457805, 0.123173425603], rtol=1e-8)
    assert found.log_likelihood == pytest.approx(-2230.32571962, abs=1e-6)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_the_likelihood_is_highest_there_by_another_way(family: Family) -> None:
    cells = simulated_counts(family, 4, [30] * 12, (-0.7, 0.5, -0.3), tau=0.4)
    x = centre_scaled(cells, scaling_of(cells))

    def minus(beta: np.ndarray) -> float:
        eta = x @ beta
        if family == "binomial":
            return -float((cells.events * eta - cells.size * np.logaddexp(0, eta)).sum())
        return -float((cells.events * eta - cells.size * np.exp(eta)).sum())

    other = minimize(minus, np.zeros(3), method="BFGS", options={"gtol": 1e-8})
    found = fit(cells)
    np.testing.assert_allclose(found.coef, other.x, atol=1e-5)
    step = 1e-3 * np.eye(3)
    bend = [[minus(other.x + a + b) - minus(other.x + a - b) for b in step] for a in step]
    bend = np.array(bend) - [[minus(other.x - a + b) - minus(other.x - a - b) for b in step] for a in step]
    np.testing.assert_allclose(found.cov, np.linalg.inv(bend / 4e-6), rtol=1e-3, atol=1e-7)
    assert found.log_likelihood == pytest.approx(cells.constant - other.fun, rel=1e-10)
    assert (cells.size * found.mean).sum() == pytest.approx(cells.events.sum(), rel=1e-10)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_without_predictors_it_is_the_overall_rate(family: Family) -> None:
    cells = simulated_counts(family, 1, [5] * 40, (-1.0,))
    found, n = fit(cells), cells.size.sum()
    rate = cells.events.sum() / n
    assert found.on_outcome(found.coef)[0] == pytest.approx(rate, rel=1e-10)
    information = n * rate * (1 - rate) if family == "binomial" else n * rate
    assert found.se[0] == pytest.approx(information**-0.5, rel=1e-8)
    assert found.on_outcome(found.lower)[0] < rate < found.on_outcome(found.upper)[0]


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_a_predictors_unit_changes_nothing(family: Family) -> None:
    cells = simulated_counts(family, 2, [20] * 10, (-0.5, 0.4))
    other = fit(replace(cells, x=1e4 + 1e-3 * cells.x))
    np.testing.assert_allclose(other.coef, fit(cells).coef, rtol=1e-6)
    np.testing.assert_allclose(other.on_outcome(other.coef)[1], np.exp(other.coef[1]))


def test_rates_are_per_unit_of_exposure() -> None:
    cells = simulated_counts("poisson", 2, [20] * 10, (-0.5, 0.4))
    found, other = fit(cells), fit(replace(cells, size=100.0 * cells.size))
    np.testing.assert_allclose(other.coef - found.coef, [-np.log(100.0), 0.0], atol=1e-9)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_dispersion_is_1_by_chance_and_more_if_groups_differ(family: Family) -> None:
    alike = fit(simulated_counts(family, 5, [40] * 50, (0.5, 0.3), size=(20, 30)))
    assert alike.dispersion == pytest.approx(1.0, abs=4.0 * np.sqrt(2.0 / alike.df))
    assert fit(simulated_counts(family, 5, [40] * 50, (0.5, 0.3), tau=0.5, size=(20, 30))).dispersion > 1.5


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_robust_intervals_hold_the_truth_when_groups_differ(family: Family) -> None:
    """A predictor constant in a group: its ordinary standard error is far too small."""
    held, naive, n = 0, 0, 200
    for seed in range(n):
        rng = np.random.default_rng(seed)
        group = np.repeat(np.arange(60), 30)
        x = rng.standard_normal(60)[group]
        eta = -0.5 + 0.5 * rng.standard_normal(60)[group]
        mean = 1 / (1 + np.exp(-eta)) if family == "binomial" else np.exp(eta)
        events = rng.binomial(1, mean) if family == "binomial" else rng.poisson(mean)
        found = fit(counted(family, events, None, group, x))
        held += abs(found.coef[1]) < 1.96 * found.robust_se[1]
        naive += abs(found.coef[1]) < 1.96 * found.se[1]
    assert stats.binom.cdf(held, n, 0.95) > 1e-3
    assert naive < 0.8 * n


@pytest.mark.parametrize(
    ("cells", "problem", "separated"),
    [
        (counted("binomial", [0, 0, 1, 1], x=np.arange(4.0)), "separated", (0, 1)),
        (counted("binomial", [0, 0, 0, 0], x=np.arange(4.0)), "separated", (0, 1)),
        (counted("binomial", [1, 1, 1]), "separated", (0,)),
        (counted("poisson", [0, 0, 0]), "separated", (0,)),
        (counted("poisson", [0, 0, 3, 1], x=np.array([0.0, 0.0, 1.0, 1.0])), "separated", (0, 1)),
        (counted("poisson", [2, 3, 0, 0], x=np.array([0.0, 0.0, 1.0, 1.0])), "separated", (0, 1)),
        (counted("binomial", [0, 1, 0, 1], x=np.full(4, 3.0)), "no spread", ()),
        (counted("binomial", [0, 1, 1], x=np.column_stack([[1.0, 2, 3], [2.0, 4, 6]])), "no spread", ()),
    ],
)
def test_what_cannot_be_estimated_is_a_value(cells: Cells, problem: str, separated: tuple[int, ...]) -> None:
    found = fit(cells)
    assert (found.problem, found.separated) == (problem, separated)
    for number in (
        found.coef,
        found.se,
        found.robust_se,
        found.lower,
        found.upper,
        found.mean,
        found.on_outcome(found.coef),
    ):
        assert np.isnan(number).all()
    assert np.isnan(found.dispersion)


def test_a_large_effect_is_no_separation() -> None:
    x = np.repeat([0.0, 1.0], 100_000)
    events = np.repeat([0.0, 1.0], 100_000)
    events[[0, -1]] = [1.0, 0.0]
    found = fit(counted("binomial", events, x=x))
    assert found.problem == ""
    scale = np.std(x, ddof=1)
    assert found.coef[1] / scale == pytest.approx(2 * np.log(99_999), rel=1e-8)


def test_counts_of_very_different_sizes_are_fitted() -> None:
    x = np.linspace(-1, 1, 41)
    events = np.round(np.exp(6.0 + 12.0 * x))
    found = fit(counted("poisson", events, np.ones(41), x=x))
    assert found.problem == ""
    assert found.coef[1] / np.std(x, ddof=1) == pytest.approx(12.0, abs=0.01)


def test_a_single_group_has_no_robust_errors() -> None:
    assert np.isnan(fit(counted("binomial", [0, 1, 1, 0, 1])).robust_se).all()


def test_where_reweighting_stops_too_early_the_maximum_is_found() -> None:
    """statsmodels 0.15 calls itself converged at (-20.8, 4.5, -59.4): means near 0 round to its smallest."""
    x = np.array([[-2.1, -0.6], [-0.7, -2.5], [-0.5, -1.5], [2.1, 34.1]])
    cells = counted("poisson", [4, 68644, 78, 0], [100, 1, 1, 100], x=x)
    found = fit(cells)
    np.testing.assert_allclose(found.coef, [-57.11951, 1.44975, -123.86394], rtol=1e-5)
    design = centre_scaled(cells, scaling_of(cells))
    score = design.T @ (cells.events - cells.size * found.mean)
    assert np.abs(score * found.se).max() < 1e-4


def test_a_fit_that_cannot_be_found_is_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glm, "MOST_ITERATIONS", 1)
    monkeypatch.setattr(regressions, "MOST_ITERATIONS", 1)
    found = fit(counted("poisson", [1, 4, 2, 30], x=np.arange(4.0)))
    assert found.problem == "not converged"
    assert np.isnan(found.coef).all()
