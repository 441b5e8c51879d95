"""Cells are scaled as their rows would be."""

from __future__ import annotations

import numpy as np

from tasks.stats.counted.predictors import centre_scaled, scaling_of
from tasks.stats.fits.cells import cells_of
from tests.counted_data import counted


def test_means_and_sds_are_those_of_rows() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 4, (200, 2)).astype(float)
    cells = counted("poisson", rng.poisson(1.0, 200), rng.integers(1, 90, 200), rng.integers(0, 5, 200), x)
    scaling = scaling_of(cells)
    assert len(cells.x) < 100
    np.testing.assert_allclose(scaling.center, x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scaling.scale, x.std(axis=0, ddof=1), rtol=1e-12)
    assert scaling.predictors == ("x1", "x2")
    design = centre_scaled(cells, scaling)
    np.testing.assert_allclose(cells.n_rows @ design / 200, [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(cells.n_rows @ design[:, 1:] ** 2 / 199, 1.0)


def test_a_predictor_without_spread_keeps_its_unit() -> None:
    cells = counted("binomial", [0, 1, 1], x=np.full(3, 7.0))
    assert scaling_of(cells).scale.tolist() == [1.0]
    assert centre_scaled(cells, scaling_of(cells))[:, 1].tolist() == [0.0]


def test_one_row_and_no_predictors_have_a_scaling() -> None:
    cells = cells_of("binomial", np.ones(1), np.ones(1), np.empty((1, 0)), np.zeros(1, int), ["a"], ["intercept"])
    assert centre_scaled(cells, scaling_of(cells)).tolist() == [[1.0]]
