"""The likelihood is the integral, its score is its score, and both depend on cells as on rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad, quad
from scipy.special import gammaln

from tasks.stats.counted.design import Design, basis_of, design_of
from tasks.stats.counted.likelihood_search import covariance_score, search_of
from tasks.stats.counted.marginal_likelihood import evaluate
from tasks.stats.counted.predictors import centre_scaled, scaling_of
from tasks.stats.counted.quadrature import rule
from tasks.stats.fits.cells import Cells, Family, cells_of
from tasks.stats.fits.reml import relative_factor
from tasks.stats.fits.small_matrices import lower_triangle
from tasks.stats.records import Floats
from tests.counted_designs import simulated

FAMILIES: tuple[Family, ...] = ("binomial", "poisson")
families = st.sampled_from(FAMILIES)


def design_for(cells: Cells, q: int) -> Design:
    x = centre_scaled(cells, scaling_of(cells))
    return design_of(cells, basis_of(x, cells.n_rows), np.ascontiguousarray(x.T[:q]))


def small(family: Family, seed: int) -> Cells:
    return simulated(family, seed, [1, 2, 3, 5], (-0.4, 0.6, -0.3), most=5).cells()


def parameters_for(seed: int, q: int, scale: float = 0.7) -> Floats:
    return np.append([-0.4, 0.6, -0.3], scale * np.random.default_rng(seed).normal(size=q * (q + 1) // 2))


def value(design: Design, points: int, parameters: Floats) -> float:
    factor = relative_factor(parameters[design.m :], design.q)
    start = np.zeros((design.q, design.n_groups))
    return evaluate(design, rule(design.q, points), parameters[: design.m], factor, start).value


def score(design: Design, points: int, parameters: Floats) -> Floats:
    factor = relative_factor(parameters[design.m :], design.q)
    start = np.zeros((design.q, design.n_groups))
    return evaluate(design, rule(design.q, points), parameters[: design.m], factor, start).score


def joint_density(design: Design, group: int, parameters: Floats) -> Callable[..., float]:
    """Of one group's outcomes and its standard normal effects u, the likelihood's constant apart."""
    own = design.group == group
    base = design.basis[own] @ parameters[: design.m]
    a = relative_factor(parameters[design.m :], design.q).T @ design.z[:, own]

    def density(*u: float) -> float:
        eta = base + np.array(u) @ a
        cumulant = np.exp(eta) if design.family == "poisson" else np.logaddexp(0.0, eta)
        log_lik = (design.events[own] * eta - design.size[own] * cumulant).sum()
        return float(np.exp(log_lik - 0.5 * np.square(u).sum()) / np.sqrt(2 * np.pi) ** len(u))

    return density


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("sd", [0.0, 0.3, 1.0, 2.0])
def test_with_one_varying_effect_it_is_the_integral(family: Family, sd: float) -> None:
    """To 1e-8; with an SD of 2 and a handful of counts only with more than 25 points, which are then within 1e-6."""
    design = design_for(small(family, 5), 1)
    parameters = np.array([-0.4, 0.6, -0.3, sd])
    limits = {"points": [-2.0, -1.0, 0.0, 1.0, 2.0], "epsabs": 0.0, "epsrel": 1e-11, "limit": 400}
    wanted = sum(np.log(quad(joint_density(design, j, parameters), -12, 12, **limits)[0]) for j in range(4))
    assert value(design, 25, parameters) == pytest.approx(wanted, abs=1e-8 if sd < 2.0 else 1e-6)
    assert value(design, 61, parameters) == pytest.approx(wanted, abs=1e-8)


@pytest.mark.parametrize("family", FAMILIES)
def test_with_two_varying_effects_it_is_the_integral(family: Family) -> None:
    """To 1e-8 with 25 by 25 points; 9 by 9 are within 1e-5."""
    design = design_for(simulated(family, 8, [2, 4], (-0.4, 0.6, -0.3), most=4).cells(), 2)
    parameters = np.array([-0.4, 0.6, -0.3, 0.7, 0.2, 0.5])
    wanted = sum(
        np.log(dblquad(joint_density(design, j, parameters), -9, 9, -9, 9, epsabs=0.0, epsrel=1e-10)[0])
        for j in range(2)
    )
    assert value(design, 25, parameters) == pytest.approx(wanted, abs=1e-8)
    assert value(design, 9, parameters) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_three_varying_effects_have_the_laplace_approximation(family: Family) -> None:
    """Near the integral by 25 by 25 points if the third effect hardly varies; not equal to it."""
    cells = simulated(family, 8, [9, 14], (-0.4, 0.6, -0.3), most=9).cells()
    exact = value(design_for(cells, 2), 25, np.array([-0.4, 0.6, -0.3, 0.5, 0.1, 0.3]))
    approximate = value(design_for(cells, 3), 1, np.array([-0.4, 0.6, -0.3, 0.5, 0.1, 0.0, 0.3, 0.0, 0.0]))
    assert approximate == pytest.approx(exact, abs=0.05)
    assert approximate != pytest.approx(exact, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(families, st.integers(0, 10**6), st.sampled_from([(1, 1), (1, 5), (1, 25), (2, 1), (2, 3), (2, 9), (3, 1)]))
def test_the_score_is_that_of_the_value_with_any_number_of_points(
    family: Family, seed: int, grid: tuple[int, int]
) -> None:
    q, points = grid
    design, parameters = design_for(small(family, seed), q), parameters_for(seed, q)
    steps = 1e-5 * np.eye(parameters.size)
    wanted = [(value(design, points, parameters + s) - value(design, points, parameters - s)) / 2e-5 for s in steps]
    found = score(design, points, parameters)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6 * (1.0 + np.abs(found).max()))


@settings(max_examples=20, deadline=None)
@given(families, st.integers(0, 10**6), st.sampled_from([1, 2]))
def test_the_score_in_the_covariance_holds_where_it_is_singular(family: Family, seed: int, q: int) -> None:
    """By adding a little variance in each direction, from none in any."""
    searched = search_of(design_for(small(family, seed), q), 25)
    parameters = np.append([-0.4, 0.6, -0.3], np.zeros(q * (q + 1) // 2))
    gradient = covariance_score(searched, parameters)
    size, allowed = 1e-6, 1e-3 * (1.0 + np.abs(gradient).max())
    for direction in [*np.eye(q), np.ones(q)]:
        root = np.linalg.cholesky(size * (np.outer(direction, direction) + 1e-9 * np.eye(q)))
        moved = np.append(parameters[:3], root[lower_triangle(q)])
        difference = (searched.value(moved) - searched.value(parameters)) / size
        assert difference == pytest.approx(direction @ gradient @ direction, abs=allowed)


@settings(max_examples=20, deadline=None)
@given(families, st.integers(0, 10**6), st.sampled_from([1, 2]))
def test_rows_and_cells_have_the_same_likelihood(family: Family, seed: int, q: int) -> None:
    """Predictors of few values: cells add up several rows. Rows told apart by a tiny shift are cells of their own."""
    rows = simulated(family, seed, [30] * 5, (-0.4, 0.6, -0.3), most=3)
    rows = replace(rows, x=np.sign(rows.x))
    merged = rows.cells()
    apart = cells_of(
        family,
        rows.events,
        rows.size,
        rows.x + 1e-13 * np.arange(150)[:, None],
        rows.group,
        merged.labels,
        merged.terms,
    )
    assert merged.events.size <= 20
    assert apart.events.size == 150
    parameters = parameters_for(seed, q)
    several = [value(design_for(cells, q), 9, parameters) + cells.constant for cells in (merged, apart)]
    assert several[0] == pytest.approx(several[1], abs=1e-7)
    np.testing.assert_allclose(
        score(design_for(merged, q), 9, parameters), score(design_for(apart, q), 9, parameters), atol=1e-6
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_pieces_add_up(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    design, parameters = design_for(simulated(family, 4, [7] * 50, (-0.4, 0.6, -0.3)).cells(), 1), parameters_for(4, 1)
    whole = search_of(design, 25).at(parameters)
    monkeypatch.setattr("tasks.stats.counted.likelihood_search.CELLS_AT_ONCE", 30)
    monkeypatch.setattr("tasks.stats.counted.marginal_likelihood.VALUES_AT_ONCE", 50)
    pieces = search_of(design, 25)
    assert len(pieces.pieces) > 5
    assert pieces.at(parameters)[0] == pytest.approx(whole[0], abs=1e-10)
    np.testing.assert_allclose(pieces.at(parameters)[1], whole[1], atol=1e-9)


def test_the_constant_makes_it_the_probability_of_the_rows() -> None:
    """Without group effects, the binomial and the Poisson probabilities."""
    cells = small("poisson", 3)
    design = design_for(cells, 1)
    eta = design.basis @ [-0.4, 0.6, -0.3]
    mean = cells.size * np.exp(eta)
    wanted = (cells.events * np.log(mean) - mean - gammaln(cells.events + 1)).sum()
    assert value(design, 25, np.array([-0.4, 0.6, -0.3, 0.0])) + cells.constant == pytest.approx(wanted, abs=1e-9)
