"""Stan sees the outcome centred and divided by its SD, and the same model from rows and from sums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.stan_data import design_matrix, marginal_data, rows_data
from tasks.stats.records import GroupedData
from tests.datasets import model_of, simulated
from tests.posteriors import study_of


def both(data: GroupedData, varying: tuple[int, ...], **fields: object) -> tuple[dict, dict]:
    products, scaling = model_of(data)
    names = tuple(data.terms[k] for k in varying if k)
    priors = resolve_priors(study_of(data, varying=names, **fields), scaling)
    return marginal_data(products, varying, priors, scaling), rows_data(data, varying, priors, scaling)


def test_design_is_centre_scaled_behind_a_column_of_ones() -> None:
    data = simulated(2, [4, 5, 6], beta=(3.0, 1.0, 2.0))
    x = design_matrix(data, model_of(data)[1])
    np.testing.assert_array_equal(x[:, 0], 1.0)
    np.testing.assert_allclose(x[:, 1:].mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(x[:, 1:].std(axis=0, ddof=1), 1.0)


@pytest.mark.parametrize("varying", [(0,), (0, 2), (0, 1, 2)])
def test_sums_are_those_of_the_rows(varying: tuple[int, ...]) -> None:
    data = simulated(2, [1, 5, 6, 2], beta=(3.0, 1.0, 2.0))
    sums, rows = both(data, varying)
    x, z, y = rows["X"], rows["Z"], rows["y"]
    assert y.mean() == pytest.approx(0.0, abs=1e-12)
    assert y.std(ddof=1) == pytest.approx(1.0)
    np.testing.assert_allclose(sums["xtx"], x.T @ x, atol=1e-9)
    beta = np.linalg.lstsq(x, y, rcond=None)[0]
    np.testing.assert_allclose(sums["beta_complete"], beta, atol=1e-10)
    assert sums["rss_complete"] == pytest.approx(np.sum((y - x @ beta) ** 2))
    for j in range(4):
        mine = rows["group"] == j + 1
        for k in range(len(varying)):
            np.testing.assert_allclose(sums["ztz"][k][j], (z[mine].T @ z[mine])[k], atol=1e-9)
            np.testing.assert_allclose(sums["ztx"][k][j], (z[mine].T @ x[mine])[k], atol=1e-9)
        np.testing.assert_allclose(sums["zty"][j], z[mine].T @ y[mine], atol=1e-9)
    assert {name: sums[name] for name in "NJpq"} == {"N": 14, "J": 4, "p": 3, "q": len(varying)}
    for name in ("beta_mean", "beta_sd", "sigma_group_sd", "sigma_mean", "lkj"):
        np.testing.assert_array_equal(sums[name], rows[name])


@pytest.mark.parametrize(("scale", "shift"), [(1e9, 0.0), (1e-9, 0.0), (-2.0, 50.0)])
def test_units_of_the_outcome_never_reach_stan(scale: float, shift: float) -> None:
    data = simulated(2, [4, 5, 6])
    a = both(data, (0, 1))[0]
    b = both(replace(data, y=scale * data.y + shift), (0, 1))[0]
    for name, value in a.items():
        signed = value * np.sign(scale) if name in ("zty", "beta_complete", "beta_center") else value
        np.testing.assert_allclose(b[name], signed, rtol=1e-6, atol=1e-9, err_msg=name)


def test_priors_are_brought_to_the_same_unit() -> None:
    data = simulated(2, [4, 5, 6])
    scaling = model_of(data)[1]
    prior = {"intercept": {"mean": 12.0, "sd": 3.0}, "slopes": {"x1": {"mean": 1.0, "sd": 0.5}}}
    made = both(data, (0, 1), priors={**prior, "sigma_group_sd": {"x1": 4.0}, "sigma_residual_mean": 5.0})[0]
    s = scaling.outcome_scale
    np.testing.assert_allclose(made["beta_mean"], [(12.0 - scaling.outcome_center) / s, 1.0 / s])
    np.testing.assert_allclose(made["beta_sd"], [3.0 / s, 0.5 / s])
    np.testing.assert_allclose(made["sigma_group_sd"], [1.0, 4.0 / s])
    assert made["sigma_mean"] == pytest.approx(5.0 / s)
