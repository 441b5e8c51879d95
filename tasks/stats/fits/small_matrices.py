"""Inverse and log-determinant of many small symmetric matrices at once.

One and two dimensions have closed forms over all groups; ten thousand calls of LAPACK on 2 x 2
matrices would cost more than the arithmetic.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from tasks.stats.records import Floats

ROUNDED = 1e-10  # a negative eigenvalue of at most this share of the largest is rounding


def inverse_and_log_det(a: Floats) -> tuple[Floats, Floats]:
    """Inverses (..., q, q) and log-determinants (...) of positive definite `a` (..., q, q).

    If eigenvalues lie so far apart that rounding made the least of them 0 or less, it is replaced by the rounding
    error of the largest. Raises numpy.linalg.LinAlgError if q > 2 and a matrix is indefinite.
    """
    if a.shape[-1] == 1:
        return 1.0 / a, np.asarray(np.log(a[..., 0, 0]))
    if a.shape[-1] == 2:
        return _inverse_and_log_det_2(a)
    try:
        factor = np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        values, vectors = _positive_eigenvalues(a)
        inverse = (vectors / values[..., None, :]) @ np.swapaxes(vectors, -1, -2)
        return inverse, np.asarray(np.log(values).sum(axis=-1))
    log_det = 2.0 * np.log(np.diagonal(factor, axis1=-2, axis2=-1)).sum(axis=-1)
    return np.linalg.inv(a).astype(float, copy=False), np.asarray(log_det)


def _positive_eigenvalues(a: Floats) -> tuple[Floats, Floats]:
    values, vectors = np.linalg.eigh(a)
    largest = np.abs(values).max(axis=-1, keepdims=True)
    if np.any(values < -ROUNDED * largest) or not np.isfinite(values).all():
        raise np.linalg.LinAlgError("the matrix is indefinite")
    return np.maximum(values, np.finfo(float).eps * largest), vectors


def _inverse_and_log_det_2(a: Floats) -> tuple[Floats, Floats]:
    det = a[..., 0, 0] * a[..., 1, 1] - a[..., 0, 1] ** 2
    inverse = np.empty_like(a)
    inverse[..., 0, 0] = a[..., 1, 1]
    inverse[..., 1, 1] = a[..., 0, 0]
    inverse[..., 0, 1] = inverse[..., 1, 0] = -a[..., 0, 1]
    return inverse / det[..., None, None], np.log(det)


def cholesky(a: Floats) -> Floats:
    """Lower factors (..., q, q) of positive definite `a` (..., q, q), corrected as in `inverse_and_log_det`."""
    if a.shape[-1] > 2:
        try:
            return np.linalg.cholesky(a).astype(float, copy=False)
        except np.linalg.LinAlgError:
            values, vectors = _positive_eigenvalues(a)
            root = np.swapaxes(vectors * np.sqrt(values)[..., None, :], -1, -2)
            return np.swapaxes(np.linalg.qr(root, mode="r"), -1, -2).astype(float, copy=False)
    factor = np.zeros_like(a)
    factor[..., 0, 0] = np.sqrt(a[..., 0, 0])
    if a.shape[-1] == 2:
        factor[..., 1, 0] = a[..., 1, 0] / factor[..., 0, 0]
        factor[..., 1, 1] = np.sqrt(np.maximum(a[..., 1, 1] - factor[..., 1, 0] ** 2, 0.0))
    return factor


def inverse_root(a: Floats, inverse: Floats) -> Floats:
    """Roots (..., q, q) of the inverses of positive definite `a`: root @ root' is `inverse`.

    An inverse with scales far apart has lost its least eigenvalue to rounding. Beyond two dimensions, therefore, `a`
    itself is factored.
    """
    if a.shape[-1] <= 2:
        return cholesky(inverse)
    return np.swapaxes(np.linalg.inv(cholesky(a)), -1, -2).astype(float, copy=False)


@cache
def lower_triangle(q: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and column indices of the lower triangle, column by column: the order of lme4's theta."""
    columns, rows = np.triu_indices(q)
    return rows, columns


def semidefinite_factor(covariance: Floats, tolerance: float = 0.0) -> Floats:
    """Lower factors (..., q, q) of positive semidefinite matrices, unique even where these are singular.

    A pivot at or below `tolerance` makes its whole column 0, so that no variance hides below a 0 on the
    diagonal.
    """
    rest = np.array(covariance, dtype=float)
    factor = np.zeros_like(rest)
    for k in range(rest.shape[-1]):
        pivot = rest[..., k, k]
        root = np.sqrt(np.where(pivot > tolerance, pivot, np.inf))
        factor[..., k:, k] = rest[..., k:, k] / root[..., None]
        rest -= factor[..., :, None, k] * factor[..., None, :, k]
    return factor
