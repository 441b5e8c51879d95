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
