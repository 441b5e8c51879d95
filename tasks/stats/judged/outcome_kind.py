"""Is the outcome a measurement, or yes and no, or a small count? A straight line does not suit the latter two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tasks.stats.judgement import Judgement
from tasks.stats.records import GroupedData

# A Poisson of this mean has a skewness below 0.5, and a normal suits it.
LARGE_COUNT = 5.0
NEAR_ITS_MEAN = (0.6, 4.0)  # variance within groups over the mean


@dataclass(frozen=True)
class OutcomeKind:
    kind: Literal["measured", "two values", "counts"]
    mean: float
    dispersion: float  # variance within groups over the mean; NaN if the outcome is no count


def outcome_kind(data: GroupedData) -> OutcomeKind:
    """`data` are all rows or a sample of them."""
    y, mean = data.y, float(data.y.mean())
    if np.all((y == y[0]) | (y == y.max()) | (y == y.min())) and np.unique(y).size == 2:
        return OutcomeKind("two values", mean, float("nan"))
    if y.min() < 0 or np.any(y != np.rint(y)) or not 0 < mean < LARGE_COUNT:
        return OutcomeKind("measured", mean, float("nan"))
    n = np.bincount(data.group_index, minlength=data.n_groups)
    means = np.bincount(data.group_index, y, data.n_groups) / np.maximum(n, 1)
    freedom = max(int((n - 1).clip(0).sum()), 1)
    dispersion = float(((y - means[data.group_index]) ** 2).sum() / freedom / mean)
    low, high = NEAR_ITS_MEAN
    return OutcomeKind("counts" if low <= dispersion <= high else "measured", mean, dispersion)


def judge_outcome_kind(found: OutcomeKind) -> tuple[Judgement, ...]:
    if found.kind == "measured":
        return (Judgement("outcome_kind", "pass", "measured"),)
    value = found.mean if found.kind == "two values" else found.dispersion
    return (Judgement("outcome_kind", "fail", found.kind, value=value, against="every model"),)
