"""Priors follow the data's scale, and the study where it says otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.bayes.priors import resolve_priors
from tests.datasets import model_of, simulated
from tests.posteriors import study_of


def test_defaults_are_on_the_datas_scale() -> None:
    data = simulated(1, [4, 5, 6], beta=(3.0, 1.0, 2.0))
    made = resolve_priors(study_of(data), model_of(data)[1])
    s = data.y.std(ddof=1)
    np.testing.assert_allclose(made.beta_mean, [data.y.mean(), 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(made.beta_sd, 2.5 * s)
    np.testing.assert_allclose(made.sigma_group_sd, [s, s, s])
    assert made.sigma_mean == pytest.approx(s)
    assert made.lkj == 2.0


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_they_carry_the_outcomes_unit(scale: float) -> None:
    data = simulated(1, [4, 5, 6])
    moved = replace(data, y=data.y * scale)
    a, b = (resolve_priors(study_of(d), model_of(d)[1]) for d in (data, moved))
    np.testing.assert_allclose(b.beta_sd / scale, a.beta_sd)
    np.testing.assert_allclose(b.beta_mean / scale, a.beta_mean)
    np.testing.assert_allclose(b.sigma_group_sd / scale, a.sigma_group_sd)
    assert b.sigma_mean / scale == pytest.approx(a.sigma_mean)


def test_the_study_overrides_each_of_them() -> None:
    data = simulated(1, [4, 5, 6], beta=(3.0, 1.0, 2.0))
    study = study_of(
        data,
        varying=("x2",),
        priors={
            "intercept": {"mean": 7.0, "sd": 2.0},
            "slopes": {"x2": {"mean": -1.0, "sd": 0.5}},
            "sigma_group_sd": {"x2": 0.25},
            "sigma_residual_mean": 3.0,
            "correlation_lkj": 5.0,
        },
    )
    scaling = model_of(data)[1]
    made = resolve_priors(study, scaling)
    s = scaling.outcome_scale
    np.testing.assert_allclose(made.beta_mean, [7.0, 0.0, -1.0])
    np.testing.assert_allclose(made.beta_sd, [2.0, 2.5 * s, 0.5])
    np.testing.assert_allclose(made.sigma_group_sd, [s, 0.25])  # only the intercept and x2 vary
    assert (made.sigma_mean, made.lkj) == (3.0, 5.0)
