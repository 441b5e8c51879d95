"""The keys `rates` and `effects` of `summary.json`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tasks.stats.records import Floats
from tasks.view.counted.context import CountedContext
from tasks.view.counted.summary import EffectSummary, GroupRateSummary, RatesSummary
from tasks.view.plain import by_label, listed


def group_rates(context: CountedContext) -> dict[str, Floats]:
    """(J,) each number of `GroupRateSummary`, by its name; NaN where there is none."""
    own, found, expected = context.findings.fits.rates, context.comparison, context.findings.expected
    none = np.full(own.rate.shape, np.nan)
    ratio = (
        (none, none, none, none)
        if expected is None
        else (
            expected.expected,
            expected.ratio,
            expected.lower,
            expected.upper,
        )
    )
    predicted, beyond = found.predicted, found.beyond
    return {
        "events": own.events,
        "size": own.size,
        "observed": own.rate,
        "observed_lower": own.lower,
        "observed_upper": own.upper,
        "expected": ratio[0],
        "observed_expected": ratio[1],
        "observed_expected_lower": ratio[2],
        "observed_expected_upper": ratio[3],
        "predicted_expected": none if predicted is None else predicted.estimate,
        "predicted_expected_lower": none if predicted is None else predicted.lower,
        "predicted_expected_upper": none if predicted is None else predicted.upper,
        "above_margin": none if beyond is None else beyond.above,
        "below_margin": none if beyond is None else beyond.below,
        "rate": found.rate.estimate,
        "rate_lower": found.rate.lower,
        "rate_upper": found.rate.upper,
        "above_average": found.above,
        "target": found.target,
        "above_target": found.above_target,
    }


def rates_of(context: CountedContext) -> RatesSummary:
    average = context.comparison.average
    columns: dict[str, Any] = {name: listed(values) for name, values in group_rates(context).items()}
    assert {*columns, "too_few"} == GroupRateSummary.model_fields.keys()
    return RatesSummary.given(
        overall=context.overall_rate,
        average=average.estimate,
        average_lower=average.lower,
        average_upper=average.upper,
        margin=context.study.rates.margin,
        per=context.rate_scale,
        groups=by_label(context.findings.labels, **columns, too_few=context.too_few.tolist()),
    )


def effects_of(context: CountedContext) -> dict[str, EffectSummary]:
    """By term."""
    found, terms = context.findings.effects, context.findings.terms[1:]
    return {
        term: EffectSummary.given(**{name: getattr(found, name)[at] for name in EffectSummary.model_fields})
        for at, term in enumerate(terms)
    }
