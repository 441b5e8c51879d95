"""Which groups are told from their average, or are beyond their targets; what a predictor goes with, in a clause."""

from __future__ import annotations

import numpy as np

from tasks.stats.fits.intervals import Z_95
from tasks.view.counted.context import CountedContext
from tasks.view.report_context import CLEARLY
from tasks.view.words import numbers

SMALLEST_CLEAR_SD = 0.05  # on the link's scale: rates that typically differ by a twentieth of themselves


def groups_differ(context: CountedContext) -> bool:
    """Whether some group is clearly above or below the average, and the spread's interval is clear of 0."""
    apart = np.concatenate(apart_from_average(context))
    return bool(apart.size and float(context.quoted.sigma_group.lower[0]) >= SMALLEST_CLEAR_SD)


def apart_from_average(context: CountedContext) -> tuple[np.ndarray, np.ndarray]:
    """(groups above, groups below) the average of the groups' rates with a probability of 97.5 %; farthest first.

    Groups with less than the study asks for are not judged.
    """
    probability = np.where(context.too_few, 0.5, context.comparison.above)
    rate = context.comparison.rate.estimate
    above, below = np.flatnonzero(probability >= CLEARLY), np.flatnonzero(probability <= 1 - CLEARLY)
    return above[np.argsort(-rate[above], kind="stable")], below[np.argsort(rate[below], kind="stable")]


def beyond_target(context: CountedContext) -> np.ndarray:
    """Groups whose rate is above their target with a probability of 97.5 %, the surest first; empty without targets."""
    probability = np.where(context.too_few, 0.0, np.nan_to_num(context.comparison.above_target))
    beyond = np.flatnonzero(probability >= CLEARLY)
    return beyond[np.argsort(-probability[beyond], kind="stable")]


def effect(context: CountedContext, term: int) -> str:
    """A clause on one predictor: the difference of rates, averaged over all cases, then the ratio."""
    found, scale = context.findings.effects, context.rate_scale
    middle, lower, upper = (
        float(part[term - 1]) * scale for part in (found.difference, found.difference_lower, found.difference_upper)
    )
    places = min(numbers.decimals_for((upper - lower) / (2.0 * Z_95)), max(numbers.decimals_for(abs(middle), 2), 1))
    ends = numbers.interval(lower, upper, places)
    if lower <= 0 <= upper:
        return (
            f"no clear effect of {context.compared(term)} ({numbers.fixed(middle, places)} {context.difference_unit}; "
            f"95 % interval {ends})"
        )
    size, unit = numbers.fixed(abs(middle), places), context.difference_unit
    more = f"{'more' if middle > 0 else 'fewer'} {context.outcome}"
    said = f"{size} {more} {unit}" if unit.startswith("per ") else f"{size} {unit} {more}"
    ends = ends if middle > 0 else numbers.interval(-upper, -lower, places)
    return f"{context.one_more(term)} goes with {said} (95 % interval {ends})"
