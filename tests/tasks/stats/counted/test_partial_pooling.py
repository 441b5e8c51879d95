"""Properties of the fit: what must not change it, what must, and that it is the highest point there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.stats.counted.design import basis_of, design_of
from tasks.stats.counted.likelihood_search import search_of
from tasks.stats.counted.partial_pooling import CountedPartialPooling, partial_pooling
from tasks.stats.counted.predictors import centre_scaled
from tasks.stats.counted.quadrature import POINTS
from tasks.stats.fits.cells import Family
from tasks.stats.records import Floats
from tests.counted_designs import CountedRows, per_group, simulated

FAMILIES: tuple[Family, ...] = ("binomial", "poisson")
families = st.sampled_from(FAMILIES)
seeds = st.integers(0, 10**6)
designs = st.sampled_from([(0,), (1,), (0, 1)])


def fit_of(rows: CountedRows, varying: tuple[int, ...] = (0,)) -> CountedPartialPooling:
    return partial_pooling(rows.cells(), "varying_intercept" if varying == (0,) else "varying_intercept_slope", varying)


def small(family: Family, seed: int, sd: tuple[float, ...] = (0.8, 0.5)) -> CountedRows:
    sizes = np.random.default_rng(seed).integers(3, 15, 12).tolist()
    return simulated(family, seed, sizes, (-0.3, 0.6, -0.2), sd, most=3)


def log_lik_at(rows: CountedRows, fit: CountedPartialPooling, fixef: Floats, factor: Floats) -> float:
    """Of coefficients on the centre-scaled predictors."""
    cells = rows.cells()
    x = centre_scaled(cells, fit.scaling)
    basis = basis_of(x, cells.n_rows)
    design = design_of(cells, basis, np.ascontiguousarray(x[:, list(fit.varying)].T))
    searched = search_of(design, POINTS[design.q])
    fixed = np.linalg.solve(basis.to_scaled, fixef)
    start = np.append(fixed, factor.T[np.triu_indices(design.q)])
    return searched.value(start) + cells.constant


@settings(max_examples=25, deadline=None)
@given(families, seeds, designs, st.integers(0, 10**6))
def test_no_parameters_near_or_far_have_a_higher_likelihood(
    family: Family, seed: int, varying: tuple[int, ...], moves: int
) -> None:
    rows = small(family, seed)
    fit = fit_of(rows, varying)
    if not fit.is_converged:
        assert fit.is_unbounded
        return
    rng = np.random.default_rng(moves)
    factor = np.linalg.cholesky(fit.cov + 1e-14 * np.eye(len(varying)))
    assert log_lik_at(rows, fit, fit.fixef, factor) == pytest.approx(fit.log_lik, abs=1e-5)
    for size in (0.01, 0.1, 1.0):
        moved = np.tril(factor + size * rng.normal(size=factor.shape))
        there = log_lik_at(rows, fit, fit.fixef + size * rng.normal(size=3) * fit.se, moved)
        assert there <= fit.log_lik + 1e-5
    glm = log_lik_at(rows, fit, fit.fixef, 0.0 * factor)
    assert glm <= fit.log_lik + 1e-8


@settings(max_examples=15, deadline=None)
@given(families, seeds, designs)
def test_the_order_of_groups_and_rows_and_units_of_predictors_change_nothing(
    family: Family, seed: int, varying: tuple[int, ...]
) -> None:
    rows = small(family, seed)
    rng = np.random.default_rng(seed)
    order, names = rng.permutation(rows.events.size), rng.permutation(12)
    other = CountedRows(
        family,
        rows.events[order],
        rows.size[order],
        rows.x[order] * [1e3, 1e-2] + [7.0, -2.0],
        names[rows.group[order]],
    )
    fit, again = fit_of(rows, varying), fit_of(other, varying)
    assert again.is_converged == fit.is_converged
    if fit.is_converged:
        assert again.log_lik == pytest.approx(fit.log_lik, abs=1e-6)
        np.testing.assert_allclose(again.fixef, fit.fixef, atol=2e-3 * fit.se.min())
        np.testing.assert_allclose(again.cov, fit.cov, atol=2e-3)
        np.testing.assert_allclose(again.conditional_mode[names], fit.conditional_mode, atol=5e-3)


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_events_and_non_events_are_mirror_images(seed: int) -> None:
    rows = small("binomial", seed)
    fit, mirrored = fit_of(rows), fit_of(replace(rows, events=rows.size - rows.events))
    assert mirrored.log_lik == pytest.approx(fit.log_lik, abs=1e-7)
    np.testing.assert_allclose(mirrored.fixef, -fit.fixef, atol=1e-4)
    np.testing.assert_allclose(mirrored.conditional_mode, -fit.conditional_mode, atol=1e-4)
    np.testing.assert_allclose(mirrored.sigma_group, fit.sigma_group, atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(seeds, st.sampled_from([1e-6, 0.1, 12.0, 1e5]))
def test_another_unit_of_exposure_moves_the_intercept_only(seed: int, factor: float) -> None:
    rows = small("poisson", seed)
    fit, scaled = fit_of(rows), fit_of(replace(rows, size=rows.size * factor))
    assert scaled.log_lik == pytest.approx(fit.log_lik, abs=1e-7)
    np.testing.assert_allclose(scaled.fixef, fit.fixef - np.log(factor) * np.eye(3)[0], atol=1e-4)
    np.testing.assert_allclose(scaled.sigma_group, fit.sigma_group, atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(families, seeds)
def test_estimates_lie_between_the_common_rate_and_the_groups_own(family: Family, seed: int) -> None:
    """On the link scale; and the group's own are nearly reached where it has many events."""
    rng = np.random.default_rng(seed)
    size = rng.integers(5, 2000, 30).astype(float)
    eta = -1.0 + 0.8 * rng.normal(size=30)
    events = rng.binomial(size.astype(int), 1 / (1 + np.exp(-eta))) if family == "binomial" else None
    events = rng.poisson(size * np.exp(eta)) if events is None else events
    fit = fit_of(per_group(family, events.tolist(), size.tolist()))
    others = size - events if family == "binomial" else size
    inside = (events > 0) & (others > 0)
    own = np.log(events[inside] / others[inside]) - fit.fixef[0]
    mode = fit.conditional_mode[inside, 0]
    assert np.all(mode * own >= -1e-12)
    assert np.all(np.abs(mode) <= np.abs(own) + 1e-9)
    many = np.minimum(events, others)[inside] > 100
    np.testing.assert_allclose(mode[many], own[many], atol=0.1)


