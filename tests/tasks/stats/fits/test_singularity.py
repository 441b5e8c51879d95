"""Singular: a diagonal element or a direction of the relative factor below the tolerance."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.stats.fits.singularity import is_singular


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        ([[0.5]], False),
        ([[0.0]], True),
        ([[9e-5]], True),
        ([[1.1e-4]], False),
        ([[1.0, 0.0], [0.5, 0.2]], False),
        ([[1.0, 0.0], [0.5, 0.0]], True),  # correlation 1
        ([[0.0, 0.0], [0.0, 0.7]], True),  # no variance in the first effect
        ([[1.0, 0.0, 0.0], [0.1, 1.0, 0.0], [0.2, 0.3, 5e-5]], True),
        ([[1.0, 0.0], [1e5, 1.0]], True),  # every diagonal element is 1, yet one direction has almost nothing
    ],
)
def test_boundary_is_found(factor: list[list[float]], expected: bool) -> None:
    assert is_singular(np.array(factor), 1e-4) is expected


@pytest.mark.parametrize(("tolerance", "expected"), [(1e-6, False), (1e-2, True)])
def test_tolerance_decides(tolerance: float, expected: bool) -> None:
    assert is_singular(np.diag([1.0, 1e-3]), tolerance) is expected


def test_basis_of_the_effects_does_not_matter() -> None:
    """A rotation of the relative covariance keeps its directions."""
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    for smallest in (0.5e-4, 2e-4):
        cov = turn @ np.diag([1.0, smallest**2]) @ turn.T
        assert is_singular(np.linalg.cholesky(cov), 1e-4) is (smallest < 1e-4)
