"""Does a counted outcome's model lack a term on the link scale: group size, a predictor's group mean, a curve?

The twin of `tasks.stats.judged.missing_terms`, with its record, its limits and its judgements. Each term is added to
the fullest fit in turn, by a rule with fewer points than the fit's own, and tested by the likelihood ratio: Wald's test
loses power where effects are large (Hauck & Donner 1977, *JASA* 72). Group-level terms are tested on the t distribution
with as many degrees of freedom as groups less two, by the ratio's signed root, as variances are estimated from them:
what rows vary more than their family says is in these. A curve's ratio is divided by the dispersion of the cells that
bear on it, if above 1.
What a curve explains is a share of the variance of the study's rows, 1 - exp(-LR / N), in a linear model the share of
the residual variance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from tasks.stats.counted.added_terms import counted_model, group_sizes, own_model
from tasks.stats.counted.group_estimates import group_estimates
from tasks.stats.counted.left_out import effect_variance, linear_predictor
from tasks.stats.counted.links import mean_of, variance_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.partial_pooling import CountedPartialPooling, partial_pooling_of
from tasks.stats.counted.predictors import centre_scaled
from tasks.stats.fits.cells import Cells
from tasks.stats.fits.intervals import Z_95
from tasks.stats.fits.mean_structure import Added
from tasks.stats.fits.pooling import has_full_rank
from tasks.stats.judged.implied_coverage import by_normal
from tasks.stats.judged.missing_terms import CHANCE, FEWEST_GROUPS, LEAST_SHARE, MissingTerm
from tasks.stats.records import Floats
from tasks.stats.side_by_side import side_by_side

POINTS = {1: 9, 2: 5}  # per varying effect, of the tests
POINTS_OF_MANY, MANY = 5, 20.0  # where levels alone vary, and groups have so many events, and of trials others, each
FEWEST_DF = 10  # of a dispersion


def missing_terms(model: CountedModel, fullest: CountedPartialPooling, span_limit: float) -> tuple[MissingTerm, ...]:
    """Every term that the data can tell, tested against the plain `model`, of the study's own terms.

    Size comes first; where it is missing, the others are tested beside it: cases may go with size, and their means
    would only repeat it. None without a maximum of the plain likelihood; a term that gives it none is left out.
    """
    if not fullest.is_converged:
        return ()
    plain = near(model, fullest)
    beside, candidates = _beside(model, plain, plain), [*_candidates(model.cells, model)]
    size = next((_tested(beside, added, span_limit) for added in candidates if added.kind == "size"), None)
    if size is not None and size.is_missing:
        wide = _with(model, (size.added,))
        beside = _beside(wide, near(wide, plain), plain)
    with side_by_side(model.cells.events.size) as start:
        others = [start(_tested, beside, added, span_limit) for added in candidates if added.kind != "size"]
    return tuple(one for one in (size, *(other.result() for other in others)) if one is not None)


@dataclass(frozen=True)
class _Beside:
    """The model beside which a term is tested, and its fit."""

    model: CountedModel
    fit: CountedPartialPooling
    plain: CountedPartialPooling  # of the study's own terms: what fits with further terms are searched from
    levels: CountedPartialPooling  # whose levels alone vary
    coef: Floats  # (J, p)
    se: Floats  # (J, p)


def _beside(model: CountedModel, fit: CountedPartialPooling, plain: CountedPartialPooling) -> _Beside:
    levels = near(_levels(model), plain) if model.varying != (0,) else fit
    return _Beside(model, fit, plain, levels, *group_estimates(model, fit))


def with_missing(model: CountedModel, found: Sequence[MissingTerm]) -> CountedModel:
    """The plain model with the terms that are missing, without those at the end that data cannot tell from others."""
    added = tuple(one.added for one in found if one.is_missing)
    while not is_estimable(wide := _with(model, added)):
        added = added[:-1]
    return wide


def is_estimable(model: CountedModel) -> bool:
    """Whether the data can tell all terms apart."""
    x = model.design
    return bool(has_full_rank((x.T @ (x * model.cells.n_rows[:, None]))[None])[0])


def near(model: CountedModel, start: CountedPartialPooling) -> CountedPartialPooling:
    """The fit of a model by the tests' rule, searched for near another fit, of the same varying effects or not."""
    of_same = start if start.varying == model.varying else None
    return partial_pooling_of(model, start.flavour, start=of_same, points=_points(model))


def _points(model: CountedModel) -> int | None:
    cells = model.cells
    rarer = cells.events if cells.family == "poisson" else np.minimum(cells.events, cells.size - cells.events)
    has_many = len(model.varying) == 1 and rarer.sum() >= MANY * cells.n_groups
    return POINTS_OF_MANY if has_many else POINTS.get(len(model.varying))


