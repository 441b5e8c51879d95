"""How well the model that answers what was found predicts, beside the plain Bayesian one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.bayes.answer import AnswerModel
from tasks.stats.bayes.loo import loo
from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.fits.mean_structure import with_terms
from tasks.stats.records import Floats, GroupedData, LooResult, PosteriorDraws, Scaling


@dataclass(frozen=True)
class AnswerScores:
    rmse: float  # over the rows at hand, which it was fitted to
    loo: LooResult | None  # None where rows follow one another: no row can be told by itself
    difference: float  # expected log predictive density, less the plain model's, over all N rows; NaN without `loo`
    difference_se: float  # from paired rows

    @property
    def is_clear(self) -> bool:
        return abs(self.difference) > 2.0 * self.difference_se


def answer_scores(
    data: GroupedData,
    n_rows: int,
    scaling: Scaling,
    model: AnswerModel,
    draws: PosteriorDraws,
    plain: LooResult,
    pareto_k: float | None,
    seed: int,
) -> AnswerScores:
    """`data` are all `n_rows` rows or a sample; `plain` is the plain model's score."""
    wide, wide_scaling = with_terms(data, scaling, model.structure)
    rmse = _rmse(wide, wide_scaling, draws.group_coef.mean(axis=(0, 1)))
    if model.answer.serial:
        return AnswerScores(rmse, None, np.nan, np.nan)
    found = loo(wide, model.structure.products, model.varying, draws, wide_scaling, pareto_k, seed)
    better = found.pointwise - plain.pointwise
    difference, se = n_rows * better.mean(), n_rows * better.std(ddof=1) / np.sqrt(better.size)
    return AnswerScores(rmse, found, float(difference), float(se))


def _rmse(data: GroupedData, scaling: Scaling, coef: Floats) -> float:
    expected = (design_matrix(data, scaling) * coef[data.group_index]).sum(axis=1)
    return float(np.sqrt(((data.y - expected) ** 2).mean()))
