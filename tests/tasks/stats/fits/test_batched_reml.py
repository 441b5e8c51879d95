"""Fits of many replicates at once are the fits that `reml.fit` makes of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.fits.batched_reml import (
    Batch,
    batch_of,
    batch_of_several,
    factors,
    fit_in_blocks,
    profiles,
    standard_errors,
)
from tasks.stats.fits.bootstrap import batch_of_outcomes, draw_outcomes
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.intervals import joint_se
from tasks.stats.fits.reml import MixedModel, fit, mixed_model, profile, relative_factor
from tasks.stats.fits.small_matrices import lower_triangle
from tasks.stats.records import GroupedData
from tests import datasets
from tests.datasets import model_of, simulated


def three_effects() -> GroupedData:
    return simulated(8, [6, 9, 12] * 5, beta=(10.0, 2.0, 1.0), sd=(3.0, 1.0, 0.5))


def one_by_one(products: ModelCrossProducts, varying: tuple[int, ...], batch: Batch, r: int) -> MixedModel:
    """Replicate r as `reml` takes it."""
    model = mixed_model(products, varying)
    ztw, wtw = model.ztw.copy(), model.wtw.copy()
    ztw[..., -1] = batch.zty[r].T
    wtw[:-1, -1] = wtw[-1, :-1] = batch.xty[r]
    wtw[-1, -1] = batch.yty[r]
    return replace(model, ztw=ztw, wtw=wtw)


def replicates(
    data: GroupedData, sd: list[float], sigma: float, n: int
) -> tuple[ModelCrossProducts, Batch, np.ndarray]:
    products, varying, cov = model_of(data)[0], tuple(range(len(sd))), np.diag(np.square(sd))
    drawn = draw_outcomes(products, varying, cov, sigma, n, np.random.default_rng(4))
    return products, batch_of_outcomes(products, varying, drawn), cov / sigma**2


@pytest.mark.parametrize(
    ("name", "sd", "sigma"),
    [
        ("bounce_rates", [14.0, 0.0], 8.0),  # most are singular
        ("bounce_rates", [0.0, 2.0], 8.0),
        ("sleepstudy", [24.0, 17.0], 25.0),
        ("dyestuff", [0.0], 50.0),
        ("one_single", [2.0, 1.0], 1.0),
        ("cbpp", [0.05, 0.02], 0.1),  # from one to four rows a group, three coefficients
        ("three_effects", [3.0, 1.0, 0.5], 1.0),
    ],
)
def test_batch_agrees_with_one_fit_at_a_time(name: str, sd: list[float], sigma: float) -> None:
    data = three_effects() if name == "three_effects" else getattr(datasets, name)()
    products, batch, start = replicates(data, sd, sigma, 8)
    together, q = fit_in_blocks(batch, start), len(sd)
    for r in range(8):
        alone = fit(one_by_one(products, tuple(range(q)), batch, r))
        factor = relative_factor(alone.theta, q)
        assert together.value[r] == pytest.approx(alone.profile.value, abs=2e-6)
        assert together.sigma[r] == pytest.approx(alone.profile.sigma, rel=1e-3)
        np.testing.assert_allclose(together.fixef[r], alone.profile.fixef, atol=2e-3 * sigma)
        expected = alone.profile.sigma * np.sqrt((factor**2).sum(axis=1))
        np.testing.assert_allclose(together.sigma_group[r], expected, rtol=2e-3, atol=2e-3 * sigma)
        np.testing.assert_allclose(
            together.modes[r].T, alone.profile.v @ factor @ factor.T, rtol=5e-3, atol=5e-3 * sigma
        )


def test_profile_and_gradient_are_those_of_one_model() -> None:
    products, batch, _ = replicates(datasets.sleepstudy(), [24.0, 17.0], 25.0, 3)
    theta = np.array([[0.9, 0.1, 0.4], [2.0, -0.5, 0.0], [0.0, 0.3, 0.6]])
    together = profiles(batch, factors(theta, 2))
    for r in range(3):
        alone = profile(one_by_one(products, (0, 1), batch, r), theta[r])
        assert together.value[r] == pytest.approx(alone.value, rel=1e-12)
        np.testing.assert_allclose(together.covariance_gradient[r], alone.covariance_gradient, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    ("name", "varying", "sd"),
    [
        ("bounce_rates", (0, 1), [14.0, 0.0]),  # singular: some standard errors are of the fixed effects alone
        ("three_effects", (0, 2), [3.0, 0.5]),  # of four terms two vary
        ("one_single", (0,), [2.0]),
    ],
)
def test_standard_errors_are_the_joint_ones_of_each_replicate(
    name: str, varying: tuple[int, ...], sd: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = three_effects() if name == "three_effects" else getattr(datasets, name)()
    products, cov = model_of(data)[0], np.diag(np.square(sd))
    drawn = draw_outcomes(products, varying, cov, 2.0, 6, np.random.default_rng(4))
    batch = batch_of_outcomes(products, varying, drawn)
    fits = fit_in_blocks(batch, cov / 4.0)
    together = standard_errors(batch, fits, varying)
    for r in range(6):
        model = one_by_one(products, varying, batch, r)
        at = profile(model, fits.factor[r][lower_triangle(len(varying))])
        alone = joint_se(at.sigma, at.m, model.ztw[..., :-1], at.unscaled_cov, varying)
        np.testing.assert_allclose(together[r].T, alone, rtol=1e-6)
    monkeypatch.setattr("tasks.stats.fits.batched_reml.BLOCK_VALUES", 1)
    np.testing.assert_allclose(standard_errors(batch, fits, varying), together, rtol=1e-12)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _, batch, start = replicates(datasets.dyestuff(), [40.0], 50.0, 9)
    whole = fit_in_blocks(batch, start)
    monkeypatch.setattr("tasks.stats.fits.batched_reml.BLOCK_VALUES", 1)
    np.testing.assert_allclose(fit_in_blocks(batch, start).value, whole.value, rtol=1e-12)


def test_the_data_themselves_are_a_batch_of_one() -> None:
    products = model_of(datasets.bounce_rates())[0]
    best = fit(mixed_model(products, (0, 1)))
    found = fit_in_blocks(batch_of(products, (0, 1)), np.eye(2))
    assert found.value[0] == pytest.approx(best.profile.value, abs=1e-6)


@pytest.mark.parametrize("varying", [(0,), (1,), (0, 1)])
def test_designs_may_differ_and_one_group_may_be_without_rows(varying: tuple[int, ...]) -> None:
    """Each group of the bounce rates left out in turn: of some the fit is singular, of others it is not."""
    products = model_of(datasets.bounce_rates())[0]
    several = []
    for group in range(len(products.labels)):
        gram = products.gram.copy()
        gram[group] = 0.0
        several.append(replace(products, gram=gram))
    found = fit_in_blocks(batch_of_several(several, varying), np.eye(len(varying)))
    for b, fewer in enumerate(several):
        best = fit(mixed_model(fewer, varying))
        assert found.value[b] == pytest.approx(best.profile.value, abs=1e-6)
        np.testing.assert_allclose(found.fixef[b], best.profile.fixef, rtol=1e-4)
        assert found.sigma[b] == pytest.approx(best.profile.sigma, rel=1e-5)
