"""Partial pooling from rows in memory, against glmm (Rust): the same rows, the same optimum."""

from __future__ import annotations

import statistics
import warnings

import glmm
import numpy as np

from tasks.stats.fits.cross_products import centre_scaled, cross_products, scaling_of
from tasks.stats.fits.partial_pooling import partial_pooling
from tasks.stats.records import GroupedData
from tests.scale.rows import labels, simulated
from tests.scale.table import clocked, line

ROUNDS = 3


def measure(n_rows: int, n_groups: int) -> None:
    """Medians of ROUNDS, the ratio pair by pair; a ratio above 1 says how many times as long glmm takes."""
    warnings.simplefilter("ignore")
    y, x, group = simulated(n_rows, n_groups)
    x = (x - x.mean()) / x.std(ddof=1)
    data = GroupedData(y, x[:, None], group, labels(n_groups), ("intercept", "x"))
    frame = {"y": y, "x": x, "g": np.array(labels(n_groups))[group]}
    pairs = [(clocked(lambda: ours(data)), clocked(lambda: theirs(frame))) for _ in range(ROUNDS)]
    mine, other = (statistics.median(pair[k][0] for pair in pairs) for k in (0, 1))
    ratio = statistics.median(other / mine for (mine, _), (other, _) in pairs)
    above = pairs[-1][0][1] - pairs[-1][1][1]
    size = f"{n_rows:,} rows, {n_groups:,} groups"
    line(f"partial pooling from rows, {size}: seconds", f"{mine:.3f}", ratio, f"glmm takes {other:.3f}: ratio >= 1")
    line("  REML criterion less glmm's, relative", f"{above / abs(pairs[-1][1][1]):.1e}", None, "at most 1e-6")


def ours(data: GroupedData) -> float:
    products = cross_products(data)
    scaling = scaling_of(products)
    return partial_pooling(centre_scaled(products, scaling), scaling, "varying_intercept_slope", (0, 1)).criterion_value


def theirs(frame: dict[str, np.ndarray]) -> float:
    fit = glmm.fit(frame, "y ~ x + (1 + x | g)", reml=True, satterthwaite=False)
    return -2.0 * fit.loglik
