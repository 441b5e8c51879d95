"""How rows scatter about their group's expectation: as a normal, with heavy tails, or to one side?

Residuals are standardised within their group if it has at least FEWEST_ROWS rows, else by the SD that the model
expects. Mean cube and fourth power are compared with those of normal rows treated alike, by simulation, because
standardising few rows by their own SD draws both towards 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tasks.stats.fits.mean_structure import Fitted
from tasks.stats.judged.assumptions import FEWEST_ROWS, expected_sd, fitted_and_residual
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, GroupedData, Integers, Scaling

REPLICATES = 399
ROWS_LIMIT = 20_000
VALUES_LIMIT = 4_000_000
CHANCE = 0.01
HEAVY = 1.5  # excess kurtosis that matters
SKEWED = 0.7  # skewness that matters


@dataclass(frozen=True)
class RowShape:
    """Beyond what normal rows show when treated alike."""

    skewness: float
    kurtosis: float  # excess over 3
    skewness_p: float
    kurtosis_p: float  # one-sided
    n_rows_used: int

    @property
    def shape(self) -> Literal["normal", "heavy", "skewed"]:
        if self.skewness_p < CHANCE and abs(self.skewness) >= SKEWED and self.is_lopsided:
            return "skewed"
        return "heavy" if self.kurtosis_p < CHANCE and self.kurtosis >= HEAVY else "normal"

    @property
    def is_lopsided(self) -> bool:
        """Skewed beyond what a few far rows of heavy, symmetric tails bring about."""
        return self.skewness**2 > 0.35 * max(self.kurtosis, 0.0)


def row_shape(data: GroupedData, fit: Fitted, scaling: Scaling, seed: int) -> RowShape:
    """`data` are all rows or a sample; at most ROWS_LIMIT of them are used, drawn at random."""
    rng = np.random.default_rng([seed, 11])
    rows = np.arange(data.n_rows)
    if rows.size > ROWS_LIMIT:
        rows = np.sort(rng.choice(rows, ROWS_LIMIT, replace=False))
    residual = (fitted_and_residual(data, fit, scaling)[1] / expected_sd(data, fit, scaling))[rows]
    _, index = np.unique(data.group_index[rows], return_inverse=True)
    order = np.argsort(index, kind="stable")
    sizes = np.bincount(index)
    observed = _moments(residual[order][None], sizes)[0]
    n_replicates = int(np.clip(VALUES_LIMIT // rows.size, 199, REPLICATES))
    null = np.array([_moments(rng.standard_normal((1, rows.size)), sizes)[0] for _ in range(n_replicates)])
    beyond = np.array([np.abs(null[:, 0]) >= abs(observed[0]), null[:, 1] >= observed[1]]).sum(axis=1)
    p_values = (beyond + 1.0) / (n_replicates + 1.0)
    excess = observed - null.mean(axis=0)
    return RowShape(float(excess[0]), float(excess[1]), float(p_values[0]), float(p_values[1]), rows.size)


def _moments(rows: Floats, sizes: Integers) -> Floats:
    """(R, 2) mean cube and mean fourth power of rows (R, N), which stand group by group."""
    starts = np.cumsum(sizes) - sizes
    mean = np.add.reduceat(rows, starts, axis=1) / sizes
    centred = rows - np.repeat(mean, sizes, axis=1)
    variance = np.add.reduceat(centred**2, starts, axis=1) / sizes
    own = (sizes >= FEWEST_ROWS) & (variance > 0)
    z = np.where(
        np.repeat(own, sizes, axis=1), centred / np.repeat(np.sqrt(np.where(own, variance, 1.0)), sizes, axis=1), rows
    )
    return np.stack([(z**3).mean(axis=1), (z**4).mean(axis=1)], axis=1)


def judge_row_shape(found: RowShape) -> tuple[Judgement, ...]:
    kind = "row_shape"
    if found.shape == "skewed":
        return (Judgement(kind, "review", "skewed", value=found.skewness, limit=SKEWED),)
    if found.shape == "heavy":
        return (Judgement(kind, "review", "heavy", value=found.kurtosis, limit=HEAVY, against="partial_pooling"),)
    return (Judgement(kind, "pass", "normal", value=found.kurtosis, limit=HEAVY),)
