"""What is wrong with the plain model of a counted outcome, and which model answers it.

The twin of `tasks.stats.judged.screening`, on quadrature fits: first what the mean lacks; then, with it, whether rows
vary more than their family says, have more zeros, or follow one another; whether groups are one normal population; and
whether what is predicted of rows and groups left out holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.added_terms import group_sizes, with_cells
from tasks.stats.counted.cell_rows import cells_of_rows
from tasks.stats.counted.group_shape import counted_effect_shapes
from tasks.stats.counted.left_out import left_out_rates
from tasks.stats.counted.missing_terms import missing_terms, with_missing
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.partial_pooling import CountedPartialPooling, partial_pooling_of
from tasks.stats.counted.predicted import CalibrationTable, calibration_table, randomised_pit
from tasks.stats.counted.row_dispersion import (
    ExcessZeros,
    RowDispersion,
    judge_excess_zeros,
    judge_row_dispersion,
    row_dispersion,
)
from tasks.stats.counted.row_order import judge_row_serial, row_serial
from tasks.stats.counted.size_calibration import SizeQuarter, calibration_by_size
from tasks.stats.fits.mean_structure import Added
from tasks.stats.judged.effect_shape import EffectShape, judge_effect_shapes
from tasks.stats.judged.missing_terms import MissingTerm, judge_missing
from tasks.stats.judged.pit import LooPit, judge_loo_pit, loo_pit
from tasks.stats.judged.serial import Serial
from tasks.stats.judged.size_trend import judge_size_trend
from tasks.stats.judgement import Judgement
from tasks.stats.records import GroupedData
from tasks.study.settings import Thresholds

MOST_RESIDUALS = 5_000  # rows whose residuals are compared with a uniform distribution


@dataclass(frozen=True)
class CountedAnswer:
    """What a model has that the plain Bayesian one has not."""

    added: tuple[Added, ...] = ()
    is_overdispersed: bool = False

    @property
    def is_needed(self) -> bool:
        return bool(self.added) or self.is_overdispersed

    @property
    def is_possible(self) -> bool:
        """Both programs take any terms, so that what was found separately can be answered together."""
        return True


@dataclass(frozen=True)
class CountedScreening:
    """The checks, the model that answers them, and the quadrature fit with the terms that are missing."""

    missing: tuple[MissingTerm, ...]
    dispersion: RowDispersion
    zeros: ExcessZeros | None  # None where they say nothing, as of rows of 0 or 1
    serial: Serial | None  # None of a sample of rows
    effects: tuple[EffectShape, ...]
    by_size: tuple[SizeQuarter, ...]  # of the plain fit
    by_size_answered: tuple[SizeQuarter, ...]  # with the missing terms
    calibration: CalibrationTable  # of rows left out in turn, with the missing terms
    residuals: LooPit | None  # quantile residuals of rows left out in turn; None of few rows
    answer: CountedAnswer
    model: CountedModel  # with the missing terms; overdispersed if the answer is, yet on cells
    fit: CountedPartialPooling  # with the missing terms

    @property
    def size(self) -> MissingTerm | None:
        return next((one for one in self.missing if one.added.kind == "size"), None)

    @property
    def is_hopeless(self) -> bool:
        """Whether no model here can answer what was found."""
        has_order = self.serial is not None and self.serial.strength in ("some", "strong")
        return has_order or (self.zeros is not None and self.zeros.is_inflated) or not self.answer.is_possible


def screen_counted(
    model: CountedModel,
    data: GroupedData,
    fullest: CountedPartialPooling,
    limits: Thresholds,
    seed: int,
    order_is_named: bool = False,
) -> CountedScreening:
    """`model` is the plain one, and `fullest` its fit; `data` are all rows, in the order that is named, or a sample.

    Sums of all rows decide what the mean lacks and what is said of groups; the rest is of `data`.
    """
    missing = missing_terms(model, fullest, limits.size_trend)
    wide = with_missing(model, missing)
    fit = partial_pooling_of(wide, fullest.flavour, limits.singular_tolerance, fullest) if wide.added else fullest
    rows = with_cells(wide, cells_of_rows(data, model.cells.family))
    dispersion, zeros = row_dispersion(wide, cells_of_rows(data, model.cells.family), fit, seed)
    is_all = data.n_rows == int(model.cells.n_rows.sum())
    rates = left_out_rates(rows, fit)
    return CountedScreening(
        missing=missing,
        dispersion=dispersion,
        zeros=zeros,
        serial=row_serial(rows, fit, seed, is_named=order_is_named) if is_all else None,
        effects=counted_effect_shapes(wide, fit, seed),
        by_size=(plain := calibration_by_size(model, fullest)),
        by_size_answered=calibration_by_size(wide, fit) if wide.added else plain,
        calibration=calibration_table(rows.cells, rates),
        residuals=_residuals(rows, rates, seed),
        answer=CountedAnswer(wide.added, dispersion.is_overdispersed),
        model=wide,
        fit=fit,
    )


def _residuals(rows: CountedModel, rates: np.ndarray, seed: int) -> LooPit | None:
    pit = randomised_pit(rows.cells, rates, seed)
    if pit.size > MOST_RESIDUALS:
        pit = np.random.default_rng([seed, 23]).choice(pit, MOST_RESIDUALS, replace=False)
    return loo_pit(pit, seed)


def judge_counted_screening(found: CountedScreening, terms: tuple[str, ...]) -> tuple[Judgement, ...]:
    """All judgements, that of size among them; `terms` are the study's own."""
    return (
        *judge_missing(found.missing, terms),
        *judge_size_trend(found.size, group_sizes(found.model.cells)),
        *judge_row_dispersion(found.dispersion),
        *judge_excess_zeros(found.zeros),
        *judge_row_serial(found.serial),
        *judge_effect_shapes(found.effects),
        *judge_calibration(found.calibration),
        *judge_loo_pit(found.residuals),
    )


def judge_calibration(found: CalibrationTable) -> tuple[Judgement, ...]:
    """Whether rates observed lie within the band about those predicted, which holds all bins at once with 95 %."""
    if found.is_inside:
        return (Judgement("calibration", "pass", "inside"),)
    return (Judgement("calibration", "review", "outside"),)
