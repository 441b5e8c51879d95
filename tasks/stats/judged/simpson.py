"""Simpson's check: does the line through all rows answer the question asked within groups?

The within-between (Mundlak 1978) decomposition: each predictor's group means enter the varying-intercept
model beside the predictor itself. The predictor's coefficient is then the within-group slope, and that
of its group means the contextual effect, between-group less within-group slope. Where the contextual
effect is not 0, partial pooling of the plain model is biased too.

The slope over all rows is a blend of the two. It misleads only if they differ in truth, and the line through all rows
is taken to say something else than the one within groups: another sign, or a slope where the other shows none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from tasks.stats.fits.cross_products import ModelCrossProducts, with_group_columns
from tasks.stats.fits.intervals import Z_95, root_or_nan
from tasks.stats.fits.pooling import has_full_rank
from tasks.stats.fits.reml import fit, mixed_model
from tasks.stats.judged.missing_terms import MissingTerm
from tasks.stats.judgement import Judgement
from tasks.stats.records import CompletePooling, Floats, SimpsonCheck
from tasks.stats.rows.collinearity import Collinearity

# Share of a predictor's variance that must lie between (or within) groups for that slope to exist.
SMALLEST_SHARE = 1e-8


ROUNDING = 10.0 * np.finfo(float).eps  # of a sum of squares, relative


def simpson_checks(
    products: ModelCrossProducts, complete: CompletePooling, missing: Sequence[MissingTerm] = ()
) -> tuple[SimpsonCheck, ...]:
    """One check per predictor; NaN where a predictor does not vary between, or within, groups.

    Groups that are too few or too alike to tell the predictors' means apart give no between-group slope;
    the within-group slope is then the plain varying-intercept model's. A contextual effect that has been tested in the
    fullest model is taken from there: it is one number in the report.
    """
    between = _varies_between(products)
    extended = _with_group_means(products, between)
    estimate, cov = _varying_intercept_fit(extended)
    position = {k: products.p + i for i, k in enumerate(between)} if extended is not products else {}
    within = set(_varies_within(products))
    df = max(len(products.labels) - 1 - len(between), 1)
    tested = {one.added.column: (one.coef, one.half_width) for one in missing if one.added.kind == "context"}
    return tuple(
        _check(products.terms[k], k, position.get(k), k in within, estimate, cov, complete, df, tested.get(k))
        for k in range(1, products.p)
    )


def _with_group_means(products: ModelCrossProducts, between: tuple[int, ...]) -> ModelCrossProducts:
    """`products` with the predictors' group means added; unchanged if the slopes could then not be told apart."""
    if not between or len(products.labels) <= 1 + len(between):
        return products
    names = tuple(f"{products.terms[k]}, group mean" for k in between)
    means = products.gram[:, 0, list(between)] / np.maximum(products.n, 1.0)[:, None]
    extended = with_group_columns(products, names, means)
    return extended if has_full_rank(extended.xtx.sum(axis=0)[None])[0] else products


def _varying_intercept_fit(products: ModelCrossProducts) -> tuple[Floats, Floats]:
    """Fixed effects (p,) and their covariance; NaN where rounding in the sums exceeds what they tell of an effect."""
    model = mixed_model(products, (0,))
    at = fit(model).profile
    rounding = ROUNDING * np.diag(model.wtw)[:-1]
    is_lost = rounding * np.abs(np.diag(at.unscaled_cov)) > 1.0
    return at.fixef, np.where(is_lost | is_lost[:, None], np.nan, at.sigma**2 * at.unscaled_cov)


def _shares(products: ModelCrossProducts) -> tuple[Floats, Floats]:
    """Between-group and within-group share of each predictor's sum of squares, (p - 1,) each."""
    total = np.diagonal(products.xtx.sum(axis=0))[1:]
    means = products.gram[:, 0, 1:-1] / np.maximum(products.n, 1.0)[:, None]
    between = (products.n[:, None] * means**2).sum(axis=0)
    return between / total, 1.0 - between / total


def _varies_between(products: ModelCrossProducts) -> tuple[int, ...]:
    """Positions of predictors that vary both between and within groups: only these have two slopes."""
    between, within = _shares(products)
    return tuple(int(k) + 1 for k in np.flatnonzero((between > SMALLEST_SHARE) & (within > SMALLEST_SHARE)))


def _varies_within(products: ModelCrossProducts) -> tuple[int, ...]:
    return tuple(int(k) + 1 for k in np.flatnonzero(_shares(products)[1] > SMALLEST_SHARE))


def _check(
    term: str,
    k: int,
    mean_at: int | None,
    varies_within: bool,
    estimate: Floats,
    cov: Floats,
    complete: CompletePooling,
    df: int,
    tested: tuple[float, float] | None,
) -> SimpsonCheck:
    within, within_se = (estimate[k], float(root_or_nan(cov[k, k]))) if varies_within else (np.nan, np.nan)
    contextual = contextual_se = between_se = np.nan
    if mean_at is not None:
        contextual, contextual_se = estimate[mean_at], float(root_or_nan(cov[mean_at, mean_at]))
        between_se = float(root_or_nan(cov[k, k] + cov[mean_at, mean_at] + 2.0 * cov[k, mean_at]))
    half = stdtrit(df, 0.975) * contextual_se
    if mean_at is not None and tested is not None:
        contextual, half = tested
    pooled, pooled_se = complete.coef[k], complete.se[k]
    apart = abs(pooled - within) > Z_95 * within_se
    # With no slope between groups only the two slopes can tell. A margin lost in rounding tells nothing.
    differs = apart and (np.isnan(contextual) or abs(contextual) > half)
    signs = _sign(pooled, pooled_se), _sign(within, within_se)
    return SimpsonCheck(
        term=term,
        complete=float(pooled),
        complete_se=float(pooled_se),
        complete_robust_se=float(complete.robust_se[k]),
        within=float(within),
        within_se=float(within_se),
        between=float(within + contextual),
        between_se=float(between_se),
        contextual=float(contextual),
        contextual_lower=float(contextual - half),
        contextual_upper=float(contextual + half),
        is_blend=bool(apart),
        is_misleading=bool(differs and signs[0] != signs[1]),
        is_reversed=bool(differs and signs[0] * signs[1] < 0),
    )


def _sign(slope: float, se: float) -> int:
    """Of a slope whose 95 % interval excludes 0; else 0."""
    return int(np.sign(slope)) if abs(slope) > Z_95 * se else 0


def judge_simpson(found: tuple[SimpsonCheck, ...], close: Collinearity | None) -> tuple[Judgement, ...]:
    """One judgement per predictor, in order. Slopes of nearly collinear predictors cannot be compared."""
    together = close.columns if close is not None and close.is_close else ()
    return tuple(_judgement(check, k in together) for k, check in enumerate(found, start=1))


def _judgement(check: SimpsonCheck, is_close: bool) -> Judgement:
    kind, term = "simpson", check.term
    value, limit = check.complete, check.within
    if is_close:
        return Judgement(kind, "pass", "not comparable", term, value, limit)
    if np.isnan(check.within):
        return Judgement(kind, "pass", "not within", term)
    if check.is_reversed:
        return Judgement(kind, "fail", "reversed", term, value, limit)
    if check.is_misleading:
        return Judgement(kind, "review", "misleading", term, value, limit)
    return Judgement(kind, "pass", "blend" if check.is_blend else "agrees", term, value, limit)
