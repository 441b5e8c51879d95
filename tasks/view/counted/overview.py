"""The few estimates of a run on a counted outcome that are followed from run to run."""

from __future__ import annotations

from typing import Any

import numpy as np

from tasks.stats.judged.recommended import WithInterval
from tasks.view.counted.context import CountedContext
from tasks.view.plain import number


def key_estimates(context: CountedContext) -> list[dict[str, Any]]:
    """The average of the groups' rates, each predictor's difference of rates per raw unit, how far groups lie apart."""
    found, names = context.findings, context.findings.terms
    average = {"kind": "level", "term": names[0], "unit": context.rate_unit}
    made = [{**average, **_numbers(context.comparison.average, (), context.rate_scale)}]
    effects = found.effects
    differences = WithInterval(effects.difference, effects.difference_lower, effects.difference_upper)
    for at, name in enumerate(names[1:]):
        unit = context.effect_unit(at + 1)
        made.append({"kind": "slope", "term": name, "unit": unit, **_numbers(differences, at, context.rate_scale)})
    for at, term in enumerate(context.varying):
        spread = _numbers(context.quoted.sigma_group, at, context.raw_scale(term) ** -1)
        made.append({"kind": "group_sd", "term": names[term], "unit": context.link_unit(term), **spread})
    ratio = {"kind": "median_ratio", "term": "", "unit": context.ratio_name}
    return [*made, {**ratio, **_numbers(found.heterogeneity, (), 1.0)}]


def _numbers(found: WithInterval, position: Any, scale: float) -> dict[str, float | None]:
    return {name: number(float(np.asarray(part)[position]) * scale) for name, part in vars(found).items()}
