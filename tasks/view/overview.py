"""A run at a glance, for readers of many runs: the answer in a sentence, and the few estimates to follow.

It stands at the top of `summary.json`, before the fits, in raw units, so that a catalogue of thousands of runs
reads only that part.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tasks.stats.records import MedianEstimate
from tasks.view import answers
from tasks.view.context import Context
from tasks.view.plain import number
from tasks.view.words import text


def overview_of(context: Context) -> dict[str, Any]:
    freshness = next((one for one in context.findings.judgements if one.kind == "freshness"), None)
    return {
        "answer": text.sentence_case(answers.one_sentence(context)),
        "data_age_days": _days(freshness.value if freshness else None),
        "data_age_limit_days": _days(freshness.limit if freshness else None),
        "estimates": list(_estimates(context)),
    }


def _estimates(context: Context) -> Iterator[dict[str, Any]]:
    """The average group's level and slopes, how much groups differ in each, and the ICC; Bayesian.

    A slope, and a spread of slopes, is per one raw unit of the predictor.
    """
    bayes, names = context.findings.bayes, context.findings.terms
    for term, name in enumerate(names):
        numbers = _numbers(bayes.fixef, term, context.raw_scale(term))
        yield {"kind": "slope" if term else "level", "term": name, "unit": context.raw_unit(term), **numbers}
    for position, term in enumerate(context.varying):
        numbers = _numbers(bayes.sigma_group, position, context.raw_scale(term))
        yield {"kind": "group_sd", "term": names[term], "unit": context.raw_unit(term), **numbers}
    yield {"kind": "icc", "term": "", "unit": "", **_numbers(bayes.icc, (), 1.0)}


def _numbers(estimate: MedianEstimate, position: Any, scale: float) -> dict[str, float | None]:
    parts = ("mean", "median", "lower", "upper")
    return {part: number(float(np.asarray(getattr(estimate, part))[position]) / scale) for part in parts}


def _days(value: float | None) -> float | None:
    return None if value is None else number(round(value, 1))
