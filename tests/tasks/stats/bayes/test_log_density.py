"""Log prior and log likelihood, added, are Stan's own log density up to a constant."""

from __future__ import annotations

import numpy as np
import pytest
import stanli
from scipy.stats import norm

from tasks.engines.engines import MARGINAL
from tasks.stats.bayes import group_likelihood
from tasks.stats.bayes.group_likelihood import ParameterDraws, marginal_log_lik, parameter_draws
from tasks.stats.bayes.log_density import conditional_log_lik, log_prior
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.stan_data import design_matrix, marginal_data
from tasks.stats.records import PosteriorDraws
from tests.datasets import model_of, simulated
from tests.posteriors import study_of
from tests.stan.test_log_density import Point, constrain, out_of_units, points

PRIORS = {"intercept": {"mean": 4.0, "sd": 3.0}, "sigma_residual_mean": 2.0, "correlation_lkj": 3.0}


def as_draws(at: list[Point], scale: float, center: float) -> PosteriorDraws:
    """One chain of Stan's constrained values, in the outcome's unit as reports have them."""
    beta = np.array([point.beta for point in at])[None] * scale
    beta[..., 0] += center
    factor = np.array([point.factor for point in at])[None]
    zero = np.zeros((1, len(at)))
    return PosteriorDraws(
        beta=beta,
        sigma_group=np.array([point.sigma_group for point in at])[None] * scale,
        correlation=factor @ np.swapaxes(factor, -1, -2),
        sigma=np.array([point.sigma for point in at])[None] * scale,
        group_coef=np.zeros((1, len(at), 0, beta.shape[-1])),
        **dict.fromkeys(("divergent", "energy", "treedepth", "acceptance", "n_leapfrog"), zero),
    )


@pytest.mark.parametrize(("p", "varying"), [(1, (0,)), (2, (0,)), (2, (0, 1)), (3, (0, 2)), (4, (0, 1, 3))])
def test_prior_and_likelihood_add_up_to_stans_density(p: int, varying: tuple[int, ...]) -> None:
    data = simulated(p, [1, 2, 5, 4], beta=(5.0, 1.0, -1.0, 0.5)[:p], sd=(2.0,))
    products, scaling = model_of(data)
    priors = resolve_priors(study_of(data, varying=tuple(data.terms[k] for k in varying if k), priors=PRIORS), scaling)
    sums = marginal_data(products, varying, priors, scaling)
    model = stanli.Model(stan_file=str(MARGINAL), data=sums)
    where, q = points(model), len(varying)
    at = [out_of_units(constrain(free, p, q), sums) for free in where]
    draws = as_draws(at, scaling.outcome_scale, scaling.outcome_center)
    log_lik = marginal_log_lik(products.gram, varying, parameter_draws(draws, products.outcome_center, len(at)))
    # Stan has the correlation's density on its Cholesky factor: a Jacobian that one and two effects do not have.
    cholesky = [sum((q - i - 1) * np.log(point.factor[i, i]) for i in range(1, q)) for point in at]
    ours = log_prior(draws, priors)[0] + log_lik + cholesky + [point.log_jacobian for point in at]
    theirs = np.array([model.log_prob_grad(free)[0] for free in where])
    np.testing.assert_allclose(ours - ours[0], theirs - theirs[0], rtol=1e-9, atol=1e-8)


def test_blocks_of_groups_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    products, _ = model_of(simulated(4, [3, 1, 7, 5, 2]))
    rng = np.random.default_rng(1)
    at = ParameterDraws(rng.normal(size=(6, 2)), np.tril(rng.uniform(0.5, 1, (6, 2, 2))), rng.uniform(1, 2, 6))
    whole = marginal_log_lik(products.gram, (0, 1), at)
    monkeypatch.setattr(group_likelihood, "CACHED_VALUES", 12)
    np.testing.assert_allclose(marginal_log_lik(products.gram, (0, 1), at), whole)


def test_given_its_coefficients_a_groups_rows_are_independent_normals() -> None:
    data = simulated(5, [6, 9])
    products, scaling = model_of(data)
    coef, sigma, mine = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([1.5, 0.7]), data.group_index == 1
    x, y = design_matrix(data, scaling)[mine], data.y[mine] - products.outcome_center
    rows = [norm.logpdf(y, x @ one, sd).sum() for one, sd in zip(coef, sigma, strict=True)]
    np.testing.assert_allclose(conditional_log_lik(products.gram[1], coef, sigma), rows)
