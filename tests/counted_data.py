"""Counted outcomes of the tests: lme4's cattle and grouse, and simulations whose truth is known."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import mixedlm
import numpy as np
import pandas as pd

from tasks.stats.counted.links import mean_of
from tasks.stats.fits.cells import Cells, Family, cells_of


def counted(
    family: Family,
    events: Sequence[float] | np.ndarray,
    size: Sequence[float] | np.ndarray | None = None,
    group: Sequence[object] | np.ndarray | None = None,
    x: np.ndarray | None = None,
) -> Cells:
    """Cells of rows: sizes of 1 and one group, unless given; `x` (N, p - 1) or (N,)."""
    events = np.asarray(events, dtype=float)
    n = events.size
    labels, index = np.unique(np.zeros(n) if group is None else np.asarray(group), return_inverse=True)
    values = np.empty((n, 0)) if x is None else np.asarray(x, dtype=float).reshape(n, -1)
    terms = ("intercept", *(f"x{k + 1}" for k in range(values.shape[1])))
    sizes = np.ones(n) if size is None else np.asarray(size, dtype=float)
    return cells_of(family, events, sizes, values, index.astype(np.int64), [str(label) for label in labels], terms)


def _loaded(load: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Reading warns of what pandas means to drop; tests here let no warning of ours pass."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load()


def cattle() -> Cells:
    """lme4's cbpp: new cases of contagious bovine pleuropneumonia in 15 herds, by period (as a number)."""
    frame = _loaded(mixedlm.load_cbpp)
    period = frame["period"].astype(float).to_numpy()
    return counted("binomial", frame["incidence"], frame["size"], frame["herd"].astype(str).to_numpy(), period)


def grouse() -> Cells:
    """lme4's grouseticks: ticks on 403 grouse chicks at 63 locations, by height and by whether the year is 1997."""
    frame = _loaded(mixedlm.load_grouseticks)
    late = (frame["YEAR"].astype(str) == "97").to_numpy(float)
    return counted(
        "poisson",
        frame["TICKS"],
        None,
        frame["LOCATION"].astype(str).to_numpy(),
        np.column_stack([frame["HEIGHT"].to_numpy(float), late]),
    )


def simulated_counts(
    family: Family,
    seed: int,
    rows: Sequence[int],
    beta: Sequence[float],
    tau: float = 0.0,
    size: tuple[int, int] = (1, 6),
) -> Cells:
    """Rows in len(rows) groups, with intercepts of SD `tau`; predictors are rounded normal, so that cells add up."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(rows)), rows)
    x = np.round(rng.standard_normal((group.size, len(beta) - 1)), 1)
    sizes = rng.integers(*size, group.size).astype(float)
    effect = tau * rng.standard_normal(len(rows))
    mean = mean_of(family, beta[0] + x @ np.asarray(beta[1:]) + effect[group])
    events = rng.binomial(sizes.astype(int), mean) if family == "binomial" else rng.poisson(sizes * mean)
    return counted(family, events, sizes, group, x)
