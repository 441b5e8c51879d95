"""Partial pooling of counted outcomes from cells in memory, against glmm (Rust) and R's lme4 in the same run.

Ours always has 25 points for one varying effect and 9 by 9 for two; glmm has 7 and 9 by 9; lme4, which is asked once,
and only where it is installed, has 7, and for two effects the one point that it can have. By itself:
`python -m tests.scale.counted_against_glmm`.
"""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import glmm
import numpy as np
import pandas as pd

from tasks.stats.counted.partial_pooling import partial_pooling
from tasks.stats.fits.cells import Cells, Family, cells_of
from tasks.stats.records import Floats, Integers
from tests.scale.in_r import LONGEST, has_lme4, seconds_of_glmer
from tests.scale.rows import labels
from tests.scale.table import clocked, head, line

ROUNDS = 5


@dataclass(frozen=True)
class Rows:
    family: Family
    events: Floats
    size: Floats
    x: Floats  # (N, p - 1), of mean 0 and SD 1
    group: Integers

    def cells(self) -> Cells:
        terms = ("intercept", *(f"x{k}" for k in range(self.x.shape[1])))
        n_groups = int(self.group.max()) + 1
        return cells_of(self.family, self.events, self.size, self.x, self.group, labels(n_groups), terms)

    def _frame(self) -> dict[str, Any]:
        share = self.events / self.size if self.family == "binomial" else self.events
        columns = {f"x{k}": column for k, column in enumerate(self.x.T)}
        return {"y": share, "g": np.array(labels(int(self.group.max()) + 1))[self.group], **columns}

    def seconds_of_lme4(self, formula: str, points: int) -> float | None:
        sizes = "weights = size" if self.family == "binomial" else "offset = log(size)"
        return seconds_of_glmer(pd.DataFrame({**self._frame(), "size": self.size}), formula, self.family, points, sizes)

    def fitted_by_glmm(self, formula: str, points: int) -> float:
        frame = self._frame()
        sizes = {"weights": self.size} if self.family == "binomial" else {"offset": np.log(self.size)}
        return float(glmm.fit(frame, formula, self.family, nagq=points, **sizes).loglik)


def simulated(family: Family, n_groups: int, rows_per_group: int, n_predictors: int, most: int) -> Rows:
    rng = np.random.default_rng(21)
    group = np.repeat(np.arange(n_groups), rows_per_group)
    x = rng.normal(size=(group.size, n_predictors))
    x = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    effects = rng.normal(size=(n_groups, 2)) * [0.6, 0.4]
    eta = -1.5 + effects[group, 0]
    if n_predictors:
        eta += 0.5 * x.sum(axis=1) + effects[group, 1] * x[:, 0]
    size = rng.integers(1, most + 1, group.size)
    events = rng.binomial(size, 1 / (1 + np.exp(-eta))) if family == "binomial" else rng.poisson(size * np.exp(eta))
    return Rows(family, events.astype(float), size.astype(float), x, group)


def measure(n_groups: int) -> None:
    """Medians of ROUNDS, the ratio pair by pair; a ratio above 1 says how many times as long glmm takes."""
    warnings.simplefilter("ignore")
    families: tuple[Family, ...] = ("binomial", "poisson")
    for family, n in product(families, (n_groups, 10 * n_groups)):
        compare(f"{family}, {n:,} groups of one cell", simulated(family, n, 1, 0, 200), "y ~ 1 + (1 | g)", 7, (0,))
    rows = simulated("binomial", n_groups // 10, 100, 2, 1)
    size = f"0 or 1, {rows.events.size:,} rows, {n_groups // 10:,} groups"
    compare(f"{size}, intercept", rows, "y ~ x0 + x1 + (1 | g)", 7, (0,))
    compare(f"{size}, intercept and slope", rows, "y ~ x0 + x1 + (1 + x0 | g)", 9, (0, 1))


def compare(name: str, rows: Rows, formula: str, points: int, varying: tuple[int, ...]) -> None:
    cells = rows.cells()
    ours: Callable[[], float] = lambda: partial_pooling(cells, "varying_intercept", varying).log_lik  # noqa: E731
    ours()
    pairs = [(clocked(ours), clocked(lambda: rows.fitted_by_glmm(formula, points))) for _ in range(ROUNDS)]
    mine, other = (statistics.median(pair[k][0] for pair in pairs) for k in (0, 1))
    ratio = statistics.median(theirs / us for (us, _), (theirs, _) in pairs)
    line(f"{name}: seconds", f"{mine:.3f}", ratio, f"glmm takes {other:.3f} with {points} points: ratio >= 1")
    if has_lme4():
        lme4 = rows.seconds_of_lme4(formula, points if len(varying) == 1 else 1)
        took = f"more than {LONGEST:g}" if lme4 is None else f"{lme4:.2f}"
        line("  seconds of lme4", took, None if lme4 is None else lme4 / mine, "ratio >= 1")
    line("  log likelihood above glmm's, by its own points", f"{pairs[-1][0][1] - pairs[-1][1][1]:.1e}")


if __name__ == "__main__":
    head()
    measure(10_000)
