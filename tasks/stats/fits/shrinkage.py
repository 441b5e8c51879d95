"""How far partial pooling pulls each group's estimate towards the common one."""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Floats


def shrinkage_factor(ztz: Floats, cov: Floats, sigma: float) -> Floats:
    """(J, q) diagonal of B_j = sigma^2 (Sigma Z_j'Z_j + sigma^2 I)^-1; 1 = fully pooled, 0 = not at all.

    For a varying intercept alone this is sigma^2 / (sigma^2 + n_j tau^2). `ztz` is (J, q, q), `cov` the
    covariance (q, q) of the group effects, possibly singular.
    """
    q = cov.shape[0]
    weight = np.linalg.inv(cov @ ztz / sigma**2 + np.eye(q))
    return np.diagonal(weight, axis1=1, axis2=2).copy()
