"""Rows of counted outcomes for tests: lme4's classics and simulations, as cells and as a frame for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tasks.stats.fits.cells import Cells, Family, cells_of
from tasks.stats.records import Floats, Integers
from tests.datasets import classic


@dataclass(frozen=True)
class CountedRows:
    family: Family
    events: Floats  # (N,)
    size: Floats  # (N,)
    x: Floats  # (N, p - 1)
    group: Integers  # (N,)

    @property
    def terms(self) -> tuple[str, ...]:
        return ("intercept", *(f"x{k + 1}" for k in range(self.x.shape[1])))

    def cells(self) -> Cells:
        labels = [f"g{j}" for j in range(self.group.max() + 1)]
        return cells_of(self.family, self.events, self.size, self.x, self.group, labels, self.terms)

    def frame(self) -> pd.DataFrame:
        """Predictors are centre-scaled; `y` is the share of events, or the count."""
        scaled = (self.x - self.x.mean(axis=0)) / self.x.std(axis=0, ddof=1)
        share = self.events / self.size if self.family == "binomial" else self.events
        return pd.DataFrame(scaled, columns=list(self.terms[1:])).assign(y=share, g=[f"g{j:06d}" for j in self.group])


def simulated(
    family: Family,
    seed: int,
    sizes: Sequence[int],
    beta: Sequence[float] = (-0.5, 0.6),
    sd: Sequence[float] = (0.8,),
    most: int = 1,
) -> CountedRows:
    """From the model itself, with `sizes` rows a group; the first len(sd) effects vary.

    Sizes of a row are whole numbers from 1 to `most`.
    """
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.standard_normal((group.size, len(beta) - 1))
    design = np.column_stack([np.ones(group.size), x])
    effects = rng.standard_normal((len(sizes), len(sd))) * sd
    eta = design @ np.asarray(beta) + (design[:, : len(sd)] * effects[group]).sum(axis=1)
    size = rng.integers(1, most + 1, group.size)
    events = rng.binomial(size, 1 / (1 + np.exp(-eta))) if family == "binomial" else rng.poisson(size * np.exp(eta))
    return CountedRows(family, events.astype(float), size.astype(float), x, group)


def per_group(family: Family, events: Sequence[float], size: Sequence[float]) -> CountedRows:
    """A row per group, without predictors."""
    n = len(events)
    return CountedRows(
        family, np.asarray(events, dtype=float), np.asarray(size, dtype=float), np.empty((n, 0)), np.arange(n)
    )


def cbpp(with_periods: bool = True) -> CountedRows:
    """Serological cases in herds, in four periods."""
    frame = classic("cbpp")
    x = _dummies(frame["period"]) if with_periods else np.empty((len(frame), 0))
    return _of("binomial", frame["incidence"], frame["size"], x, frame["herd"])


def verbal_aggression(group: str) -> CountedRows:
    """Answers yes or no of persons (`id`) to items (`item`): 7,584 rows."""
    frame = classic("verbagg")
    x = np.column_stack([_dummies(frame["btype"]), _dummies(frame["situ"]), frame["Anger"]])
    return _of("binomial", frame["r2"] == "Y", np.ones(len(frame)), x, frame[group])


def grouse_ticks(group: str) -> CountedRows:
    """Ticks on chicks of a brood (`BROOD`), at a location (`LOCATION`), by height and year."""
    frame = classic("grouseticks")
    x = np.column_stack([frame["cHEIGHT"], _dummies(frame["YEAR"])])
    return _of("poisson", frame["TICKS"], np.ones(len(frame)), x, frame[group])


def fruits() -> CountedRows:
    """Fruits of plants of a genotype, by nutrient and clipping: counts up to some hundreds."""
    frame = classic("arabidopsis")
    x = np.column_stack([frame["nutrient"], frame["amd"] == "clipped"])
    return _of("poisson", frame["total_fruits"], np.ones(len(frame)), x, frame["gen"])


def _dummies(column: pd.Series) -> Floats:
    return pd.get_dummies(column.astype(str), drop_first=True).to_numpy(float)


def _of(family: Family, events: pd.Series, size: Sequence[float], x: np.ndarray, group: pd.Series) -> CountedRows:
    index = np.unique(group.astype(str), return_inverse=True)[1].astype(np.int64)
    sizes, predictors = np.asarray(size, dtype=float), np.asarray(x, dtype=float)
    return CountedRows(family, events.to_numpy(float), sizes, predictors, index)
