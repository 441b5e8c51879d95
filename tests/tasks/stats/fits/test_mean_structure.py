"""Fits with added terms and with rows that follow one another are those of N x N matrices."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.fits.mean_structure import (
    Added,
    Fitted,
    fitted,
    mean_structure,
    model_of,
    refit,
    refit_near,
    with_terms,
)
from tasks.stats.fits.partial_pooling import partial_pooling
from tasks.stats.fits.reml import profile, relative_factor
from tasks.stats.records import Floats, GroupedData
from tests.datasets import cbpp, simulated
from tests.datasets import model_of as sums_of
from tests.dense import Dense, autoregressive, dense, profiled_deviance

SIZE, CONTEXT, CURVE = Added("size"), Added("context", 1), Added("curve", 1)
DESIGNS = [
    pytest.param((), (0, 1), 0.0, id="nothing"),
    pytest.param((SIZE,), (0,), 0.0, id="size"),
    pytest.param((CONTEXT,), (0, 1), 0.0, id="context"),
    pytest.param((CURVE,), (0, 1), 0.0, id="curve"),
    pytest.param((CONTEXT, CURVE, SIZE, Added("curve", 2)), (0, 1, 2), 0.0, id="all, in no order"),
    pytest.param((), (0, 1), 0.4, id="serial"),
    pytest.param((CURVE, SIZE, CONTEXT), (0, 2), 0.3, id="serial and all"),
]


def rows() -> GroupedData:
    return simulated(4, [3, 6, 9, 5, 8, 1, 12, 4], beta=(10.0, 2.0, -1.0), sd=(2.0, 1.0, 0.5), sigma=1.5)


def oracle(data: GroupedData, fit: Fitted) -> Dense:
    """The same model on rows, at the fit's own variances."""
    wide, scaling = with_terms(data, sums_of(data)[1], fit.structure)
    factor = relative_factor(fit.theta, len(fit.varying))
    following = autoregressive(data, fit.structure.serial) if fit.structure.serial else None
    return dense(wide, scaling, fit.varying, fit.at.sigma**2 * factor @ factor.T, fit.at.sigma, following)


def structured(data: GroupedData, added: tuple[Added, ...], serial: float, varying: tuple[int, ...]) -> Fitted:
    return refit(mean_structure(sums_of(data)[0], added, serial), varying)


