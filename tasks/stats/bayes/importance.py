"""Pareto-smoothed importance sampling: from the posterior of all rows to that of some of them.

Vehtari, Simpson, Gelman, Yao & Gabry (2024), JMLR 25(72); computed by ArviZ.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from tasks.stats.records import Floats


def importance_weights(log_ratio: Floats) -> tuple[Floats, Floats]:
    """Smoothed and normalised log weights (n, S), and Pareto k (n,).

    `log_ratio` (S, n) is the log of target / posterior.
    """
    from arviz_stats.base import array_stats

    log_weights, pareto_k = array_stats.psislw(-log_ratio, axis=0)
    log_weights -= logsumexp(log_weights, axis=-1, keepdims=True)
    return log_weights, np.asarray(pareto_k, dtype=float)


def highest_good_k(n_draws: int, of_the_study: float | None) -> float:
    """The Pareto k above which scores may be far off: the study's own, else min(1 - 1 / log10 S, 0.7)."""
    return float(of_the_study or min(1.0 - 1.0 / np.log10(n_draws), 0.7))
