"""Do rows vary more than their family says, and have more of them no event than that explains?

Rows of 0 or 1 cannot vary in another way; their cells, of equal predictors in a group, can. The likelihood ratio of
beta-binomial or negative binomial rows decides, as Pearson's chi-squared is that of a fit which has followed the rows
(`tasks.stats.counted.dispersion`); its ratio stands beside it. Overdispersion matters where it makes what a group's
rows say a tenth less certain: 95 % intervals then cover 93.8 %. Zeros that overdispersion explains are no finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tasks.stats.counted.added_terms import with_cells
from tasks.stats.counted.cell_rows import some_cells
from tasks.stats.counted.dispersion import ReplicatedStatistic, overdispersion_and_zeros
from tasks.stats.counted.left_out import linear_predictor
from tasks.stats.counted.links import mean_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.overdispersed import inflation, simulated_rows, weight
from tasks.stats.counted.overdispersed_fit import OverdispersedFit, overdispersed_fit
from tasks.stats.counted.partial_pooling import CountedPartialPooling
from tasks.stats.fits.cells import Cells
from tasks.stats.judgement import Judgement
from tasks.stats.side_by_side import side_by_side

CHANCE = 0.01
HINTED = 0.05  # as by chance in one study of twenty
INFLATED = 1.1  # variance of what a group's rows say
ZEROS_SHARE = 0.01  # of the rows: zeros beyond those expected that matter
FEWEST_REPEATED = 20  # units beyond one per group, which alone cannot be told from group effects
MOST_ROWS = 10_000  # of the likelihood
POINTS = {1: 15, 2: 5}  # per varying effect
N_REPLICATES, FEWEST_REPLICATES = 400, 200
UNITS_SIMULATED = 40_000_000  # of replicates, if these are not the fewest

Unit = Literal["rows", "cells", "none"]


@dataclass(frozen=True)
class RowDispersion:
    """`unit` says what was looked at: "none" where neither rows nor cells can show it, and all else is None then."""

    unit: Unit
    n_used: int  # by the likelihood
    pearson: ReplicatedStatistic | None
    likelihood: OverdispersedFit | None
    inflation: float  # variance of what a group's units say, by what the family makes it

    @property
    def is_clear(self) -> bool:
        return self.likelihood is not None and self.likelihood.p_value < CHANCE

    @property
    def is_overdispersed(self) -> bool:
        """Clear, and large enough to matter."""
        return self.is_clear and self.inflation >= INFLATED


@dataclass(frozen=True)
class ExcessZeros:
    """Units without events, beside those of data simulated from the fit, and from its overdispersed kin."""

    n_units: int
    plain: ReplicatedStatistic
    overdispersed: ReplicatedStatistic | None  # None where there is no overdispersion

    @property
    def is_clear(self) -> bool:
        return _is_clear(self.plain, self.n_units)

    @property
    def is_inflated(self) -> bool:
        """Clear, and not explained by overdispersion."""
        return self.is_clear and (self.overdispersed is None or _is_clear(self.overdispersed, self.n_units))


def _is_clear(found: ReplicatedStatistic, n_units: int) -> bool:
    beyond = float(found.observed.mean() - found.replicated.mean())
    return found.p_value < CHANCE and beyond >= ZEROS_SHARE * n_units


def row_dispersion(
    model: CountedModel, rows: Cells, fit: CountedPartialPooling, seed: int
) -> tuple[RowDispersion, ExcessZeros | None]:
    """Of `rows`, all or some, each its own cell with the study's own predictors; `fit` is of `model`."""
    units, unit = with_cells(model, rows), "rows"
    if not _can_show(rows):
        units, unit = model, "cells"
    if not _can_show(units.cells) or not fit.is_converged:
        return RowDispersion("none", 0, None, None, 1.0), None
    mean = mean_of(units.cells.family, linear_predictor(units, fit))
    used = _some(units, seed)
    n_units = units.cells.events.size
    n_replicates = max(FEWEST_REPLICATES, min(N_REPLICATES, UNITS_SIMULATED // n_units))
    with side_by_side(n_units) as start:
        fitting = start(overdispersed_fit, used, fit, POINTS.get(len(model.varying)))
        pearson, zeros = overdispersion_and_zeros(units.cells, mean, seed, n_replicates)
    kin = fitting.result()
    found = RowDispersion(
        "rows" if unit == "rows" else "cells",
        used.cells.events.size,
        pearson,
        kin,
        _inflation(used, kin),
    )
    return found, _excess_zeros(units.cells, zeros, used, kin, seed)


def _can_show(units: Cells) -> bool:
    """Whether enough of the units could vary more than they do, beyond one per group."""
    able = units.size > 1.0 if units.family == "binomial" else np.ones(units.size.size, dtype=bool)
    per_group = np.bincount(units.group_index[able], minlength=units.n_groups)
    return bool(np.maximum(per_group - 1, 0).sum() >= FEWEST_REPEATED)


def _some(units: CountedModel, seed: int) -> CountedModel:
    n = units.cells.events.size
    if n <= MOST_ROWS:
        return units
    kept = np.sort(np.random.default_rng([seed, 21]).choice(n, MOST_ROWS, replace=False))
    own = len(units.cells.terms) - len(units.added)
    return with_cells(units, some_cells(units.cells, kept, own))


def _inflation(units: CountedModel, kin: OverdispersedFit) -> float:
    """What units of equal importance would say with and without: the ratio of the information."""
    cells, eta = units.cells, linear_predictor(units, kin)
    plain = weight(cells.family, cells.size, eta, 0.0)
    return float(
        plain.sum() / (plain / inflation(cells.family, cells.size, mean_of(cells.family, eta), kin.dispersion)).sum()
    )


def _excess_zeros(
    units: Cells, plain: ReplicatedStatistic, used: CountedModel, kin: OverdispersedFit, seed: int
) -> ExcessZeros:
    if kin.dispersion == 0.0:
        return ExcessZeros(units.events.size, plain, None)
    rng = np.random.default_rng([seed, 22])
    at, share = mean_of(units.family, linear_predictor(used, kin)), units.events.size / used.cells.events.size
    zeros = [
        share * float((simulated_rows(used.cells, at, kin.dispersion, rng) == 0).sum()) for _ in range(N_REPLICATES)
    ]
    observed = share * float((used.cells.events == 0).sum())
    return ExcessZeros(units.events.size, plain, ReplicatedStatistic(np.full(N_REPLICATES, observed), np.array(zeros)))


def judge_row_dispersion(found: RowDispersion) -> tuple[Judgement, ...]:
    kind = "overdispersion"
    if found.likelihood is None:
        return (Judgement(kind, "pass", "not told", limit=INFLATED),)
    if found.is_overdispersed:
        return (
            Judgement(kind, "review", found.unit, value=found.inflation, limit=INFLATED, against="partial_pooling"),
        )
    case = "little" if found.is_clear else "hinted" if found.likelihood.p_value < HINTED else "none"
    return (Judgement(kind, "pass", case, value=found.inflation, limit=INFLATED),)


def judge_excess_zeros(found: ExcessZeros | None) -> tuple[Judgement, ...]:
    """Nothing where zeros say nothing. No model here answers zeros that overdispersion does not explain."""
    kind = "zeros"
    if found is None:
        return ()
    if found.is_inflated:
        against = found.overdispersed or found.plain
        return (Judgement(kind, "fail", "inflated", value=against.ratio, limit=1.0, against="every model"),)
    return (Judgement(kind, "pass", "explained" if found.is_clear else "none", value=found.plain.ratio, limit=1.0),)
