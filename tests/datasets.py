"""Data sets of the tests, as rows ready to be fitted: lme4's classics, the bundled studies, simulations."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import mixedlm
import numpy as np
import pandas as pd

from tasks.stats.fits.cross_products import CrossProducts, ModelCrossProducts, centre_scaled, cross_products, scaling_of
from tasks.stats.records import GroupedData, Scaling
from tests.worlds.simulate import Design, simulate

BUNDLED = Path(__file__).parent.parent / "data"


def grouped(
    y: Sequence[float] | np.ndarray,
    group: Sequence[object] | np.ndarray,
    x: np.ndarray | None = None,
    names: Sequence[str] | None = None,
) -> GroupedData:
    """Rows of outcome `y` (N,), labels `group` (N,) and predictors `x` (N, p - 1) or (N,)."""
    values = np.empty((len(y), 0)) if x is None else np.asarray(x, dtype=float).reshape(len(y), -1)
    names = names or [f"x{k + 1}" for k in range(values.shape[1])]
    labels, index = np.unique(np.asarray(group).astype(str), return_inverse=True)
    return GroupedData(
        np.asarray(y, dtype=float), values, index.astype(np.int64), tuple(map(str, labels)), ("intercept", *names)
    )


def from_frame(frame: pd.DataFrame, outcome: str, group: str, predictors: Sequence[str] = ()) -> GroupedData:
    x = frame[list(predictors)].to_numpy(float)
    return grouped(frame[outcome].to_numpy(float), frame[group].to_numpy(), x, predictors)


def simulated(
    seed: int,
    sizes: Sequence[int],
    beta: Sequence[float] = (10.0, 2.0),
    sd: Sequence[float] = (3.0, 1.0),
    sigma: float = 1.0,
    correlation: float = 0.0,
) -> GroupedData:
    """From the model itself: the first len(sd) effects vary, pairwise correlated alike; standard normal predictors."""
    rng = np.random.default_rng(seed)
    index = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.standard_normal((index.size, len(beta) - 1))
    q = len(sd)
    cov = np.outer(sd, sd) * (np.eye(q) * (1 - correlation) + correlation)
    effects = rng.multivariate_normal(np.zeros(q), cov, len(sizes))
    design = np.column_stack([np.ones(index.size), x])
    y = design @ np.asarray(beta) + (design[:, :q] * effects[index]).sum(axis=1)
    return grouped(y + sigma * rng.standard_normal(index.size), [f"g{j:05d}" for j in index], x)


def with_size_trend(seed: int, per_doubling: float, n_groups: int = 60, sigma: float = 6.0) -> GroupedData:
    """Levels that rise by `per_doubling` as a group's rows double; group SD 2 about that."""
    rng = np.random.default_rng(seed)
    n = np.maximum(1, rng.lognormal(2.5, 1.0, n_groups).astype(int))
    index = np.repeat(np.arange(n_groups), n)
    x = rng.normal(size=index.size)
    level = 50 + per_doubling * np.log2(n) + rng.normal(0, 2.0, n_groups)
    return grouped(level[index] + 2 * x + rng.normal(0, sigma, index.size), [f"g{j:04d}" for j in index], x)


