"""The marginal program and the textbook non-centred one sample the same posterior."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from arviz_stats.base import array_stats

from tasks.engines.engines import NONCENTERED, EmbeddedEngine
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.stan_data import rows_data
from tasks.stats.records import Floats
from tests.posteriors import Sampled, sampled


@cache
def noncentered(name: str) -> dict[str, Floats]:
    """Draws in the outcome's unit."""
    have = sampled(name)
    priors = resolve_priors(have.study, have.scaling)
    data = rows_data(have.data, have.varying, priors, have.scaling)
    settings = have.study.sampler.model_copy(update={"adapt_delta": 0.98, "draws": 1500})
    made = EmbeddedEngine().sample(NONCENTERED, data, settings, 5, lambda _: None)
    s, varying = have.scaling.outcome_scale, list(have.varying)
    beta = made["beta"] * s + have.scaling.outcome_center * np.eye(made["beta"].shape[-1])[0]
    groups = np.repeat(beta[:, :, None], have.data.n_groups, axis=2)
    groups[..., varying] += made["u"] * s
    correlation = made["L_group"] @ np.swapaxes(made["L_group"], -1, -2)
    return {
        "beta": beta,
        "sigma_group": made["sigma_group"] * s,
        "sigma": made["sigma"] * s,
        "group_coef": groups,
        "correlation": correlation[..., *np.tril_indices(len(varying), -1)],
    }


def marginal(have: Sampled) -> dict[str, Floats]:
    draws = have.draws
    correlation = draws.correlation[..., *np.tril_indices(len(have.varying), -1)]
    fields = {name: getattr(draws, name) for name in ("beta", "sigma_group", "sigma", "group_coef")}
    return {**fields, "correlation": correlation}


def moments(draws: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Means, SDs and the Monte Carlo errors of both, flat over quantities."""
    flat = draws.reshape(*draws.shape[:2], -1)
    axes = {"chain_axis": 0, "draw_axis": 1}
    errors = [[array_stats.mcse(flat[..., i], method=m, **axes) for i in range(flat.shape[-1])] for m in ("mean", "sd")]
    return flat.mean(axis=(0, 1)), flat.std(axis=(0, 1), ddof=1), np.array(errors[0]), np.array(errors[1])


@pytest.mark.parametrize("name", ["sleepstudy", "dyestuff2", "one_single"])
@pytest.mark.parametrize("quantity", ["beta", "sigma_group", "sigma", "group_coef", "correlation"])
def test_means_and_sds_agree_within_monte_carlo_error(name: str, quantity: str) -> None:
    have = sampled(name)
    a, b = marginal(have)[quantity], noncentered(name)[quantity]
    if not a.size:
        return
    mean_a, sd_a, mean_error_a, sd_error_a = moments(a)
    mean_b, sd_b, mean_error_b, sd_error_b = moments(b)
    assert (np.abs(mean_a - mean_b) < 4 * np.hypot(mean_error_a, mean_error_b)).all()
    assert (np.abs(sd_a - sd_b) < 4 * np.hypot(sd_error_a, sd_error_b)).all()
    # An error of a tenth of an SD would be seen.
    assert (np.hypot(mean_error_a, mean_error_b) < 0.04 * sd_a).all()


def test_the_marginal_program_samples_few_parameters() -> None:
    have = sampled("sleepstudy")
    assert have.attempts[-1].diagnostics.ess_bulk_min > 1500
    assert have.draws.n_leapfrog.mean() < 15