def _levels(model: CountedModel) -> CountedModel:
    return CountedModel(model.cells, model.scaling, (0,), model.added)


def _with(model: CountedModel, added: Sequence[Added]) -> CountedModel:
    return counted_model(model.cells, model.scaling, model.varying, added)


def _candidates(cells: Cells, model: CountedModel) -> Iterator[Added]:
    sizes, x = group_sizes(cells), centre_scaled(cells, model.scaling)[:, 1:]
    n_groups, some = int((sizes > 0).sum()), np.where(sizes > 0, sizes, 1.0)
    if n_groups >= FEWEST_GROUPS and sizes[sizes > 0].min() < sizes.max():
        yield Added("size")
    for k, column in enumerate(x.T, start=1):
        about = column - (cells.of_groups(cells.size * column) / some)[cells.group_index]
        within, total = float(cells.size @ about**2), float(cells.size @ (column - _mean(cells, column)) ** 2)
        is_inside, is_between = within > LEAST_SHARE * total, total - within > LEAST_SHARE * total
        if is_inside and is_between and n_groups >= FEWEST_GROUPS:
            yield Added("context", k)
        if is_inside and np.unique(column).size > 2:
            yield Added("curve", k)


def _mean(cells: Cells, column: Floats) -> float:
    return float(cells.size @ column / cells.size.sum())


def _tested(beside: _Beside, added: Added, span_limit: float) -> MissingTerm | None:
    model, before = beside.model, beside.fit
    wide = _with(own_model(model), (*model.added, added))
    if not is_estimable(wide) or not (fit := near(wide, beside.plain)).is_converged:
        return None
    sizes = group_sizes(model.cells)
    df = float((sizes > 0).sum() - 2) if added.kind != "curve" else np.inf
    gain = (fit.log_lik - before.log_lik) / (_dispersion(wide, fit) if added.kind == "curve" else 1.0)
    p_value = _p_value(gain, df)
    if added.kind == "size" and beside.levels is not before and p_value < CHANCE:
        p_value = max(p_value, _p_value(near(_levels(wide), beside.plain).log_lik - beside.levels.log_lik, df))
    coef, se = group_estimates(wide, fit)
    half = Z_95 * beside.se
    moved = (np.abs(coef - beside.coef) >= half / 2.0) & (half > 0)
    at = wide.n_own + wide.added.index(added)
    per_unit = float(fit.fixef[at])
    return MissingTerm(
        added,
        per_unit,
        float(fit.se[at]),
        df,
        p_value,
        float(moved.any(axis=1).mean()),
        by_normal(beside.coef - half, beside.coef + half, coef, se, sizes),
        -float(np.expm1(-2.0 * max(fit.log_lik - before.log_lik, 0.0) / model.cells.n_rows.sum())),
        _span(beside.coef[:, 0], sizes, per_unit) if added.kind == "size" else 0.0,
        span_limit,
    )


def _dispersion(model: CountedModel, fit: CountedPartialPooling) -> float:
    """How far the last coefficient's variance is that of the cells as they vary, by what the family says; 1 or more.

    Of what is left of its column given the others (White 1980, *Econometrica* 48), and 1 where cells are few.
    """
    cells, x = model.cells, model.design
    rate = mean_of(cells.family, linear_predictor(model, fit))
    weight, residual = cells.size * variance_of(cells.family, rate), cells.events - cells.size * rate
    df = cells.events.size - float(np.minimum(weight * effect_variance(model, fit), 1.0).sum()) - x.shape[1]
    if df < FEWEST_DF:
        return 1.0
    root = np.sqrt(weight)[:, None]
    own = x[:, -1] - x[:, :-1] @ np.linalg.lstsq(x[:, :-1] * root, x[:, -1] * root[:, 0], rcond=None)[0]
    ratio = float((own**2 * residual**2).sum() / (own**2 * weight).sum())
    return max(ratio * cells.events.size / df, 1.0)


def _p_value(gain: float, df: float) -> float:
    """Of a gain in the log likelihood by one term, two-sided."""
    return float(2.0 * stdtr(df, -np.sqrt(2.0 * max(gain, 0.0))))


def _span(level: Floats, sizes: Floats, per_doubling: float) -> float:
    small, large = np.quantile(sizes[sizes > 0], [0.1, 0.9])
    group_sd = float(np.std(level))
    return float(abs(per_doubling) * np.log2(large / small) / group_sd) if group_sd > 0 else np.inf