@pytest.mark.parametrize(("added", "varying", "serial"), DESIGNS)
def test_criterion_and_fixed_effects_are_the_dense_models(
    added: tuple[Added, ...], varying: tuple[int, ...], serial: float
) -> None:
    """Taking the correlation from the rows changes the density by sqrt(1 - r^2) for each group's first row."""
    data = rows()
    fit = structured(data, added, serial, varying)
    by_rows = oracle(data, fit)
    jacobian = data.n_groups * np.log(1 - serial**2)
    assert fit.at.value - jacobian == pytest.approx(by_rows.deviance("reml"), abs=1e-7)
    np.testing.assert_allclose(fit.at.fixef, by_rows.beta, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(fit.at.sigma**2 * fit.at.unscaled_cov, by_rows.beta_cov, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize(("added", "varying", "serial"), DESIGNS[3:])
def test_no_dense_search_finds_a_lower_criterion(
    added: tuple[Added, ...], varying: tuple[int, ...], serial: float
) -> None:
    data = rows()
    fit = structured(data, added, serial, varying)
    wide, scaling = with_terms(data, sums_of(data)[1], fit.structure)
    following = autoregressive(data, serial) if serial else None

    def deviance(theta: Floats) -> float:
        factor = relative_factor(theta, len(varying))
        return profiled_deviance(wide, scaling, varying, factor @ factor.T, "reml", following)

    start = fit.theta + 0.1
    best = minimize(deviance, start, method="Powell", options={"maxfev": 400}).fun
    assert best < deviance(start)
    assert fit.at.value - data.n_groups * np.log(1 - serial**2) <= best + 1e-6


@pytest.mark.parametrize(("added", "varying", "serial"), DESIGNS)
def test_levels_slopes_and_their_errors_are_those_of_the_mixed_model_equations(
    added: tuple[Added, ...], varying: tuple[int, ...], serial: float
) -> None:
    """A group is described where all rows' mean lies: squares are 0 there, columns of groups have the group's value."""
    data = rows()
    fit = structured(data, added, serial, varying)
    by_rows = oracle(data, fit)
    whole, estimate = by_rows.prediction_cov(), np.append(by_rows.beta, by_rows.modes)
    p, q, wide = len(data.terms), len(varying), by_rows.x.shape[1]
    values = by_rows.x[[np.flatnonzero(data.group_index == j)[0] for j in range(data.n_groups)]]
    constant = [at for at, each in enumerate(fit.structure.added, start=p) if each.kind != "curve"]
    for j in range(data.n_groups):
        pick = np.zeros((p, len(whole)))
        pick[:, :p] = np.eye(p)
        pick[0, constant] = values[j, constant]
        pick[list(varying), wide + j * q + np.arange(q)] += 1.0
        level = pick @ estimate + np.eye(p)[0] * data.y.mean()
        np.testing.assert_allclose(fit.coef[j], level, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(fit.se[j], np.sqrt(np.diag(pick @ whole @ pick.T)), rtol=1e-6)


def test_added_columns_are_what_they_are_called() -> None:
    data = rows()
    structure = mean_structure(sums_of(data)[0], (SIZE, CURVE, Added("context", 2)))
    wide, _ = with_terms(data, sums_of(data)[1], structure)
    n = np.bincount(data.group_index)
    x = design_matrix(data, sums_of(data)[1])
    means = np.bincount(data.group_index, x[:, 2]) / n
    expected = [x[:, 1] ** 2, (np.log2(n) - np.log2(n).mean())[data.group_index], means[data.group_index]]
    np.testing.assert_allclose(wide.x[:, 2:], np.column_stack(expected), rtol=1e-9, atol=1e-9)
    assert structure.added == (CURVE, SIZE, Added("context", 2))
    assert structure.products.terms == ("intercept", "x1", "x2", "x1²", "log2 rows", "x2, group mean") == wide.terms


def test_nothing_added_is_the_plain_fit() -> None:
    products, scaling = sums_of(rows())
    plain = partial_pooling(products, scaling, "varying_intercept_slope", (0, 1))
    fit = fitted(mean_structure(products), (0, 1), plain.theta)
    np.testing.assert_allclose(fit.coef, plain.coef, rtol=1e-10)
    np.testing.assert_allclose(fit.se, plain.coef_se, rtol=1e-9)


@pytest.mark.parametrize("added", [(), (CURVE, SIZE)])
def test_a_search_from_nearby_ends_where_the_whole_search_does(added: tuple[Added, ...]) -> None:
    structure = mean_structure(sums_of(rows())[0], added)
    whole = refit(structure, (0, 1))
    near = refit_near(structure, (0, 1), whole.theta + np.array([0.3, 0.1, 0.2]))
    assert near.at.value == pytest.approx(whole.at.value, abs=1e-4)


def test_any_other_theta_has_a_higher_criterion_whatever_was_added() -> None:
    fit = structured(cbpp(), (SIZE, CURVE), 0.2, (0, 1))
    rng = np.random.default_rng(1)
    for _ in range(50):
        theta = fit.theta + 0.05 * rng.standard_normal(3)
        assert profile(model_of(fit.structure, fit.varying), theta).value > fit.at.value - 1e-6


@pytest.mark.parametrize("added", [(), (CURVE, CONTEXT)])
def test_residual_weights_give_the_rows_residuals(added: tuple[Added, ...]) -> None:
    data = rows()
    fit = structured(data, added, 0.0, (0, 1))
    x = design_matrix(data, sums_of(data)[1])
    columns = np.column_stack([x, data.y - data.y.mean(), x[:, 1:] ** 2])
    residual = (columns * fit.residual_weights[data.group_index]).sum(axis=1)
    expected = data.y - (x * fit.coef[data.group_index]).sum(axis=1)
    if CURVE in added:
        expected -= fit.at.fixef[3] * x[:, 1] ** 2
    np.testing.assert_allclose(residual, expected, rtol=1e-9, atol=1e-9)
    by_rows = [
        np.std(residual[data.group_index == j], ddof=1) if n > 1 else np.nan for j, n in enumerate(fit.structure.n)
    ]
    np.testing.assert_allclose(fit.residual_sd, by_rows, rtol=1e-8)


def test_a_term_that_repeats_another_is_not_estimable() -> None:
    """With one size there is no slope along size; a predictor that is constant in its groups is its own mean."""
    equal = sums_of(simulated(1, [5] * 6))[0]
    assert not mean_structure(equal, (SIZE,)).is_estimable
    assert mean_structure(equal, (CONTEXT, CURVE)).is_estimable
    data = simulated(1, [5, 7, 3, 9, 4, 6])
    constant = GroupedData(data.y, data.group_index[:, None] ** 1.5, data.group_index, data.labels, data.terms)
    assert not mean_structure(sums_of(constant)[0], (CONTEXT,)).is_estimable
