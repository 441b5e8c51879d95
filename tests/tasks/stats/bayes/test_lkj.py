"""Random correlation matrices are LKJ's, and its density is that of Lewandowski, Kurowicka & Joe (2009)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, kstest

from tasks.stats.bayes import lkj


@pytest.mark.parametrize(("eta", "q"), [(1.0, 2), (2.0, 2), (0.7, 3), (2.0, 3), (4.0, 5)])
def test_every_correlation_is_a_beta_on_minus_one_to_one(eta: float, q: int) -> None:
    """Their section 3.2: (r + 1) / 2 is beta(b, b) with b = eta - 1 + q / 2, for each pair alike."""
    factor = lkj.cholesky_factors(eta, q, 4000, np.random.default_rng(2))
    matrices = factor @ np.swapaxes(factor, 1, 2)
    np.testing.assert_allclose(np.diagonal(matrices, axis1=1, axis2=2), 1.0)
    b = eta - 1.0 + q / 2.0
    for i, k in zip(*np.tril_indices(q, -1), strict=True):
        assert kstest((matrices[:, i, k] + 1) / 2, beta(b, b).cdf).pvalue > 0.001


def test_the_density_is_the_determinants_power_and_flat_at_one() -> None:
    r = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, -0.1], [0.2, -0.1, 1.0]])
    both = np.array([r, np.eye(3)])
    assert lkj.log_density(both, 3.0) == pytest.approx([2.0 * np.log(np.linalg.det(r)), 0.0])
    np.testing.assert_array_equal(lkj.log_density(both, 1.0), 0.0)


def test_one_effect_has_no_correlation() -> None:
    np.testing.assert_array_equal(lkj.cholesky_factors(2.0, 1, 5, np.random.default_rng(0)), np.ones((5, 1, 1)))
