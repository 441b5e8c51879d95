"""Worlds of counted outcomes whose truth is known: regular, or with one thing that the plain model lacks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.added_terms import counted_model
from tasks.stats.counted.links import mean_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.partial_pooling import CountedPartialPooling, partial_pooling_of
from tasks.stats.counted.predictors import scaling_of
from tasks.stats.fits.cells import Cells, Family, cells_of
from tasks.stats.records import Floats, GroupedData


@dataclass(frozen=True)
class World:
    family: Family = "poisson"
    groups: int = 60
    rows: tuple[int, int] = (5, 40)  # of a group
    trials: tuple[int, int] = (1, 1)  # of a row, or its exposure
    level: float = -0.7
    slope: float = 0.5
    level_sd: float = 0.5
    slope_sd: float = 0.0
    between: float = 0.7  # SD of the groups' means of the predictor, whose SD within groups is 1
    per_doubling: float = 0.0  # of a group's rows
    context: float = 0.0
    curve: float = 0.0
    dispersion: float = 0.0
    zeros: float = 0.0  # share of rows that can have no event
    serial: float = 0.0  # correlation of a row's own effect with the one before, of SD 1
    is_skewed: bool = False  # rows and trials are log-uniform instead of uniform
    digits: int = 15  # of the predictor: rounded ones make cells of several rows
    is_binary: bool = False  # the predictor is 0 or 1


@dataclass(frozen=True)
class Made:
    data: GroupedData
    coef: Floats  # (J, 2) on the raw predictor
    family: Family
    world: World

    @property
    def cells(self) -> Cells:
        data = self.data
        assert data.size is not None
        return cells_of(self.family, data.y, data.size, data.x, data.group_index, data.labels, data.terms)

    def model(self, varying: tuple[int, ...] = (0,)) -> CountedModel:
        cells = self.cells
        return counted_model(cells, scaling_of(cells), varying)

    def expected(self, x: float) -> Floats:
        """(J,) true probability or rate of rows with this predictor."""
        eta, world = self.coef[:, 0] + self.coef[:, 1] * x + self.world.curve * (x**2 - 1.0), self.world
        if not world.serial:
            return (1.0 - world.zeros) * mean_of(world.family, eta)
        nodes, weights = np.polynomial.hermite_e.hermegauss(21)
        return mean_of(world.family, eta[:, None] + nodes) @ (weights / weights.sum())


def simulate(world: World, seed: int) -> Made:
    rng = np.random.default_rng([seed, 17])
    n = _whole(world.rows, world.groups, world.is_skewed, rng)
    group = np.repeat(np.arange(world.groups), n)
    means = world.between * rng.standard_normal(world.groups)
    x = (means[group] + rng.standard_normal(group.size)).round(world.digits)
    x = (x > 0).astype(float) if world.is_binary else x
    doublings = np.log2(n) - np.log2(n).mean()
    level = world.level + world.level_sd * rng.standard_normal(world.groups)
    level += world.per_doubling * doublings + world.context * means
    slope = world.slope + world.slope_sd * rng.standard_normal(world.groups)
    eta = level[group] + slope[group] * x + world.curve * (x**2 - 1.0)
    if world.serial:
        eta += _following(n, world.serial, rng)
    size = _whole(world.trials, group.size, world.is_skewed, rng)
    events = _events(world, mean_of(world.family, np.minimum(eta, 9.0)), size, rng)
    events[rng.uniform(size=group.size) < world.zeros] = 0
    labels = tuple(f"g{j:03d}" for j in range(world.groups))
    data = GroupedData(events.astype(float), x[:, None], group, labels, ("intercept", "x1"), size.astype(float))
    return Made(data, np.column_stack([level, slope]), world.family, world)


def _whole(limits: tuple[int, int], n: int, is_skewed: bool, rng: np.random.Generator) -> np.ndarray:
    low, high = limits
    if not is_skewed or low == high:
        return rng.integers(low, high + 1, n)
    return np.exp(rng.uniform(np.log(low), np.log(high + 1), n)).astype(np.int64)


def _events(world: World, mean: Floats, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    phi = world.dispersion
    if world.family == "binomial":
        return rng.binomial(size, rng.beta(mean / phi, (1.0 - mean) / phi) if phi else mean)
    return rng.poisson(size * mean * (rng.gamma(1.0 / phi, phi, mean.size) if phi else 1.0))


def _following(n: np.ndarray, correlation: float, rng: np.random.Generator) -> Floats:
    series = []
    for length in n:
        values = rng.standard_normal(length)
        for t in range(1, length):
            values[t] = correlation * values[t - 1] + np.sqrt(1.0 - correlation**2) * values[t]
        series.append(values)
    return np.concatenate(series)


def fit_of(model: CountedModel) -> CountedPartialPooling:
    return partial_pooling_of(model, "varying_intercept" if model.varying == (0,) else "varying_intercept_slope")