def classic(name: str) -> pd.DataFrame:
    """A data set of lme4, as mixedlm ships it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # mixedlm's own reading of its files
        frame: pd.DataFrame = getattr(mixedlm, f"load_{name}")()
    return frame


def model_of(data: GroupedData) -> tuple[ModelCrossProducts, Scaling]:
    products: CrossProducts = cross_products(data)
    scaling = scaling_of(products)
    return centre_scaled(products, scaling), scaling


@cache
def dyestuff() -> GroupedData:
    return from_frame(classic("dyestuff"), "Yield", "Batch")


@cache
def dyestuff2() -> GroupedData:
    return from_frame(classic("dyestuff2"), "Yield", "Batch")


@cache
def sleepstudy() -> GroupedData:
    return from_frame(classic("sleepstudy"), "Reaction", "Subject", ["Days"])


@cache
def bounce_rates() -> GroupedData:
    frame = pd.read_csv(BUNDLED / "bounce_rates" / "bounce_rates.csv")
    return from_frame(frame, "bounce_time", "county", ["age"])


@cache
def cake() -> GroupedData:
    frame = classic("cake")
    frame["unit"] = frame["recipe"] + frame["replicate"].astype(str)
    frame["recipe_b"] = (frame["recipe"] == "B").astype(float)
    return from_frame(frame, "angle", "unit", ["temp", "recipe_b"])


@cache
def cake_by_replicate() -> GroupedData:
    return from_frame(classic("cake"), "angle", "replicate", ["temp"])


@cache
def pastes() -> GroupedData:
    return from_frame(classic("pastes"), "strength", "sample")


@cache
def pastes_by_batch() -> GroupedData:
    return from_frame(classic("pastes"), "strength", "batch")


@cache
def penicillin() -> GroupedData:
    return from_frame(classic("penicillin"), "diameter", "sample")


@cache
def penicillin_by_plate() -> GroupedData:
    return from_frame(classic("penicillin"), "diameter", "plate")


@cache
def arabidopsis() -> GroupedData:
    frame = classic("arabidopsis")
    frame["fruits"] = np.log1p(frame["total_fruits"])
    frame["clipped"] = (frame["amd"] == "clipped").astype(float)
    return from_frame(frame, "fruits", "gen", ["nutrient", "clipped"])


@cache
def arabidopsis_by_population() -> GroupedData:
    frame = classic("arabidopsis")
    frame["fruits"] = np.log1p(frame["total_fruits"])
    return from_frame(frame, "fruits", "popu", ["nutrient"])


@cache
def cbpp() -> GroupedData:
    frame = classic("cbpp")
    frame["rate"] = frame["incidence"] / frame["size"]
    frame["time"] = frame["period"].astype(float)
    return from_frame(frame, "rate", "herd", ["time", "size"])


@cache
def grouseticks() -> GroupedData:
    frame = classic("grouseticks")
    frame["ticks"] = np.log1p(frame["TICKS"])
    frame["year"] = frame["YEAR"].astype(float)
    return from_frame(frame, "ticks", "LOCATION", ["HEIGHT", "year"])


@cache
def grouseticks_by_brood() -> GroupedData:
    frame = classic("grouseticks")
    frame["ticks"] = np.log1p(frame["TICKS"])
    return from_frame(frame, "ticks", "BROOD", ["HEIGHT"])


@cache
def insteval() -> GroupedData:
    """Ratings by the students of two departments, by lecturer."""
    frame = classic("insteval")
    frame = frame[frame["dept"].astype(str).isin(["2", "10"])].copy()
    frame["semester"] = frame["studage"].astype(float)
    frame["service_course"] = frame["service"].astype(float)
    return from_frame(frame, "y", "d", ["semester", "service_course"])


@cache
def verbagg() -> GroupedData:
    """The answers of 40 of 316 people, 0 no, 1 perhaps, 2 yes."""
    frame = classic("verbagg")
    frame = frame[frame["id"].astype(int) <= 40].copy()
    frame["answer"] = frame["resp"].astype(str).map({"no": 0.0, "perhaps": 1.0, "yes": 2.0})
    frame["self_to_blame"] = (frame["situ"].astype(str) == "self").astype(float)
    frame["doing"] = (frame["mode"].astype(str) == "do").astype(float)
    return from_frame(frame, "answer", "id", ["self_to_blame", "doing"])


@cache
def cbpp_intercepts() -> GroupedData:
    """Singular or nearly so; from one to four rows a herd."""
    return GroupedData(cbpp().y, cbpp().x[:, :0], cbpp().group_index, cbpp().labels, ("intercept",))


@cache
def one_single() -> GroupedData:
    """Seven groups, one of them of a single row."""
    return simulated(3, [1, 5, 9, 12, 7, 6, 8])


@cache
def curved() -> GroupedData:
    """Twelve groups whose rows follow a curve and scatter more in some groups than in others."""
    return simulate(Design(curve=1.5, spread=0.7), (3,)).data
