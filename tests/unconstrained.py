"""Stan's parameters without their constraints, as a sampler moves them, written a second time for tests."""

from __future__ import annotations

import numpy as np
import stanli

from tasks.stats.records import Floats


def correlation_factor(free: Floats, q: int) -> tuple[Floats, float]:
    """Row by row, z = tanh(y); an element is z times what is left of its row's unit length."""
    factor, log_jacobian, at = np.zeros((q, q)), 0.0, 0
    for i in range(q):
        left = 1.0
        for k in range(i):
            z = np.tanh(free[at])
            log_jacobian += np.log1p(-(z**2)) + 0.5 * np.log(left)
            factor[i, k] = z * np.sqrt(left)
            left -= factor[i, k] ** 2
            at += 1
        factor[i, i] = np.sqrt(left)
    return factor, log_jacobian


def points(model: stanli.Model) -> Floats:
    """A few points as wide as a sampler's start, and one at 0."""
    rng = np.random.default_rng(model.n_unconstrained)
    return np.vstack([np.zeros(model.n_unconstrained), rng.uniform(-2, 2, (8, model.n_unconstrained))])
