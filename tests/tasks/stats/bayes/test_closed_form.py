"""One product for all draws and groups gives what dense normal densities give."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from tasks.stats.bayes.group_likelihood import ParameterDraws, group_log_lik, marginal_log_lik
from tests.datasets import model_of, simulated


@pytest.mark.parametrize("varying", [(0,), (1,), (0, 1), (0, 2)])
def test_groups_and_their_sum_are_dense_normals(varying: tuple[int, ...]) -> None:
    """Groups of one row too, and group SDs a thousand residual SDs wide."""
    data = simulated(3, [1, 2, 9, 4, 30], beta=(900.0, 2.0, -1.0))
    products, scaling = model_of(data)
    rng, q = np.random.default_rng(5), len(varying)
    factor = np.tril(rng.uniform(0.2, 1.0, (7, q, q))) * np.geomspace(0.01, 1000.0, 7)[:, None, None]
    at = ParameterDraws(rng.normal(size=(7, 3)), factor, rng.uniform(0.5, 2.0, 7))
    x = np.column_stack([np.ones(data.n_rows), (data.x - scaling.center) / scaling.scale])
    y = data.y - products.outcome_center
    dense = np.empty((7, data.n_groups))
    for s in range(7):
        for j in range(data.n_groups):
            mine = data.group_index == j
            z = x[mine][:, list(varying)] @ factor[s]
            cov = z @ z.T + at.sigma[s] ** 2 * np.eye(mine.sum())
            dense[s, j] = multivariate_normal.logpdf(y[mine], x[mine] @ at.beta[s], cov)
    np.testing.assert_allclose(group_log_lik(products.gram, varying, at), dense, rtol=1e-7, atol=1e-5)
    np.testing.assert_allclose(marginal_log_lik(products.gram, varying, at), dense.sum(axis=1), rtol=1e-7, atol=1e-5)
