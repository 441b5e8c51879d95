"""Both programs' log densities are the formulas', and their gradients are gradients.

The parameters' constraints follow Stan's reference manual: log for positive ones, and for the Cholesky
factor of a correlation matrix canonical partial correlations tanh(y). What the programs drop is constant:
`~` leaves out normalising constants, so densities are compared after subtracting that of one point.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import stanli
from scipy.stats import expon, multivariate_normal, norm

from tasks.engines.engines import MARGINAL, NONCENTERED
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.stan_data import StanData, marginal_data, rows_data
from tasks.stats.records import Floats
from tests.datasets import model_of, simulated
from tests.posteriors import study_of
from tests.unconstrained import correlation_factor, points

DESIGNS = [(1, (0,)), (2, (0,)), (2, (0, 1)), (3, (0, 2)), (3, (0, 1, 2)), (4, (0, 1, 3)), (4, (0, 1, 2, 3)), (4, (0,))]
PRIORS = {"intercept": {"mean": 4.0, "sd": 3.0}, "sigma_residual_mean": 2.0, "correlation_lkj": 3.0}


@dataclass(frozen=True)
class Point:
    """Constrained values, and the log Jacobian of what constrained them."""

    beta: Floats
    sigma_group: Floats
    factor: Floats  # (q, q) of the correlation
    sigma: float
    rest: Floats
    log_jacobian: float


def constrain(free: Floats, p: int, q: int) -> Point:
    """In the order of declaration: beta, sigma_group, L_group, sigma, then z of the non-centred program."""
    beta, log_sd, free = free[:p], free[p : p + q], free[p + q :]
    n = q * (q - 1) // 2
    factor, log_jacobian = correlation_factor(free[:n], q)
    log_sigma, rest = free[n], free[n + 1 :]
    return Point(beta, np.exp(log_sd), factor, np.exp(log_sigma), rest, log_jacobian + log_sd.sum() + log_sigma)


def out_of_units(at: Point, sums: StanData) -> Point:
    """The marginal program's parameters are in units; what their Jacobian adds is constant."""
    beta = sums["beta_center"] + sums["beta_factor"] @ at.beta
    return replace(
        at, beta=beta, sigma_group=sums["sigma_group_unit"] * at.sigma_group, sigma=sums["sigma_unit"] * at.sigma
    )


def in_units(sums: StanData, beta: Floats, sigma_group: Floats, sigma: float) -> dict[str, object]:
    return {
        "beta_in_units": np.linalg.solve(sums["beta_factor"], np.asarray(beta) - sums["beta_center"]),
        "sigma_group_in_units": np.asarray(sigma_group) / sums["sigma_group_unit"],
        "sigma_in_units": sigma / sums["sigma_unit"],
    }


def log_prior(at: Point, data: StanData) -> float:
    q = len(at.sigma_group)
    lkj = sum((q - i - 1 + 2 * (data["lkj"] - 1)) * np.log(at.factor[i, i]) for i in range(1, q))
    return float(
        norm.logpdf(at.beta, data["beta_mean"], data["beta_sd"]).sum()
        + norm.logpdf(at.sigma_group, 0, data["sigma_group_sd"]).sum()
        + expon.logpdf(at.sigma, scale=data["sigma_mean"])
        + lkj
        + at.log_jacobian
    )


def log_marginal(at: Point, rows: StanData) -> float:
    """Group by group: y_j ~ normal(X_j beta, sigma^2 I + Z_j Sigma Z_j')."""
    root = at.sigma_group[:, None] * at.factor
    total = log_prior(at, rows)
    for j in range(1, rows["J"] + 1):
        mine = rows["group"] == j
        z = rows["Z"][mine] @ root
        v = at.sigma**2 * np.eye(mine.sum()) + z @ z.T
        total += multivariate_normal.logpdf(rows["y"][mine], rows["X"][mine] @ at.beta, v)
    return total


def log_noncentered(at: Point, rows: StanData) -> float:
    q = len(at.sigma_group)
    z = at.rest.reshape(rows["J"], q)  # Stan keeps a matrix column by column: a column a group
    effects = z @ (at.sigma_group[:, None] * at.factor).T
    mean = rows["X"] @ at.beta + (rows["Z"] * effects[rows["group"] - 1]).sum(axis=1)
    return log_prior(at, rows) + norm.logpdf(at.rest).sum() + norm.logpdf(rows["y"], mean, at.sigma).sum()


