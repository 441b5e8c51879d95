"""The density that is resampled is the Stan program's, and so are its parameters."""

from __future__ import annotations

import numpy as np
import pytest
import stanli

from tasks.engines.engines import MARGINAL
from tasks.stats.bayes.parameter_units import parameter_units
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.stan_data import marginal_data
from tasks.stats.bayes.unconstrained import MarginalPosterior
from tests.datasets import model_of, simulated
from tests.posteriors import study_of
from tests.stan.test_log_density import DESIGNS, PRIORS, constrain, out_of_units
from tests.unconstrained import points


@pytest.mark.parametrize(("p", "varying"), DESIGNS)
def test_the_density_is_that_of_the_stan_program(p: int, varying: tuple[int, ...]) -> None:
    data = simulated(p, [1, 2, 5, 4], beta=(5.0, 1.0, -1.0, 0.5)[:p], sd=(2.0,))
    products, scaling = model_of(data)
    priors = resolve_priors(study_of(data, varying=tuple(data.terms[k] for k in varying if k), priors=PRIORS), scaling)
    inputs = marginal_data(products, varying, priors, scaling)
    stan = stanli.Model(stan_file=str(MARGINAL), data=inputs)
    where = points(stan)
    ours = MarginalPosterior(products, varying, priors, parameter_units(products, varying, priors))
    theirs = np.array([stan.log_prob_grad(free)[0] for free in where])
    density = ours.log_density(where)
    np.testing.assert_allclose(density - density[0], theirs - theirs[0], rtol=1e-9, atol=1e-8)
    made = ours.variables(where, 3, scaling.outcome_scale)
    for k, free in enumerate(where):
        point = out_of_units(constrain(free, p, len(varying)), inputs)
        at = divmod(k, len(where) // 3)
        np.testing.assert_allclose(made["beta"][at], point.beta, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(made["sigma_group"][at], point.sigma_group)
        np.testing.assert_allclose(made["L_group"][at], point.factor, atol=1e-12)
        np.testing.assert_allclose(made["sigma"][at], point.sigma)
