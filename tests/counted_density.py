"""The posterior density of counted outcomes in the parameters of the Stan program, written a second time for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from tasks.stats.counted.overdispersed import log_density
from tasks.stats.fits.cells import Family
from tasks.stats.records import Floats
from tests.unconstrained import correlation_factor


def density(free: Floats, data: dict[str, Any]) -> float:
    """Up to a constant. Of the change to parameters in units the determinant is that of its numeric derivatives."""
    p, q, n = data["p"], data["q"], data["q"] * (data["q"] - 1) // 2
    n_effects = p + data["J"] * q
    of_effects = np.r_[0:p, p + q + n : p + q + n + data["J"] * q]
    beta, sd, factor, u = parameters(free, data)
    steps = 1e-5 * np.eye(free.size)[of_effects]
    ends = np.array([[_flat(free + side * step, data) for step in steps] for side in (1.0, -1.0)])
    derivatives = (ends[0] - ends[1]) / 2e-5
    assert derivatives.shape == (n_effects, n_effects)
    z = np.linalg.solve(sd[:, None] * factor, u.T)
    beyond = 1.0 / (1.0 + np.exp(-free[p : p + q]))
    free_factor = free[p + q : p + q + n]
    value = (
        stats.norm.logpdf(beta, data["beta_mean"], data["beta_sd"]).sum()
        + stats.norm.logpdf(z).sum()
        - data["J"] * (np.log(sd) + np.log(np.diag(factor))).sum()
        + np.log(beyond * (1.0 - beyond)).sum()
        + sum((q - i - 1 + 2 * (data["lkj"] - 1)) * np.log(factor[i, i]) for i in range(1, q))
        + correlation_factor(free_factor, q)[1]
        + np.linalg.slogdet(derivatives)[1]
    )
    eta = data["X"] @ beta + (data["Z"] * u[data["group"] - 1]).sum(axis=1)
    family: Family = "binomial" if data["is_binomial"] else "poisson"
    size = data["trials"] if data["is_binomial"] else np.exp(data["log_exposure"])
    phi = 0.0
    if data["is_overdispersed"]:
        above = np.exp(free[-1])
        phi = 1e-10 + above
        value += stats.norm.logpdf(phi, 0, data["dispersion_sd"]) + free[-1]
    return float(value + log_density(family, data["events"], size, eta, phi).sum())


def parameters(free: Floats, data: dict[str, Any]) -> tuple[Floats, Floats, Floats, Floats]:
    """Fixed effects (p,), group SDs (q,), their correlation's factor (q, q), group effects (J, q)."""
    p, q, n = data["p"], data["q"], data["q"] * (data["q"] - 1) // 2
    beyond = 1.0 / (1.0 + np.exp(-free[p : p + q]))
    sd, factor = data["sigma_group_sd"] * stats.halfnorm.isf(beyond), correlation_factor(free[p + q : p + q + n], q)[0]
    in_units = free[p + q + n : p + q + n + data["J"] * q].reshape(q, data["J"]).T  # columns first, as Stan has it
    t = sd[:, None] * factor
    of_groups = np.moveaxis(np.asarray(data["slope"]), 1, 0)
    rows, last = of_groups[:, :, :p], of_groups[:, :, p]
    roots = [np.linalg.cholesky(np.eye(q) + t.T @ a @ t) for a in np.moveaxis(np.asarray(data["curvature"]), 1, 0)]
    inner = [t @ np.linalg.inv(root @ root.T) @ t.T for root in roots]
    precision = data["precision"] - sum(g.T @ v @ g for g, v in zip(rows, inner, strict=True))
    moment = data["moment"] - sum(g.T @ v @ a for g, v, a in zip(rows, inner, last, strict=True))
    root = np.linalg.cholesky(precision)
    beta = np.linalg.solve(precision, moment) + np.linalg.solve(root.T, free[:p])
    u = [
        v @ (a - g @ beta) + t @ np.linalg.solve(root.T, z)
        for g, v, a, root, z in zip(rows, inner, last, roots, in_units, strict=True)
    ]
    return beta, sd, factor, np.array(u)


def _flat(free: Floats, data: dict[str, Any]) -> Floats:
    beta, _, _, u = parameters(free, data)
    return np.append(beta, u.ravel())


def some_units(data: dict[str, Any], seed: int) -> dict[str, Any]:
    """The data with units that no fit has."""
    rng, p, q, n_groups = np.random.default_rng(seed), data["p"], data["q"], data["J"]
    roots = rng.normal(size=(n_groups, p, p))
    of_groups = roots @ np.swapaxes(roots, 1, 2)  # of each group's effects of all terms
    varying = list(range(q))
    slope = np.concatenate([of_groups[:, varying], rng.normal(size=(n_groups, q, 1))], axis=2)
    return {
        **data,
        "curvature": np.moveaxis(of_groups[:, varying][:, :, varying], 0, 1),
        "slope": np.moveaxis(slope, 0, 1),
        "precision": np.eye(p) + of_groups.sum(axis=0),
        "moment": rng.normal(size=p),
    }
