"""Simulated data whose truth is known: what every group's level and slopes are, whatever a model makes of the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.signal import lfilter

from tasks.stats.records import Floats, GroupedData, Integers

Rows = tuple[int, int]  # smallest and largest number of rows of a group; sizes are log-uniform between them
STEP = 1e-4


@dataclass(frozen=True)
class Design:
    """How a world's rows come about. Predictors have SD 1, the outcome's unit is arbitrary.

    y = level_j + slopes_j'x + curve (x1^2 - 1) + context x1_mean_j + size_effect log2(n_j / typical) + noise
    """

    groups: int = 12
    rows: Rows = (8, 60)
    singletons: int = 0  # groups of one row, of `groups`
    predictors: int = 1
    between_sd: float = 0.5  # SD of the predictors' group means; their rows scatter with sqrt(1 - between_sd^2)
    is_binary_predictor: bool = False
    close: float = 0.0  # correlation of the first two predictors within groups
    level_sd: float = 4.0
    clusters: float = 0.0  # two clusters of groups, this far to both sides
    outlier: float = 0.0  # one group's level is so far off
    slope: float = 2.0
    slope_sd: float = 1.0
    curve: float = 0.0
    context: float = 0.0
    size_effect: float = 0.0
    sigma: float = 4.0
    spread: float = 0.0  # SD of the groups' log residual SD
    noise: Literal["normal", "t", "lognormal", "exponential"] = "normal"
    shape: float = 0.0  # degrees of freedom of t, log SD of the log-normal noise, log SD of a positive outcome
    serial: float = 0.0  # correlation of a row's noise with that of the row before
    outcome: Literal["measured", "positive", "yes or no", "count"] = "measured"


@dataclass(frozen=True)
class Simulated:
    """Rows, and each group's true level and slopes as a report gives them.

    level (J,): expected outcome where the predictors have the means of all rows. slope (J, p - 1): change of the
    expected outcome there, per SD of each predictor.
    """

    data: GroupedData
    level: Floats
    slope: Floats


def simulate(design: Design, seed: tuple[int, ...]) -> Simulated:
    rng = np.random.default_rng(seed)
    n = _sizes(design, rng)
    index = np.repeat(np.arange(n.size), n)
    x = _predictors(design, rng, index, n.size)
    mean = _mean(design, rng, n, x, index)
    y = _outcome(design, rng, mean(index, x), index, n.size)
    labels = tuple(f"g{j:03d}" for j in range(n.size))
    terms = ("intercept", *(f"x{k + 1}" for k in range(design.predictors)))
    data = GroupedData(y, x, index.astype(np.int64), labels, terms)
    return Simulated(data, *_truth(design, mean, x, n.size))


def _sizes(design: Design, rng: np.random.Generator) -> Integers:
    low, high = design.rows
    n = np.exp(rng.uniform(np.log(low), np.log(high + 1), design.groups)).astype(np.int64)
    n[: design.singletons] = 1
    return n


def _predictors(design: Design, rng: np.random.Generator, index: Integers, n_groups: int) -> Floats:
    k = design.predictors
    within = rng.standard_normal((index.size, k))
    if design.close:
        within[:, 1] = design.close * within[:, 0] + np.sqrt(1 - design.close**2) * within[:, 1]
    means = design.between_sd * rng.standard_normal((n_groups, k))
    if design.close:
        means[:, 1] = means[:, 0]
    x = means[index] + np.sqrt(1 - design.between_sd**2) * within
    return (x > 0).astype(float) if design.is_binary_predictor else x


Mean = Callable[[Integers, Floats], Floats]


def _mean(design: Design, rng: np.random.Generator, n: Integers, x: Floats, index: Integers) -> Mean:
    """The expected outcome of rows (m,) of groups with predictors (m, k)."""
    level = 50.0 + design.level_sd * rng.standard_normal(n.size)
    level += design.clusters * rng.choice([-1.0, 1.0], n.size)
    level[-1] += design.outlier
    level += design.size_effect * np.log2(n / np.exp(np.log(n).mean()))
    if design.context:
        level += design.context * np.bincount(index, x[:, 0]) / n
    slopes = design.slope + design.slope_sd * rng.standard_normal((n.size, design.predictors))

    def mean(group: Integers, at: Floats) -> Floats:
        lines = level[group] + (slopes[group] * at).sum(axis=1)
        return lines + design.curve * (at[:, 0] ** 2 - 1.0) if design.curve else lines

    return mean


def _outcome(design: Design, rng: np.random.Generator, mean: Floats, index: Integers, n_groups: int) -> Floats:
    if design.outcome == "positive":
        return np.exp(_log(mean) + design.shape * rng.standard_normal(mean.size))
    if design.outcome == "yes or no":
        return (rng.random(mean.size) < _probability(mean)).astype(float)
    if design.outcome == "count":
        return rng.poisson(_rate(mean)).astype(float)
    sd = design.sigma * np.exp(design.spread * rng.standard_normal(n_groups))
    return mean + sd[index] * _noise(design, rng, index)


def _noise(design: Design, rng: np.random.Generator, index: Integers) -> Floats:
    """(N,) of mean 0; SD 1, but for t, whose scale is 1."""
    size = index.size
    if design.noise == "t":
        return rng.standard_t(design.shape, size)
    if design.noise == "exponential":
        return rng.exponential(size=size) - 1.0
    if design.noise == "lognormal":
        v = design.shape**2
        return (rng.lognormal(0, design.shape, size) - np.exp(v / 2)) / np.sqrt((np.exp(v) - 1) * np.exp(v))
    e = rng.standard_normal(size)
    return _followed(e, index, design.serial) if design.serial else e


def _followed(e: Floats, index: Integers, rho: float) -> Floats:
    """A stationary AR(1) within each group."""
    out = np.empty_like(e)
    for j in np.unique(index):
        mine = np.flatnonzero(index == j)
        drive = np.sqrt(1 - rho**2) * e[mine]
        drive[0] = e[mine[0]]
        out[mine] = lfilter([1.0], [1.0, -rho], drive)
    return out


def _probability(mean: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-(mean - 50.0) / 4.0)))


def _log(mean: Floats) -> Floats:
    return np.asarray((mean - 50.0) / 10.0 + 3.0)


def _rate(mean: Floats) -> Floats:
    return np.asarray(np.exp(np.clip((mean - 50.0) / 8.0 + 1.0, -5, 4)))


def _truth(design: Design, mean: Mean, x: Floats, n_groups: int) -> tuple[Floats, Floats]:
    def positive(value: Floats) -> Floats:
        return np.exp(_log(value) + design.shape**2 / 2)

    def expected(at: Floats) -> Floats:
        value = mean(np.arange(n_groups), np.tile(at, (n_groups, 1)))
        return {"measured": lambda v: v, "positive": positive, "yes or no": _probability, "count": _rate}[
            design.outcome
        ](value)

    center, scale = x.mean(axis=0), x.std(axis=0, ddof=1)
    steps = STEP * np.eye(x.shape[1])
    slopes = [scale[k] * (expected(center + h) - expected(center - h)) / (2 * STEP) for k, h in enumerate(steps)]
    return expected(center), np.column_stack(slopes) if slopes else np.empty((n_groups, 0))


def of_size(design: Design, groups: int | None, rows: Rows | None) -> Design:
    """The design with other sizes, where these are given."""
    return replace(design, groups=groups or design.groups, rows=rows or design.rows)
