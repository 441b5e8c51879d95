"""The funnel: which groups stand apart by more than chance, and by more than groups ordinarily do."""

from __future__ import annotations

import numpy as np

from tasks.stats.judged.funnel import ALARM, WARNING, Funnel, quantile
from tasks.stats.records import Floats
from tasks.view.context import Context
from tasks.view.figures import scatter
from tasks.view.figures.by_size import Curve, Marks, levels_by_size
from tasks.view.figures.style import ALERT, NEUTRAL, REFERENCE, Spec, axis, padded
from tasks.view.records import Figure
from tasks.view.words import numbers
from tasks.view.words.numbers import plural

CURVE_POINTS = 80


def funnel_figure(context: Context, found: Funnel) -> Figure:
    beyond = found.outside(ALARM, between=True)
    x, x_axis, along, sizes = _across(found)
    ordinary = _marks(context, found, x, ~beyond, "inside the wider limits", NEUTRAL, "circle")
    unusual = _marks(context, found, x, beyond, "outside them", ALERT, "diamond")
    y_range = padded(_seen(found))
    curves = _curves(found, along, sizes)
    is_cut = any(part.min() < y_range[0] or part.max() > y_range[1] for curve in curves for part in curve.y)
    return Figure(
        id="figure-funnel",
        caption=_caption(context) + (" Limits of the smallest groups reach beyond the picture." if is_cut else ""),
        alternative=funnel_finding(context, found),
        spec=levels_by_size(
            [ordinary, unusual],
            curves,
            x_axis=x_axis,
            y_axis=axis(context.outcome_titled("adjusted level"), range=y_range),
            unit=context.unit,
        ),
        height=460,
    )


def _seen(found: Funnel) -> Floats:
    """Values that the axis has to show: levels, dashed limits at the smallest size, solid ones at the median."""
    dashed = found.half_width(float(found.n.min()), quantile(WARNING), between=True)
    solid = found.half_width(float(np.median(found.n)), quantile(ALARM), between=True)
    return np.append(found.level, found.average + np.array([-dashed, dashed, -solid, solid]))


def _caption(context: Context) -> str:
    moved = ", moved to the predictors’ averages," if len(context.terms) > 1 else ""
    sizes = context.findings.group_sizes
    across = "against its number of rows" if sizes.min() < sizes.max() else "in order, as all have as many rows"
    return (
        f"Funnel: mean of each group{moved} {across}. Limits hold 95 % (dashed) and 99.8 % (solid) of "
        "groups that differ by chance alone (grey), or also by as much as groups here ordinarily do (gold)."
    )


def _across(found: Funnel) -> tuple[Floats, Spec, Floats, Floats]:
    """Each group's x, the axis, and the x and sizes at which limits are drawn.

    Groups are ordered by size, or by level if all have as many rows.
    """
    low, high = float(found.n.min()), float(found.n.max())
    if low < high:
        along = np.geomspace(low, high, CURVE_POINTS)
        return found.n, scatter.size_axis(found.n, "rows in the group"), along, along
    place = np.empty(found.n.size)
    place[np.argsort(found.level, kind="stable")] = np.arange(1.0, found.n.size + 1)
    ends = np.array([0.5, found.n.size + 0.5])
    return place, axis(f"groups in order of level ({plural(int(low), 'row')} each)"), ends, np.full(2, low)


def _marks(
    context: Context, found: Funnel, x: Floats, chosen: np.ndarray, label: str, color: str, symbol: str
) -> Marks:
    groups = np.flatnonzero(chosen)
    pairs = zip(found.z[groups], found.z_between[groups], strict=True)
    return Marks(
        label=label,
        color=color,
        symbol=symbol,
        x=x[groups],
        y=found.level[groups],
        groups=groups,
        names=[context.labels[j] for j in groups],
        n=context.findings.group_sizes[groups],
        details=[
            f"{numbers.fixed(z, 1)} standard errors from the average group ({numbers.fixed(wide, 1)} with the wider "
            "limits)"
            for z, wide in pairs
        ],
        far=np.abs(found.z_between[groups]),
    )


def _curves(found: Funnel, along: Floats, sizes: Floats) -> list[Curve]:
    average = Curve("average group", NEUTRAL, "dot", along, (np.full(along.size, found.average),), 1.5)
    limits = []
    for between, label, color in (
        (False, "chance", NEUTRAL),
        (True, "with ordinary differences", REFERENCE),
    ):
        for limit, dash in ((WARNING, "dash"), (ALARM, "solid")):
            half = found.half_width(sizes, quantile(limit), between=between)
            ends = (found.average - half, found.average + half)
            limits.append(Curve(f"{label}, {100 * limit:g} %", color, dash, along, ends))
    return [average, *limits]


def funnel_finding(context: Context, found: Funnel) -> str:
    n = context.n_groups
    by_chance, beyond = found.outside(ALARM, between=False), np.flatnonzero(found.outside(ALARM, between=True))
    expected = (1 - ALARM) * n
    ordinary = f"about {expected:.0f}" if expected >= 1 else "hardly one"
    opening = (
        f"{by_chance.sum():,} of {plural(n, 'group')} {'lies' if by_chance.sum() == 1 else 'lie'} outside the outer "
        f"limits of chance alone, where {ordinary} would if all groups were alike."
    )
    if not beyond.size:
        return f"{opening} None lies outside the wider limits, which allow for ordinary differences between groups."
    farthest = beyond[np.argsort(-np.abs(found.z_between[beyond]), kind="stable")]
    names = numbers.listed((context.named(j) for j in farthest), limit=4)
    return (
        f"{opening} Even outside the wider limits, which allow for ordinary differences between groups, "
        f"{'lies' if beyond.size == 1 else 'lie'} {names}."
    )
