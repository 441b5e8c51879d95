"""Modes are where the group's joint density has its maximum, from any start."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from tasks.stats.counted.design import Design, basis_of, design_of
from tasks.stats.counted.group_modes import linear_of, modes_of
from tests.counted_designs import CountedRows, per_group, simulated


def design_for(rows: CountedRows, q: int) -> Design:
    cells = rows.cells()
    x = np.column_stack([np.ones(cells.events.size), cells.x])
    return design_of(cells, basis_of(x, cells.n_rows), np.ascontiguousarray(x.T[:q]))


@pytest.mark.parametrize("family", ["binomial", "poisson"])
@pytest.mark.parametrize("q", [1, 2, 3])
def test_modes_and_curvatures_are_those_of_a_general_optimiser(family: str, q: int) -> None:
    design = design_for(simulated(family, 3, [1, 4, 9, 30], (-0.4, 0.5, 0.3), most=4), q)
    factor = np.tril(np.full((q, q), 0.4)) + 0.5 * np.eye(q)
    fixed = np.array([-0.4, 0.5, 0.3])
    modes = modes_of(design, linear_of(design, fixed, factor), np.zeros((q, 4)))
    for j in range(4):
        own = design.group == j
        base, a = design.basis[own] @ fixed, (factor.T @ design.z)[:, own]

        def minus_log_joint(u: np.ndarray, own: np.ndarray = own, base: np.ndarray = base, a: np.ndarray = a) -> float:
            eta = base + u @ a
            cumulant = np.exp(eta) if family == "poisson" else np.logaddexp(0.0, eta)
            return float((design.size[own] * cumulant - design.events[own] * eta).sum() + 0.5 * u @ u)

        best = minimize(minus_log_joint, np.zeros(q), tol=1e-10)
        np.testing.assert_allclose(modes.u[:, j], best.x, atol=1e-5)
        assert -modes.value[j] == pytest.approx(best.fun, abs=1e-9)
        np.testing.assert_allclose(modes.root[j] @ modes.root[j].T, modes.inverse[j], atol=1e-12)
        assert modes.log_det[j] == pytest.approx(-np.linalg.slogdet(modes.inverse[j])[1], abs=1e-10)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
@pytest.mark.parametrize("start", [-40.0, 0.0, 25.0])
def test_modes_are_found_from_far_away(family: str, start: float) -> None:
    """Of groups without events, with all, and of a million trials beside one."""
    design = design_for(per_group(family, [0, 1, 300_000, 50, 0], [1, 1, 1e6, 50, 1e6]), 1)
    linear = linear_of(design, np.array([-1.0]), np.array([[2.0]]))
    at = modes_of(design, linear, np.full((1, 5), start))
    usual = modes_of(design, linear, np.zeros((1, 5)))
    np.testing.assert_allclose(at.u, usual.u, rtol=1e-9)
    gradient = design.events * 2.0 - design.size * at.rate * 2.0 - at.u[0]
    assert np.abs(gradient * np.sqrt(at.inverse[:, 0, 0])).max() < 1e-8


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_a_start_on_the_wrong_side_of_zero_costs_few_steps(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the mode is near 0 and h lower at the start than at 0, the search goes on from 0."""
    design = design_for(simulated(family, 3, [6] * 40, most=5), 1)
    linear = linear_of(design, np.array([-0.5, 0.3]), np.array([[0.8]]))
    exact = modes_of(design, linear, np.zeros((1, 40))).u
    monkeypatch.setattr("tasks.stats.counted.group_modes.MOST_STEPS", 10)
    np.testing.assert_allclose(modes_of(design, linear, -exact).u, exact, atol=1e-8)
