"""Louis's identity gives the information that differences of scores give."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.stats.counted import likelihood_search, starts
from tasks.stats.counted.design import basis_of, design_of
from tasks.stats.counted.likelihood_search import information, search_of
from tasks.stats.counted.partial_pooling import partial_pooling_of
from tasks.stats.fits.cells import Family
from tests.counted_models import simulated_model


@pytest.mark.parametrize(
    ("family", "rows", "points", "theta"),
    [("binomial", 30, 25, (0.7,)), ("poisson", 3, 25, (0.9,)), ("binomial", 8, 35, (0.7, 0.1, 0.5))],
)
def test_it_is_that_of_differences(
    family: Family, rows: int, points: int, theta: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Away from the maximum too."""
    sd = (0.8,) if len(theta) == 1 else (0.8, 0.5)
    model = simulated_model(family, 3, [rows] * 40, (-0.6, 0.3), sd, (2, 9))
    basis = basis_of(model.design, model.cells.n_rows)
    design = design_of(model.cells, basis, np.ascontiguousarray(model.design[:, list(model.varying)].T))
    at = np.append([-0.5, 0.25], theta)
    by_differences = information(search_of(design, points), at)
    monkeypatch.setattr(likelihood_search, "FEW_CELLS", 10)
    search = search_of(design, points)
    found = information(search, at)
    assert not search.known
    size = np.sqrt(np.abs(np.diag(by_differences)))
    np.testing.assert_allclose((found - by_differences) / np.outer(size, size), 0.0, atol=1e-5)


def test_a_fit_of_many_cells_is_that_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every tenth group racing, too. An information is that of a place up to 1e-4 standard errors off."""
    model = simulated_model("binomial", 4, [20] * 50, (-0.6, 0.3), (0.8,), (2, 9))
    plain = partial_pooling_of(model, "varying_intercept")
    monkeypatch.setattr(likelihood_search, "FEW_CELLS", 10)
    monkeypatch.setattr(starts, "RACING_CELLS", 100)
    monkeypatch.setattr(starts, "FEWEST_RACING", 5)
    quick = partial_pooling_of(model, "varying_intercept")
    assert quick.is_converged
    np.testing.assert_allclose(quick.fixef, plain.fixef, atol=1e-6)
    np.testing.assert_allclose(quick.sigma_group, plain.sigma_group, atol=1e-6)
    sd = np.sqrt(np.diag(plain.parameter_cov))
    np.testing.assert_allclose((quick.parameter_cov - plain.parameter_cov) / np.outer(sd, sd), 0.0, atol=1e-5)
    assert quick.certificate.least_curvature == pytest.approx(plain.certificate.least_curvature, rel=1e-4)
