"""The rows of a counted outcome by group: rates as they were counted, and groups without an estimate of their own."""

from __future__ import annotations

from collections import Counter

import numpy as np

from tasks.stats.counted.own_rates import RateGap
from tasks.stats.judgement import Judgement
from tasks.view.counted.context import CountedContext
from tasks.view.figures import scatter
from tasks.view.figures.style import NEUTRAL, Shown, axis, hover_estimate
from tasks.view.records import Figure
from tasks.view.topic import Case, CheckSpec
from tasks.view.topics.data import data_topic
from tasks.view.words import numbers, text
from tasks.view.words.numbers import plural

GAPS: dict[RateGap, str] = {
    "no rows": "{} without a row",
    "no events": "{} without a single event",
    "all events": "{} with nothing but events",
    "few rows": "{} with too few different rows",
    "no spread": "{} whose predictors do not vary enough",
    "separated": "{} in which a predictor tells events without an error",
    "not converged": "{} whose regression did not converge",
}


def rates_by_size(context: CountedContext) -> tuple[Figure, ...]:
    own, scale = context.findings.fits.rates, context.rate_scale
    shown = np.flatnonzero(own.size > 0)
    low, high = int(np.argmin(own.rate[shown])), int(np.argmax(own.rate[shown]))
    ends = [f"{context.rate_text(float(own.rate[shown[k]]))} ({context.named(int(shown[k]))})" for k in (low, high)]
    unit = "%" if context.rate_unit == "%" else ""
    name = text.sentence_case(context.rate_name)
    return (
        Figure(
            id="figure-own-rates",
            caption=f"{name} of each group as they were counted, against its {context.size_noun}.",
            alternative=f"Rates as counted run from {ends[0]} to {ends[1]}.",
            spec=scatter.scatter(
                own.size[shown],
                scale * own.rate[shown],
                names=[context.labels[group] for group in shown],
                color=NEUTRAL,
                x_axis=scatter.size_axis(own.size[shown], f"{context.size_noun} in the group"),
                y_axis=axis(name),
                groups=shown,
                hover=hover_estimate(
                    np.rint(own.size[shown]).astype(int).tolist(),
                    Shown(scale * own.lower[shown], scale * own.upper[shown], unit),
                ),
            ),
            height=340,
        ),
    )


def _gaps(context: CountedContext, judged: Judgement) -> str:
    counted = Counter(gap for gap in context.findings.fits.own.gap if gap)
    n = sum(counted.values())
    kinds = numbers.listed(GAPS[gap].format(f"{times:,}") for gap, times in counted.most_common())
    return (
        f"{n:,} of {plural(context.n_groups, 'group')} {numbers.be(n, 'has', 'have')} no estimate of "
        f"{numbers.be(n, 'its', 'their')} own. These are: {kinds}."
    )


GROUP_SIZES: CheckSpec[CountedContext] = CheckSpec(
    kind="group_sizes",
    title="Estimates of groups by themselves",
    measure="groups without: {value}",
    cases={
        "all fitted": Case("Every group can carry an estimate of its own."),
        "gaps": Case(
            _gaps,
            "Their rates have exact intervals, also where nothing was counted. Use a pooled estimate for them.",
            "Do not compare the smallest groups by their own counts alone.",
        ),
    },
)
TOPIC = data_topic(rates_by_size, GROUP_SIZES)
