"""Which slopes can vary by group at all: those of predictors that vary within groups.

A predictor of one value per group – a hospital's size, a county's rainfall – has no slope within any
group; if its slope varied, each group would get one from the prior alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tasks.stats.fits.cross_products import CrossProducts, ModelCrossProducts, centre_scaled, scaling_of
from tasks.stats.judgement import Judgement
from tasks.stats.records import Scaling
from tasks.stats.rows.left_over import within_groups
from tasks.study.model import Study

# Share of a predictor's sum of squares that must lie within groups; what rounding leaves is less.
LEAST_WITHIN = 1e-10


def with_usable_varying(study: Study, products: CrossProducts) -> Study:
    """The study, with slopes that cannot vary taken out of `varying`; `products` are of all its rows."""
    fixed = group_level(products) if study.varying else ()
    varying = tuple(name for name in study.varying if name not in fixed)
    return study if varying == study.varying else study.model_copy(update={"varying": varying})


def group_level(products: CrossProducts) -> tuple[str, ...]:
    """The predictors that have one value per group; empty if any predictor is constant over all rows."""
    scaling = with_spread(scaling_of(products))
    if not np.all(scaling.scale > 0):
        return ()
    return group_level_terms(centre_scaled(products, scaling))


def with_spread(scaling: Scaling) -> Scaling:
    """The scaling, by which an outcome that is the same in all rows, as events of various trials can be, is kept."""
    return scaling if scaling.outcome_scale > 0 else replace(scaling, outcome_scale=1.0)


def group_level_terms(products: ModelCrossProducts) -> tuple[str, ...]:
    within = np.diag(within_groups(products))[:-1]
    total = np.diag(products.gram.sum(axis=0))[1:-1]
    return tuple(
        name for name, own, all_ in zip(products.terms[1:], within, total, strict=True) if own <= LEAST_WITHIN * all_
    )


def judge_group_level(terms: Sequence[str], levels: Sequence[str] = ()) -> tuple[Judgement, ...]:
    """One judgement for each predictor with one value per group. It passes, as nothing needs to be done.

    None for `levels` of categories, whose effects do not vary unless a study asks for it.
    """
    return tuple(Judgement("fixed", "pass", "one value", term) for term in terms if term not in levels)
