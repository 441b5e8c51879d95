"""Nearly collinear predictors: how close they are, the effect of each without the others, and that of all together.

Belsley, Kuh & Welsch (1980), Regression Diagnostics: a condition number of the scaled predictors above 30
makes their separate effects hard to estimate. The root of a variance inflation factor says how many times wider an
effect's interval is than it would be if the predictor were uncorrelated with the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.intervals import root_or_nan
from tasks.stats.fits.reml import fit, mixed_model
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, Scaling

LARGEST_CONDITION, LARGEST_VIF = 30.0, 10.0
# The SD that the other predictors leave of one, as a share of its own SD: below this, no effect can be estimated.
LEAST_OF_ITS_OWN = 1e-4
# A predictor belongs to the almost constant combination if its weight is above this share of the largest weight.
PART = 0.1


@dataclass(frozen=True)
class Collinearity:
    """The nearly collinear predictors, by position among the terms, and each one's effect without the others."""

    columns: tuple[int, ...]
    condition_number: float
    vif: float  # the largest
    correlation: float  # of the two predictors; NaN if there are more
    alone: Floats  # (columns,) per SD of the predictor, from the varying-intercept model
    alone_se: Floats
    joint_signs: tuple[int, ...]  # (columns,) 1 or -1: how they move when they move together
    joint: float  # effect of all moving together by one SD each, from the varying-intercept model
    joint_se: float

    @property
    def is_close(self) -> bool:
        """Whether the effects of these predictors cannot be told apart; other effects may still be clear."""
        return self.condition_number > LARGEST_CONDITION


@dataclass(frozen=True)
class Relation:
    """In raw units: term = constant + slopes @ others, with a residual SD of `residual`."""

    term: str
    others: tuple[str, ...]
    slopes: Floats
    constant: float
    residual: float
    is_exact: bool  # as far as sums in double precision can tell


def collinearity(products: ModelCrossProducts) -> Collinearity | None:
    """The nearly collinear predictors; None if all can be told apart well enough, or there are fewer than two."""
    if products.p < 3:
        return None
    correlation = _correlation(products)
    apart = _between_categories(correlation, products.categories)
    values = np.linalg.eigvalsh(apart)
    condition = float(np.sqrt(values[-1] / max(float(values[0]), 1e-300)))
    vif = float(np.max(np.diag(np.linalg.pinv(apart, hermitian=True))))
    if condition <= LARGEST_CONDITION and vif <= LARGEST_VIF:
        return None
    columns = _almost_constant(apart)
    alone = np.array([_alone(products, k, columns) for k in columns])
    pair = float(correlation[columns[0] - 1, columns[1] - 1]) if len(columns) == 2 else np.nan
    signs = _together(correlation, columns)
    return Collinearity(
        columns, condition, vif, pair, alone[:, 0], alone[:, 1], signs, *_joint(products, columns, signs)
    )


def hopeless_relation(products: ModelCrossProducts, scaling: Scaling) -> Relation | None:
    """How one predictor follows from the others, if they determine it almost wholly; else None."""
    if products.p < 3:
        return None
    correlation = _correlation(products)
    own = np.sqrt(2.0 * max(np.linalg.eigvalsh(correlation)[0], 0.0))
    return _relation(correlation, scaling) if own < LEAST_OF_ITS_OWN else None


def _correlation(products: ModelCrossProducts) -> Floats:
    """(p - 1, p - 1) of the predictors, over all rows."""
    xtx = products.xtx.sum(axis=0)[1:, 1:]
    sd = np.sqrt(np.diag(xtx))
    return xtx / np.outer(sd, sd)


def _between_categories(correlation: Floats, categories: Sequence[tuple[int, ...]]) -> Floats:
    """The same with each category's columns made uncorrelated among themselves, so that what is left is between
    predictors: levels of one category repeat one another wherever the reference has few rows (generalised variance
    inflation: Fox & Monette 1992, J. Am. Stat. Assoc. 87).
    """
    basis = np.eye(len(correlation))
    for category in categories:
        at = np.ix_([k - 1 for k in category], [k - 1 for k in category])
        values, vectors = np.linalg.eigh(correlation[at])
        basis[at] = vectors / np.sqrt(np.maximum(values, 1e-12)) @ vectors.T
    return np.asarray(basis @ correlation @ basis)


def _almost_constant(correlation: Floats) -> tuple[int, ...]:
    """Columns with a noticeable weight in the combination of scaled predictors that varies least."""
    weights = np.abs(np.linalg.eigh(correlation)[1][:, 0])
    return tuple(int(k) + 1 for k in np.flatnonzero(weights > PART * weights.max()))


def _together(correlation: Floats, columns: tuple[int, ...]) -> tuple[int, ...]:
    """Signs of the combination that varies most, the first predictor's being 1."""
    at = [k - 1 for k in columns]
    most = np.linalg.eigh(correlation[np.ix_(at, at)])[1][:, -1]
    return tuple(1 if weight * most[0] >= 0 else -1 for weight in most)


def _joint(products: ModelCrossProducts, columns: tuple[int, ...], signs: tuple[int, ...]) -> tuple[float, float]:
    best = fit(mixed_model(products, (0,))).profile
    move = np.zeros(products.p)
    move[list(columns)] = signs
    return float(move @ best.fixef), float(best.sigma * root_or_nan(move @ best.unscaled_cov @ move))


def _alone(products: ModelCrossProducts, column: int, together: tuple[int, ...]) -> tuple[float, float]:
    kept = [k for k in range(products.p) if k == column or k not in together]
    at = [*kept, products.p]
    fewer = replace(products, terms=tuple(products.terms[k] for k in kept), gram=products.gram[:, at][:, :, at])
    best, position = fit(mixed_model(fewer, (0,))).profile, kept.index(column)
    return float(best.fixef[position]), float(best.sigma * root_or_nan(best.unscaled_cov[position, position]))


def _relation(correlation: Floats, scaling: Scaling) -> Relation:
    *others, k = (column - 1 for column in _almost_constant(correlation))
    scaled = np.linalg.lstsq(correlation[np.ix_(others, others)], correlation[others, k], rcond=None)[0]
    own = np.sqrt(max(1.0 - float(scaled @ correlation[others, k]), 0.0))
    slopes = scaled * scaling.scale[k] / scaling.scale[others]
    return Relation(
        scaling.predictors[k],
        tuple(scaling.predictors[other] for other in others),
        slopes,
        float(scaling.center[k] - slopes @ scaling.center[others]),
        float(own * scaling.scale[k]),
        bool(own < 1e-7),
    )


def judge_collinearity(close: Collinearity | None, scaling: Scaling | None) -> tuple[Judgement, ...]:
    """One judgement; none if there are fewer than two predictors, or they were not looked at."""
    if scaling is None or len(scaling.predictors) < 2:
        return ()
    if close is None:
        return (Judgement("collinearity", "pass", "apart", limit=LARGEST_VIF),)
    case = "close" if close.is_close else "wide"
    return (Judgement("collinearity", "review", case, value=close.vif, limit=LARGEST_VIF),)
