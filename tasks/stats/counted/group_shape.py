"""Are groups one normal population on the link scale? The twin of `tasks.stats.judged.effect_shape`.

Modes of group effects are standardised by the SD that the fit expects of each. Where a group's events are few, modes
are as lumpy as the counts themselves: such groups are left out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tasks.stats.counted.left_out import linear_predictor
from tasks.stats.counted.links import mean_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.partial_pooling import CountedPartialPooling
from tasks.stats.judged.effect_shape import FEWEST_GROUPS, EffectShape, shape_of
from tasks.stats.records import Floats

FEWEST_EVENTS = 10.0  # expected of a group, and as many trials without
LEAST_SHARE = 0.05  # of an effect's variance that a mode has to show


def counted_effect_shapes(model: CountedModel, fit: CountedPartialPooling, seed: int) -> tuple[EffectShape, ...]:
    """One for each effect of which enough groups say enough; `standardised` (J,) is NaN for the others."""
    rng, scores = np.random.default_rng([seed, 14]), _standardised(model, fit)
    found = []
    for k, term in enumerate(model.varying):
        groups = np.flatnonzero(np.isfinite(scores[:, k]))
        if groups.size >= FEWEST_GROUPS:
            one = shape_of(model.cells.terms[term], scores[groups, k], rng)
            outlying = tuple(int(groups[at]) for at in one.outlying)
            found.append(replace(one, standardised=scores[:, k], outlying=outlying))
    return tuple(found)


def _standardised(model: CountedModel, fit: CountedPartialPooling) -> Floats:
    """(J, q) modes by the SD that the model expects of them; NaN where a group says too little."""
    cells = model.cells
    expected = cells.size * mean_of(cells.family, linear_predictor(model, fit))
    events, others = cells.of_groups(expected), cells.of_groups(cells.size - expected)
    says = (events >= FEWEST_EVENTS) & ((cells.family == "poisson") | (others >= FEWEST_EVENTS))
    prior = np.diag(fit.cov)
    shown = prior - np.diagonal(fit.conditional_cov, axis1=1, axis2=2)
    kept = says[:, None] & (shown > LEAST_SHARE * prior)
    return np.where(kept, fit.conditional_mode / np.sqrt(np.where(kept, shown, 1.0)), np.nan)
