"""The LKJ distribution of correlation matrices: density proportional to det(R)^(eta - 1).

Lewandowski, Kurowicka & Joe (2009), J. Multivariate Analysis 100(9), 1989-2001. Draws come from the C-vine:
the partial correlations of column k (from 1) are 2 Beta(b, b) - 1, b = eta + (q - 1 - k) / 2.
"""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Floats


def log_density(correlation: Floats, eta: float) -> Floats:
    """(...,) log densities of correlation matrices (..., q, q), up to a constant.

    The density is that of the correlations, the scale on which the prior is stated. Stan's `lkj_corr_cholesky` is a
    density of the Cholesky factor; up to two effects the two are the same function.
    """
    return np.asarray((eta - 1.0) * np.linalg.slogdet(correlation)[1])


def cholesky_factors(eta: float, q: int, n: int, rng: np.random.Generator) -> Floats:
    """(n, q, q) lower Cholesky factors of random correlation matrices."""
    factor = np.zeros((n, q, q))
    left = np.ones((n, q))  # what is left of each row's squared length of 1
    for k in range(q):
        factor[:, k, k] = np.sqrt(left[:, k])
        b = eta + (q - 2 - k) / 2.0
        for i in range(k + 1, q):
            factor[:, i, k] = (2.0 * rng.beta(b, b, n) - 1.0) * np.sqrt(left[:, i])
            left[:, i] = np.maximum(left[:, i] - factor[:, i, k] ** 2, 0.0)
    return factor