@pytest.mark.parametrize("family", FAMILIES)
def test_conditional_covariances_shrink_with_the_groups_rows(family: Family) -> None:
    """From the groups' own covariance, of a group without rows, towards 0."""
    size = np.array([1.0, 10, 100, 1000, 10, 10, 20, 30])
    events = np.round(size * [0.0, 0.2, 0.3, 0.5, 0.1, 0.9, 0.6, 0.3])
    cells = replace(per_group(family, events.tolist(), size.tolist()).cells(), labels=tuple("abcdefghi"))
    fit = partial_pooling(cells, "varying_intercept", (0,))
    np.testing.assert_array_equal(fit.conditional_mode[8], 0.0)
    np.testing.assert_array_equal(fit.conditional_cov[8], fit.cov)
    variances = fit.conditional_cov[[8, 0, 1, 2, 3], 0, 0]
    assert np.all(np.diff(variances) < 0)
    assert np.all(np.linalg.eigvalsh(fit.conditional_cov) > -1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_truth_of_many_groups_is_found(family: Family) -> None:
    rows = simulated(family, 21, [8] * 3000, (-0.5, 0.6), (0.8, 0.5), most=6)
    fit = fit_of(rows, (0, 1))
    raw = fit.scaling.to_raw @ fit.fixef
    assert fit.is_converged
    np.testing.assert_allclose(raw, [-0.5, 0.6], atol=4 * fit.se.max())
    np.testing.assert_allclose(fit.sigma_group, [0.8, 0.5], atol=0.06)
    assert abs(fit.correlation[0, 1]) < 0.15


def test_many_groups_start_from_some_of_them_and_end_where_all_do(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    size = rng.integers(1, 60, 4000)
    events = rng.binomial(size, 1 / (1 + np.exp(2.0 - 0.9 * rng.normal(size=4000))))
    rows = per_group("binomial", events.tolist(), size.tolist())
    some = fit_of(rows)
    monkeypatch.setattr("tasks.stats.counted.starts.RACING_GROUPS", 10**9)
    every = fit_of(rows)
    assert some.log_lik == pytest.approx(every.log_lik, abs=1e-8)
    np.testing.assert_allclose(some.theta, every.theta, rtol=1e-5)
    np.testing.assert_allclose(some.se, every.se, rtol=1e-4)
