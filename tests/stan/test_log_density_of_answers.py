"""What the programs that answer compute is the log density of rows, each group's own, as a dense formula has it.

What the programs drop is constant, so densities are compared after subtracting that of one point. Points are half as
wide as a sampler's start: where a group's residual SD is a millionth of its rows' spread, sums per group lose digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import stanli
from scipy.stats import expon, gamma, multivariate_normal, norm
from scipy.stats import t as student_t

from tasks.engines.engines import PROGRAMS
from tasks.stats.bayes.answer import SPREAD_SD, Answer, AnswerModel, answer_model
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.stan_data import StanData, rows_data
from tasks.stats.fits.mean_structure import Added, mean_structure, refit, with_terms
from tasks.stats.records import Floats
from tests.datasets import model_of, simulated
from tests.posteriors import study_of
from tests.unconstrained import correlation_factor, points

PRIORS = {"intercept": {"mean": 4.0, "sd": 3.0}, "sigma_residual_mean": 2.0, "correlation_lkj": 3.0}
SPREADS, STUDENT, BOTH = Answer(is_unequal=True), Answer(is_heavy=True), Answer(is_unequal=True, is_heavy=True)
ADDED = (Added("curve", 1), Added("size"), Added("context", 1))
DESIGNS = [
    (1, (0,), ()),
    (2, (0, 1), ()),
    (2, (0,), ADDED),
    (3, (0, 1, 2), ()),
    (3, (0, 2), ADDED),
    (4, (0, 1, 2, 3), ()),
]


@dataclass(frozen=True)
class Case:
    """A model and the rows behind it."""

    model: AnswerModel
    rows: StanData

    @property
    def program(self) -> stanli.Model:
        path = PROGRAMS / f"{self.model.answer.program}.stan"
        return stanli.Model(stan_file=str(path), data=self.model.inputs)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.rows["p"], self.rows["q"], self.rows["J"]


def case(answer: Answer, p: int, varying: tuple[int, ...], added: tuple[Added, ...] = ()) -> Case:
    data = simulated(p, [1, 2, 5, 4, 7], beta=(5.0, 1.0, -1.0, 0.5)[:p], sd=(2.0,))
    names = tuple(data.terms[k] for k in varying if k)
    products, scaling = model_of(data)
    priors = resolve_priors(study_of(data, varying=names, priors=PRIORS), scaling)
    fit = refit(mean_structure(products, added), varying)
    model = answer_model(answer, fit, data, priors, scaling, seed=1)
    wide, wide_scaling = with_terms(data, scaling, fit.structure)
    return Case(model, rows_data(wide, varying, model.priors, wide_scaling))


def log_spreads(free: Floats, of: Case) -> float:
    """y_j ~ normal(X_j beta, sigma_j^2 I + Z_j Sigma Z_j'), log sigma_j ~ normal(log sigma, spread)."""
    (*_, n_groups), units, rows = of.shape, of.model.inputs, of.rows
    beta, sd, factor, free, log_jacobian = common(free, of)
    log_mean = units["log_sigma_mean_center"] + units["log_sigma_mean_unit"] * free[-2]
    log_spread = np.log(units["spread_unit"]) + free[-1]
    own = np.exp(log_own(units, free[:n_groups], log_mean, log_spread))
    total = log_common(beta, sd, factor, rows) + log_jacobian + log_spread + log_mean
    total += ((1 - units["sigma_own"]) * log_spread).sum()  # Jacobian of the partly non-centred log residual SDs
    total += expon.logpdf(np.exp(log_mean), scale=rows["sigma_mean"])
    total += norm.logpdf(np.exp(log_spread), 0, SPREAD_SD)
    total += norm.logpdf(np.log(own), log_mean, np.exp(log_spread)).sum()
    for j in range(n_groups):
        mine = rows["group"] == j + 1
        z = rows["Z"][mine] @ (sd[:, None] * factor)
        v = own[j] ** 2 * np.eye(mine.sum()) + z @ z.T
        total += multivariate_normal.logpdf(rows["y"][mine], rows["X"][mine] @ beta, v)
    return float(total)


def eta_units(units: StanData) -> tuple[Floats, Floats]:
    """(J,) centre and unit of the partly non-centred log residual SDs."""
    stretch, mean = units["spread_unit"] ** (1 - units["sigma_own"]), units["log_sigma_mean_center"]
    center = units["sigma_own"] * mean + (units["log_sigma_center"] - mean) / stretch
    return center, units["log_sigma_unit"] / stretch


def log_own(units: StanData, free: Floats, log_mean: float, log_spread: float) -> Floats:
    center, unit = eta_units(units)
    eta = center + unit * free
    return np.asarray(log_mean + np.exp((1 - units["sigma_own"]) * log_spread) * (eta - units["sigma_own"] * log_mean))


def units_varying(of: Case) -> list[int]:
    return [*of.model.varying]


def log_student(free: Floats, of: Case) -> float:
    """y ~ student_t(nu, x'beta + z'u_j, sigma_j)."""
    (_, q, n_groups), rows = of.shape, of.rows
    beta, sd, factor, free, log_jacobian = common(free, of)
    log_sigma, log_above_1 = free[:2]
    sigma, nu = of.model.inputs["sigma_unit"] * np.exp(log_sigma), 1.0 + np.exp(log_above_1)
    (units, own_u), of_mean = (of.model.inputs, of.model.inputs["u_own"]), beta[units_varying(of)]
    stretch = units["sigma_group_unit"] ** (1 - own_u)
    e_center = own_u * units["beta_center"][units_varying(of)] + units["u_center"] / stretch
    e = e_center + units["u_unit"] / stretch * free[2 : 2 + q * n_groups].reshape(q, n_groups).T
    u, free = sd ** (1 - own_u) * (e - own_u * of_mean), free[2 + q * n_groups :]
    total = log_common(beta, sd, factor, rows) + log_jacobian + log_sigma + log_above_1
    total += expon.logpdf(sigma, scale=rows["sigma_mean"]) + gamma.logpdf(nu, 2, scale=10)
    root = sd[:, None] * factor
    total += sum(multivariate_normal.logpdf(each, np.zeros(q), root @ root.T) for each in u)
    total += ((1 - own_u) * np.log(sd)).sum()  # Jacobian of the partly non-centred effects
    own = np.full(n_groups, sigma)
    if of.model.answer.is_unequal:
        log_spread = np.log(units["spread_unit"][0]) + free[-1]
        own = np.exp(log_own(units, free[:-1], np.log(sigma), log_spread))
        total += norm.logpdf(np.log(own), np.log(sigma), np.exp(log_spread)).sum()
        total += norm.logpdf(np.exp(log_spread), 0, SPREAD_SD) + log_spread
        total += ((1 - units["sigma_own"]) * log_spread).sum()
    group = rows["group"] - 1
    mean = rows["X"] @ beta + (rows["Z"] * u[group]).sum(axis=1)
    return float(total + student_t.logpdf(rows["y"], nu, mean, own[group]).sum())


def common(free: Floats, of: Case) -> tuple[Floats, Floats, Floats, Floats, float]:
    """beta, the groups' SDs, their correlation's factor, what is left of `free`, and the log Jacobian so far."""
    (p, q, _), units = of.shape, of.model.inputs
    beta, log_sd, rest = units["beta_center"] + units["beta_factor"] @ free[:p], free[p : p + q], free[p + q :]
    n = q * (q - 1) // 2
    factor, log_jacobian = correlation_factor(rest[:n], q)
    return beta, units["sigma_group_unit"] * np.exp(log_sd), factor, rest[n:], log_jacobian + log_sd.sum()


def log_common(beta: Floats, sd: Floats, factor: Floats, rows: StanData) -> float:
    q = sd.size
    lkj = sum((q - i - 1 + 2 * (rows["lkj"] - 1)) * np.log(factor[i, i]) for i in range(1, q))
    return float(
        norm.logpdf(beta, rows["beta_mean"], rows["beta_sd"]).sum()
        + norm.logpdf(sd, 0, rows["sigma_group_sd"]).sum()
        + lkj
    )


@pytest.mark.parametrize(("p", "varying", "added"), DESIGNS)
@pytest.mark.parametrize("answer", [SPREADS, STUDENT, BOTH], ids=["spreads", "student", "both"])
def test_log_density_is_the_formulas_up_to_a_constant(
    answer: Answer, p: int, varying: tuple[int, ...], added: tuple[Added, ...]
) -> None:
    of = case(answer, p, varying, added)
    program, density = of.program, log_student if answer.is_heavy else log_spreads
    where = points(program) / 2
    theirs = np.array([program.log_prob_grad(free)[0] for free in where])
    ours = np.array([density(free, of) for free in where])
    np.testing.assert_allclose(theirs - theirs[0], ours - ours[0], rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("answer", [SPREADS, STUDENT, BOTH], ids=["spreads", "student", "both"])
def test_parameters_are_as_many_as_declared(answer: Answer) -> None:
    of = case(answer, 3, (0, 1))
    common, n_groups = 3 + 2 + 1, 5
    needed = {SPREADS: n_groups + 2, STUDENT: 2 + 2 * n_groups, BOTH: 2 + 2 * n_groups + n_groups + 1}
    assert of.program.n_unconstrained == common + needed[answer]


@pytest.mark.parametrize(("p", "varying", "added"), DESIGNS[1::2])
@pytest.mark.parametrize("answer", [SPREADS, STUDENT, BOTH], ids=["spreads", "student", "both"])
def test_gradient_equals_central_differences(
    answer: Answer, p: int, varying: tuple[int, ...], added: tuple[Added, ...]
) -> None:
    model = case(answer, p, varying, added).program
    for free in points(model)[:3] / 2:
        steps = 1e-5 * np.eye(free.size)
        numeric = [(model.log_prob_grad(free + s)[0] - model.log_prob_grad(free - s)[0]) / 2e-5 for s in steps]
        np.testing.assert_allclose(model.log_prob_grad(free)[1], numeric, rtol=1e-5, atol=1e-4)


def test_where_spreads_are_alike_the_density_is_the_marginal_programs() -> None:
    """With every group at the same SD, the two programs' densities differ by what the SDs' own prior adds."""
    of = case(SPREADS, 2, (0, 1))
    products, scaling = of.model.structure.products, of.model.scaling
    plain = answer_model(Answer(), refit(of.model.structure, (0, 1)), None, of.model.priors, scaling, seed=1)  # type: ignore[arg-type]
    assert products.n_rows == plain.inputs["N"]
    spreads, marginal = of.program, Case(plain, of.rows).program
    left = []
    for free in points(marginal)[1:]:
        at = plain.inputs["sigma_unit"] * np.exp(free[-1])
        center, unit = eta_units(of.model.inputs)
        mean = (np.log(at) - of.model.inputs["log_sigma_mean_center"]) / of.model.inputs["log_sigma_mean_unit"]
        wide = np.concatenate(
            [
                free[:-1],
                (of.model.inputs["sigma_own"] * np.log(at) - center) / unit,
                [mean],
                [-np.log(of.model.inputs["spread_unit"])],
            ]
        )
        added = 5 * norm.logpdf(0.0) + norm.logpdf(1.0, 0, SPREAD_SD)
        left.append(spreads.log_prob_grad(wide)[0] - marginal.log_prob_grad(free)[0] - added)
    np.testing.assert_allclose(left, left[0], atol=1e-8)