def programs(p: int, varying: tuple[int, ...]) -> tuple[StanData, StanData]:
    data = simulated(p, [1, 2, 5, 4], beta=(5.0, 1.0, -1.0, 0.5)[:p], sd=(2.0,))
    names = tuple(data.terms[k] for k in varying if k)
    products, scaling = model_of(data)
    priors = resolve_priors(study_of(data, varying=names, priors=PRIORS), scaling)
    return marginal_data(products, varying, priors, scaling), rows_data(data, varying, priors, scaling)


@pytest.mark.parametrize(("p", "varying"), DESIGNS)
@pytest.mark.parametrize("program", [MARGINAL, NONCENTERED], ids=lambda path: path.stem)
def test_log_density_is_the_formulas_up_to_a_constant(program: Path, p: int, varying: tuple[int, ...]) -> None:
    sums, rows = programs(p, varying)
    model = stanli.Model(stan_file=str(program), data=sums if program == MARGINAL else rows)
    density = log_marginal if program == MARGINAL else log_noncentered
    where = points(model)
    q = len(varying)
    assert model.n_unconstrained == p + q + q * (q - 1) // 2 + 1 + (0 if program == MARGINAL else q * rows["J"])
    theirs = np.array([model.log_prob_grad(free)[0] for free in where])
    at = [constrain(free, p, q) for free in where]
    if program == MARGINAL:
        at = [out_of_units(point, sums) for point in at]
    ours = np.array([density(point, rows) for point in at])
    np.testing.assert_allclose(theirs - theirs[0], ours - ours[0], rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize(("p", "varying"), DESIGNS[::2])
@pytest.mark.parametrize("program", [MARGINAL, NONCENTERED], ids=lambda path: path.stem)
def test_gradient_equals_central_differences(program: Path, p: int, varying: tuple[int, ...]) -> None:
    sums, rows = programs(p, varying)
    model = stanli.Model(stan_file=str(program), data=sums if program == MARGINAL else rows)
    for free in points(model)[:4]:
        steps = 1e-5 * np.eye(free.size)
        numeric = [(model.log_prob_grad(free + s)[0] - model.log_prob_grad(free - s)[0]) / 2e-5 for s in steps]
        np.testing.assert_allclose(model.log_prob_grad(free)[1], numeric, rtol=1e-5, atol=1e-4)


def test_three_effects_with_one_idle_equal_two() -> None:
    """The general path and the closed form for two effects meet where the third effect is nought."""
    sums, rows = programs(3, (0, 1, 2))
    two = programs(3, (0, 1))[0]
    full, part = (stanli.Model(stan_file=str(MARGINAL), data=data) for data in (sums, two))
    beta = [0.1, 0.2, -0.1]
    quotients = []
    for rho in (0.0, 0.5, -0.8):
        root = np.array([[1.0, 0.0], [rho, np.sqrt(1 - rho**2)]])
        at_two = part.unconstrain({**in_units(two, beta, [0.8, 0.4], 0.7), "L_group": root.T.ravel().tolist()})
        wide = np.eye(3)
        wide[:2, :2] = root
        at_three = full.unconstrain({**in_units(sums, beta, [0.8, 0.4, 1e-9], 0.7), "L_group": wide.T.ravel().tolist()})
        here = out_of_units(constrain(at_three, 3, 3), sums), out_of_units(constrain(at_two, 3, 2), two)
        priors = log_prior(here[0], sums) - log_prior(here[1], two)
        quotients.append(full.log_prob_grad(at_three)[0] - part.log_prob_grad(at_two)[0] - priors)
    assert rows["q"] == 3
    np.testing.assert_allclose(quotients, quotients[0], atol=1e-7)


def test_a_large_spread_beside_a_small_residual_is_finite() -> None:
    """Single-row groups at a residual SD of a ten-thousandth: the determinant of each 2 x 2 stays positive."""
    sums, _ = programs(2, (0, 1))
    model = stanli.Model(stan_file=str(MARGINAL), data=sums)
    free = model.unconstrain(
        {**in_units(sums, [0.0, 0.0], [1.0, 1.0], 1e-4), "L_group": [1.0, 0.9, 0.0, np.sqrt(0.19)]}
    )
    value, gradient = model.log_prob_grad(free)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
