"""Many functions at once end where each one alone would."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

from tasks.stats.fits.batched_bfgs import minimise


def test_every_start_finds_the_minimum_of_rosenbrocks_valley() -> None:
    starts = np.array([[-1.2, 1.0], [0.0, 0.0], [2.0, 2.0], [1.0, 1.0]])

    def objective(x: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return rosen(x.T), rosen_der(x.T).T

    x, promised = minimise(objective, starts, tolerance=1e-12)
    np.testing.assert_allclose(x, 1.0, atol=1e-4)
    assert (promised < 1e-12).all()


@pytest.mark.parametrize("n", [1, 7])
def test_each_problem_has_its_own_minimum(n: int) -> None:
    targets = np.arange(3.0 * n).reshape(n, 3)
    curvature = np.array([1e-2, 1.0, 1e3])

    def objective(x: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        away = x - targets[which]
        return (curvature * away**2).sum(axis=1), 2 * curvature * away

    x, _ = minimise(objective, np.zeros((n, 3)))
    np.testing.assert_allclose(x, targets, atol=1e-3)


def test_even_function_ends_on_its_flat_edge() -> None:
    """As a variance of 0: quartic in the second, quadratic in the first element."""

    def objective(x: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (x[:, 0] - 1) ** 2 + x[:, 1] ** 2 + x[:, 1] ** 4, np.column_stack(
            [2 * (x[:, 0] - 1), 2 * x[:, 1] + 4 * x[:, 1] ** 3]
        )

    x, _ = minimise(objective, np.array([[3.0, 1.0]]))
    np.testing.assert_allclose(x, [[1.0, 0.0]], atol=1e-4)


def test_in_a_race_only_the_lowest_minimum_is_followed_to_its_end() -> None:
    """Two valleys, one a million deep; the other is left as soon as no step in it could make up for that."""
    asked = np.zeros(2, dtype=int)

    def objective(x: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        np.add.at(asked, which, 1)
        depth = np.where(x[:, 0] < 0, 1e6, 0.0)
        away = np.column_stack([np.abs(x[:, 0]) - 5.0, x[:, 1]])
        return (away**4 + away**2).sum(axis=1) - depth, (4 * away**3 + 2 * away) * np.column_stack(
            [np.sign(x[:, 0]), np.ones(len(x))]
        )

    starts = np.array([[-4.0, 1.0], [4.0, 1.0]])
    apart, _ = minimise(objective, starts)
    np.testing.assert_allclose(apart, [[-5.0, 0.0], [5.0, 0.0]], atol=1e-4)
    asked[:] = 0
    x, _ = minimise(objective, starts, is_race=True)
    np.testing.assert_allclose(x[0], [-5.0, 0.0], atol=1e-4)
    assert asked[1] < asked[0]
