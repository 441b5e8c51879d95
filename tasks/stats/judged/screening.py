"""What is wrong with the plain model of the study, and which model answers it.

Every check here is made on REML fits, before anything is sampled, and in an order: first what the mean lacks, then, of
the residuals that remain, whether rows follow one another, scatter alike in all groups, and have a normal's tails;
last, whether groups are one normal population.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.stats.bayes.answer import Answer
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.mean_structure import Fitted, mean_structure, refit
from tasks.stats.judged.assumptions import Assumptions, assumptions
from tasks.stats.judged.effect_shape import EffectShape, effect_shapes, judge_effect_shapes
from tasks.stats.judged.mean_spread import MeanSpread, judge_mean_spread, mean_spread
from tasks.stats.judged.missing_terms import MissingTerm, judge_missing, missing_terms, with_missing
from tasks.stats.judged.outcome_kind import OutcomeKind, judge_outcome_kind, outcome_kind
from tasks.stats.judged.row_shape import RowShape, judge_row_shape, row_shape
from tasks.stats.judged.serial import Serial, judge_serial, serial
from tasks.stats.judgement import Judgement
from tasks.stats.records import GroupedData, PartialPooling, Scaling
from tasks.study.settings import Thresholds


@dataclass(frozen=True)
class Screening:
    """The checks, the model that answers them, and its REML fit: the plain one where nothing was found."""

    outcome: OutcomeKind
    missing: tuple[MissingTerm, ...]
    serial: Serial
    assumptions: Assumptions
    mean_spread: MeanSpread
    shape: RowShape
    effects: tuple[EffectShape, ...]  # of the groups, by the answer's fit
    answer: Answer
    fit: Fitted  # with the answer's terms; its rows follow one another as in the answer

    @property
    def size(self) -> MissingTerm | None:
        return next((one for one in self.missing if one.added.kind == "size"), None)

    @property
    def is_hopeless(self) -> bool:
        """Whether no model here can answer what was found."""
        is_another_kind = self.outcome.kind != "measured" or self.mean_spread.evenness.is_lacking
        return is_another_kind or self.serial.strength == "strong" or not self.answer.is_possible


def screen(
    data: GroupedData,
    products: ModelCrossProducts,
    scaling: Scaling,
    fullest: PartialPooling,
    limits: Thresholds,
    seed: int,
    *,
    order_is_named: bool = False,
) -> Screening:
    """`data` are all rows or a sample of them, `fullest` the REML fit with all of the study's varying terms."""
    missing = missing_terms(products, fullest, limits.size_trend)
    fit = with_missing(products, fullest.varying, missing)
    following = serial(products, fit, is_named=order_is_named)
    spread = assumptions(data, fit, scaling, limits)
    shape = row_shape(data, fit, scaling, seed)
    is_skewed = shape.shape == "skewed" and shape.skewness > 0
    by_mean = mean_spread(data, fit, scaling, is_skewed=is_skewed)
    answer = Answer(
        fit.structure.added,
        spread.is_unequal,
        shape.shape == "heavy",
        following.correlation if following.strength == "some" else 0.0,
    )
    if answer.serial:
        fit = refit(mean_structure(products, answer.added, answer.serial), fullest.varying)
    effects = effect_shapes(fit, seed)
    return Screening(outcome_kind(data), missing, following, spread, by_mean, shape, effects, answer, fit)


def judge_screening(found: Screening, terms: tuple[str, ...]) -> tuple[Judgement, ...]:
    """All judgements but those of size and of spread, which stand with their own analyses."""
    return (
        *judge_outcome_kind(found.outcome),
        *judge_missing(found.missing, terms),
        *judge_serial(found.serial),
        *judge_mean_spread(found.mean_spread),
        *judge_row_shape(found.shape),
        *judge_effect_shapes(found.effects),
    )
