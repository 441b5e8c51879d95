"""The first screen's figure: the groups' recommended estimates in order, with their intervals and the average.

Only groups that can be told from the average are coloured.
"""

from __future__ import annotations

import numpy as np

from tasks.view.answers import apart_from_average, average_in_words, average_of_groups, groups_differ
from tasks.view.context import Bands, Context
from tasks.view.figures.glance import Glance, interactive
from tasks.view.figures.still import still
from tasks.view.figures.style import MODELS
from tasks.view.records import Figure
from tasks.view.words import numbers as words
from tasks.view.words.numbers import plural


def hero(context: Context) -> Figure | None:
    """Of every group, whatever their number; None where no group has an estimate that could be shown."""
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


def _glance(context: Context) -> Glance | None:
    bands, is_compared = _bands(context), context.findings.recommended is not None
    order = np.argsort(-bands.coef[:, 0], kind="stable")
    order = order[np.isfinite(bands.coef[order, 0])]
    if not order.size:
        return None
    return Glance(
        names=tuple(context.labels[j] for j in order),
        groups=order,
        n_rows=context.findings.group_sizes[order],
        estimate=bands.coef[order, 0],
        lower=bands.lower[order, 0],
        upper=bands.upper[order, 0],
        apart=_apart(context)[order],
        mean=average_of_groups(context) if is_compared else None,
        color=MODELS[bands.model].color,
        outcome=context.outcome,
        unit=context.unit,
    )


def _caption(context: Context) -> str:
    if context.findings.recommended is None:
        return "Each group’s own mean with its 95 % interval. None is compared, as no model here can be trusted."
    return (
        "Each group’s estimate with its 95 % interval. Dotted: the average of the groups. Coloured: above or below it "
        "with a probability of 97.5 % or more."
    )


def _alternative(context: Context, n_apart: int, n_shown: int) -> str:
    if context.findings.recommended is None:
        return f"Each group’s own mean of {context.outcome} with its 95 % interval, highest first."
    return (
        f"Each group’s estimate of {context.outcome} with its 95 % interval, highest first; the average of the groups "
        f"is {average_in_words(context)}. {plural(n_apart, 'group')} of {n_shown:,} {words.be(n_apart)} clearly above "
        "or below it."
    )


def _bands(context: Context) -> Bands:
    """What is quoted; the groups' own means where no model can be trusted."""
    return context.bands[0] if context.findings.recommended is None else context.recommended


def _apart(context: Context) -> np.ndarray:
    """(J,) whether a group can be told from the average."""
    apart = np.zeros(context.n_groups, dtype=bool)
    if context.findings.recommended is not None and groups_differ(context):
        apart[np.concatenate(apart_from_average(context))] = True
    return apart
