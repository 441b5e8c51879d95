"""Profiles touch the fit, rise away from it, and agree with a dense likelihood minimised by another program."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from tasks.stats.fits.batched_reml import batch_of
from tasks.stats.fits.likelihood_profile import REFERENCE, likelihood_profiles, points_for, profiled_criterion
from tasks.stats.fits.partial_pooling import flavours, partial_pooling
from tasks.stats.records import GroupedData, PartialPooling
from tests import datasets
from tests.datasets import model_of
from tests.dense import dense

NAMES = ["bounce_rates", "sleepstudy", "dyestuff", "dyestuff2", "cake", "one_single", "cbpp_intercepts"]


def fullest(data: GroupedData) -> PartialPooling:
    products, scaling = model_of(data)
    flavour, varying = list(flavours(tuple(range(1, products.p))).items())[-1]
    return partial_pooling(products, scaling, flavour, varying)


@pytest.mark.parametrize("name", NAMES)
def test_minimum_is_the_fit_and_the_profile_rises_to_both_sides(name: str) -> None:
    data = getattr(datasets, name)()
    fit = fullest(data)
    for position, found in enumerate(likelihood_profiles(model_of(data)[0], fit)):
        at = int(np.argmin(np.abs(found.sd - fit.sigma_group[position])))
        assert found.sd[at] == found.fitted_sd == fit.sigma_group[position]
        assert found.deviance[at] == pytest.approx(0.0, abs=1e-4)
        assert (np.diff(found.deviance[at:]) > -1e-4).all()
        assert (np.diff(found.deviance[: at + 1]) < 1e-4).all()
        assert found.lower <= found.fitted_sd < found.upper
        assert (found.lower == 0.0) == (found.deviance_at_zero < REFERENCE)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_on_the_profile_is_below_the_fit(name: str) -> None:
    data = getattr(datasets, name)()
    fit, products = fullest(data), model_of(data)[0]
    around = fit.sigma * np.array([0.0, 0.1, 0.5, 1.0, 2.0])
    assert profiled_criterion(batch_of(products, fit.varying), around, fit.cov, fit.sigma).min() > (
        fit.criterion_value_scaled - 1e-4
    )


@pytest.mark.parametrize(
    ("name", "sd"), [("dyestuff", 20.0), ("dyestuff2", 1.5), ("one_single", 1.0), ("one_single", 5.0)]
)
def test_a_point_of_the_profile_agrees_with_the_dense_likelihood(name: str, sd: float) -> None:
    data = getattr(datasets, name)()
    products, scaling = model_of(data)
    fit = fullest(data)
    q = len(fit.varying)

    def deviance(free: np.ndarray) -> float:
        factor = np.zeros((q, q))
        factor[0, 0] = sd
        if q == 2:
            factor[1] = free[1:]
        return dense(data, scaling, fit.varying, factor @ factor.T, float(np.exp(free[0]))).deviance("reml")

    start = np.array([np.log(fit.sigma), 0.0, max(fit.sigma_group[-1], 0.1 * fit.sigma)])[: 3 if q == 2 else 1]
    least = minimize(deviance, start, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-6}).fun
    ours = profiled_criterion(batch_of(products, fit.varying), np.array([sd]), fit.cov, fit.sigma)[0]
    assert ours == pytest.approx(least, abs=1e-4)


def test_fewer_points_for_many_groups() -> None:
    assert (points_for(8), points_for(10_000), points_for(10**6)) == (25, 15, 7)
