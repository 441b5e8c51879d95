"""The first screen's figure of a counted outcome: the groups' rates in order, with intervals, average and targets."""

from __future__ import annotations

import numpy as np

from tasks.view.counted.compared import apart_from_average, groups_differ
from tasks.view.counted.context import CountedContext
from tasks.view.figures.glance import Glance, interactive
from tasks.view.figures.still import still
from tasks.view.figures.style import MODELS
from tasks.view.records import Figure
from tasks.view.words import numbers as words
from tasks.view.words import text
from tasks.view.words.numbers import plural


def hero(context: CountedContext) -> Figure | None:
    """Of every group; None where no group has a rate that could be shown."""
    glance = _glance(context)
    if glance is None:
        return None
    return Figure(
        id="figure-hero",
        caption=_caption(context),
        alternative=_alternative(context, int(glance.apart.sum()), glance.groups.size),
        spec=interactive(glance),
        height=glance.height,
        still=still(glance),
    )


def _glance(context: CountedContext) -> Glance | None:
    is_compared, own, scale = context.findings.recommended is not None, context.findings.fits.rates, context.rate_scale
    rate = context.comparison.rate
    estimate, lower, upper = (
        (rate.estimate, rate.lower, rate.upper) if is_compared else (own.rate, own.lower, own.upper)
    )
    order = np.argsort(-estimate, kind="stable")
    order = order[np.isfinite(estimate[order])]
    if not order.size:
        return None
    targets = context.comparison.target
    return Glance(
        names=tuple(context.labels[j] for j in order),
        groups=order,
        n_rows=np.rint(context.sizes[order]).astype(np.int64),
        estimate=scale * estimate[order],
        lower=scale * lower[order],
        upper=scale * upper[order],
        apart=_apart(context)[order],
        mean=scale * float(context.comparison.average.estimate) if is_compared else None,
        color=MODELS[context.quoted_model if is_compared else "no_pooling"].color,
        outcome=context.outcome,
        axis_title=text.sentence_case(context.rate_name),
        unit="%" if context.rate_unit == "%" else "",
        target=None if np.isnan(targets).all() else scale * targets[order],
    )


def _caption(context: CountedContext) -> str:
    if context.findings.recommended is None:
        return "Each group’s own rate with its exact 95 % interval. None is compared, as no model here can be trusted."
    mix = " on the same mix of cases" if len(context.terms) > 1 else ""
    target = " Marks across the lines: the groups’ targets." if not np.isnan(context.comparison.target).all() else ""
    return (
        f"Each group’s rate{mix} with its 95 % interval. Dotted: the average of the groups. Coloured: above or below "
        f"it with a probability of 97.5 % or more.{target}"
    )


def _alternative(context: CountedContext, n_apart: int, n_shown: int) -> str:
    if context.findings.recommended is None:
        return f"Each group’s own rate of {context.outcome} with its exact 95 % interval, highest first."
    average = context.rate_text(float(context.comparison.average.estimate))
    return (
        f"Each group’s rate of {context.outcome} with its 95 % interval, highest first; the average of the groups is "
        f"{average}. {plural(n_apart, 'group')} of {n_shown:,} {words.be(n_apart)} clearly above or below it."
    )


def _apart(context: CountedContext) -> np.ndarray:
    """(J,) whether a group can be told from the average."""
    apart = np.zeros(context.n_groups, dtype=bool)
    if context.findings.recommended is not None and groups_differ(context):
        apart[np.concatenate(apart_from_average(context))] = True
    return apart
