"""The few estimates of a run that are followed from run to run, in raw units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tasks.stats.judged.recommended import WithInterval
from tasks.view.context import Context
from tasks.view.plain import number


def key_estimates(context: Context) -> list[dict[str, Any]]:
    return list(_estimates(context))


def _estimates(context: Context) -> Iterator[dict[str, Any]]:
    """The average group's level and slopes, how much groups differ in each, and the ICC, by the recommended model.

    A slope, and a spread of slopes, is per one raw unit of the predictor.
    """
    quoted, names = context.quoted, context.findings.terms
    for term, name in enumerate(names):
        numbers = _numbers(quoted.average, term, context.raw_scale(term))
        yield {"kind": "slope" if term else "level", "term": name, "unit": context.raw_unit(term), **numbers}
    for position, term in enumerate(context.varying):
        numbers = _numbers(quoted.sigma_group, position, context.raw_scale(term))
        yield {"kind": "group_sd", "term": names[term], "unit": context.raw_unit(term), **numbers}
    yield {"kind": "icc", "term": "", "unit": "", **_numbers(quoted.icc, (), 1.0)}


def _numbers(found: WithInterval, position: Any, scale: float) -> dict[str, float | None]:
    return {name: number(float(np.asarray(part)[position]) / scale) for name, part in vars(found).items()}
