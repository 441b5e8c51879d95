"""Many targets smoothed at once get ArviZ's weights and Pareto k."""

from __future__ import annotations

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy.special import logsumexp

from tasks.stats.bayes import importance
from tasks.stats.bayes.importance import importance_weights


@pytest.mark.parametrize("n_draws", [100, 1000, 4000])
def test_weights_and_k_are_arvizs(n_draws: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even and uneven weights, huge ones, one with ties at its tail's cut, one of equal weights."""
    rng = np.random.default_rng(n_draws)
    log_ratio = rng.standard_normal((n_draws, 12)) * np.geomspace(1e-3, 30.0, 12)
    log_ratio = np.column_stack([log_ratio, rng.standard_t(2, n_draws), np.round(rng.standard_normal(n_draws), 1)])
    monkeypatch.setattr(importance, "BLOCK_VALUES", 5 * n_draws)
    log_weights, pareto_k = importance_weights(log_ratio)
    for i, target in enumerate(log_ratio.T):
        theirs, k = array_stats.psislw(-target, axis=0)
        np.testing.assert_allclose(log_weights[i], theirs - logsumexp(theirs), rtol=1e-8, atol=1e-8)
        assert pareto_k[i] == pytest.approx(float(k), abs=1e-8)
    np.testing.assert_allclose(logsumexp(log_weights, axis=1), 0.0, atol=1e-9)
