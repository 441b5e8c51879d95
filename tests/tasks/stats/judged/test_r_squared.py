"""Marginal and conditional R²: from the sums as from every row, and between what is possible."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.judged.r_squared import shares
from tests.datasets import model_of, simulated
from tests.factories import regular_case, singular_case


def test_the_sums_give_what_every_row_gives() -> None:
    data = simulated(11, [4, 7, 12, 20, 9], beta=(5.0, 1.5, -2.0), sd=(2.0, 0.5, 1.0))
    products, scaling = model_of(data)
    x, rng = design_matrix(data, scaling), np.random.default_rng(2)
    beta, root, sigma = rng.normal(size=(3, 3)), rng.normal(size=(3, 3, 3)), rng.uniform(0.5, 2.0, 3)
    cov = root @ np.swapaxes(root, 1, 2)
    marginal, conditional = shares(products, (0, 1, 2), beta, cov, sigma)
    for s in range(3):
        fixed = np.var(x @ beta[s])
        random = np.mean([row @ cov[s] @ row for row in x])
        total = fixed + random + sigma[s] ** 2
        assert marginal[s] == pytest.approx(fixed / total, rel=1e-9)
        assert conditional[s] == pytest.approx((fixed + random) / total, rel=1e-9)


@pytest.mark.parametrize("make", [regular_case, singular_case])
def test_of_a_study(make) -> None:
    found = make().context.findings.r_squared
    assert 0.0 <= found.marginal_reml <= found.conditional_reml <= 1.0
    for one in (found.marginal, found.conditional):
        assert 0.0 <= one.lower <= one.median <= one.upper <= 1.0
    assert found.marginal.median == pytest.approx(found.marginal_reml, abs=0.1)
    assert found.conditional.median == pytest.approx(found.conditional_reml, abs=0.1)
