"""Stan's parameters without their constraints, as a sampler moves them, written a second time for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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


def effects_of(e_in_units: Floats, fixed: Floats, sd: Floats, data: Mapping[str, Any]) -> Floats:
    """(J, q) group effects of the programs for counted outcomes, of fixed effects (p,) and group SDs (q,)."""
    own, mean = data["u_own"], fixed[np.asarray(data["varying"]) - 1]
    stretch = data["sigma_group_unit"] ** (1.0 - own)
    center = own * data["beta_center"][np.asarray(data["varying"]) - 1] + data["u_center"] / stretch
    return np.asarray(sd ** (1.0 - own) * (center + data["u_unit"] / stretch * e_in_units - own * mean))


def random_units(data: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The data with units in which groups are centred by any share."""
    rng, shape, p = np.random.default_rng(seed), np.shape(data["u_own"]), data["p"]
    units = {
        "beta_center": rng.normal(size=p),
        "beta_factor": np.eye(p) + 0.3 * np.tril(rng.normal(size=(p, p)), -1),
        "sigma_group_unit": rng.uniform(0.3, 2.0, data["q"]),
        "u_own": rng.uniform(size=shape),
        "u_center": rng.normal(size=shape),
        "u_unit": rng.uniform(0.3, 2.0, shape),
    }
    return {**data, **units}
