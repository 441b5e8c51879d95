"""Batched closed forms agree with LAPACK."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.stats.fits.small_matrices import (
    cholesky,
    inverse_and_log_det,
    inverse_root,
    lower_triangle,
    semidefinite_factor,
)

sizes = st.integers(1, 4)
seeds = st.integers(0, 10**6)


def positive_definite(seed: int, q: int) -> np.ndarray:
    root = np.random.default_rng(seed).standard_normal((3, 5, q, q))
    return root @ np.swapaxes(root, -1, -2) + 0.1 * np.eye(q)


@given(seed=seeds, q=sizes)
def test_inverse_and_log_determinant(seed: int, q: int) -> None:
    a = positive_definite(seed, q)
    inverse, log_det = inverse_and_log_det(a)
    np.testing.assert_allclose(inverse @ a, np.broadcast_to(np.eye(q), a.shape), atol=1e-8)
    np.testing.assert_allclose(log_det, np.linalg.slogdet(a)[1], atol=1e-9)


@given(seed=seeds, q=sizes)
def test_cholesky(seed: int, q: int) -> None:
    a = positive_definite(seed, q)
    np.testing.assert_allclose(cholesky(a), np.linalg.cholesky(a), rtol=1e-7, atol=1e-9)


@given(seed=seeds, q=sizes, rank=st.integers(0, 4))
def test_semidefinite_factor_is_a_lower_root_of_any_rank(seed: int, q: int, rank: int) -> None:
    root = np.random.default_rng(seed).standard_normal((q, min(rank, q)))
    a = root @ root.T
    factor = semidefinite_factor(a, tolerance=1e-9)
    np.testing.assert_allclose(factor @ factor.T, a, atol=1e-4)
    np.testing.assert_array_equal(np.triu(factor, 1), 0.0)
    assert (np.diag(factor) >= 0).all()
    # A 0 on the diagonal stands over a column of zeros: no variance is hidden below it.
    for column in factor.T[np.diag(factor) == 0]:
        np.testing.assert_array_equal(column, 0.0)


@pytest.mark.parametrize("q", [1, 2, 3, 4])
def test_lower_triangle_goes_column_by_column(q: int) -> None:
    rows, columns = lower_triangle(q)
    assert list(zip(columns, rows, strict=True)) == [(c, r) for c in range(q) for r in range(c, q)]


def test_an_indefinite_matrix_is_refused() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        inverse_and_log_det(np.diag([1.0, 1.0, -1.0])[None])


def test_scales_that_lie_too_far_apart_for_rounding_are_no_trouble() -> None:
    root = np.array([[1e9, 0, 0], [1e9, 1e-3, 0], [1e9, 2e-3, 1e-9]])
    a = (root @ root.T + np.eye(3) * 1e-12)[None]
    inverse, log_det = inverse_and_log_det(a)
    assert np.isfinite(inverse).all()
    assert np.isfinite(log_det).all()
    factor = cholesky(a)
    np.testing.assert_allclose(factor @ np.swapaxes(factor, -1, -2), a, rtol=1e-6)
    assert np.isfinite(inverse_root(a, inverse)).all()


@given(seed=seeds, q=sizes)
def test_root_of_the_inverse(seed: int, q: int) -> None:
    a = positive_definite(seed, q)
    inverse, _ = inverse_and_log_det(a)
    root = inverse_root(a, inverse)
    np.testing.assert_allclose(root @ np.swapaxes(root, -1, -2), inverse, rtol=1e-6, atol=1e-9)
