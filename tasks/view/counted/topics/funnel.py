"""The funnel: which groups stand apart by more than chance, and by more than groups ordinarily do; and from targets."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from tasks.stats.counted.funnel_limits import LEVELS, CountedFunnel, Widening
from tasks.stats.records import Floats
from tasks.view.counted.context import CountedContext
from tasks.view.figures import scatter
from tasks.view.figures.by_size import Curve, Marks, levels_by_size
from tasks.view.figures.style import ALERT, NEUTRAL, REFERENCE, Spec, axis, padded
from tasks.view.plain import by_label, listed
from tasks.view.records import Block, Figure
from tasks.view.summary.record import ByLabel, Number, Record, Vector
from tasks.view.topic import Entry, Topic, how_to_read
from tasks.view.words import numbers, text
from tasks.view.words.numbers import plural

GUIDE = (
    "Rates of few cases vary more by chance, so the limits open towards small groups like a funnel. They are exact: "
    "chance puts a group outside the dashed lines at most once in 20 times, outside the solid ones once in 500. A "
    "group inside the grey limits need not differ from what is expected of it at all. One inside the gold limits "
    "differs no more than groups here usually do. One outside them is worth a look: at its rows first, then at "
    "what it does."
)
CURVE_POINTS = 100
ROOM = 0.1  # on either side of groups of one size, as a share of it
WARNING, ALARM = LEVELS
WIDER: Widening = "additive"


class FunnelGroupSummary(Record):
    """One group in the funnel; limits are exact, of chance alone."""

    ratio: Number = Field(description="observed by expected events")
    lower_warning: Number = Field(description="of the 95 % limits")
    upper_warning: Number = Field(description="of the 95 % limits")
    lower_alarm: Number = Field(description="of the 99.8 % limits")
    upper_alarm: Number = Field(description="of the 99.8 % limits")
    outside: int = Field(description="-1: below the 99.8 % limits, 1: above them, 0: neither")
    outside_wider: int = Field(description="the same with limits that allow for ordinary differences between groups")


class CountedFunnelSummary(Record):
    """How observed events differ from expected ones between groups, beside chance."""

    dispersion: Number = Field(description="variance of the groups' distances in units of chance; 1: no more")
    tau: Number = Field(description="SD of the groups' true ratios of observed to expected about 1")
    levels: Vector = Field(description="what share of groups the limits hold by chance")
    groups: ByLabel[FunnelGroupSummary] = Field(description="by group label")


def _blocks(context: CountedContext) -> tuple[Block, ...]:
    about_targets = context.findings.target_funnel
    targets = () if about_targets is None else (_figure(context, about_targets, "target"),)
    return (_figure(context, context.findings.funnel, "expected"), *targets, how_to_read(GUIDE))


def _figure(context: CountedContext, found: CountedFunnel, about: str) -> Figure:
    beyond = found.outside(ALARM, WIDER) != 0
    expected = found.size * found.target
    marks = [
        _marks(context, found, expected, ~beyond, "inside the wider limits", NEUTRAL, "circle"),
        _marks(context, found, expected, beyond, "outside them", ALERT, "diamond"),
    ]
    curves = _curves(found, about)
    y_range = padded(_seen(found))
    low = "expected" if about == "expected" else "as targeted"
    return Figure(
        id=f"figure-funnel{'' if about == 'expected' else '-target'}",
        caption=(
            f"Observed {context.outcome} of each group by those {low}, against its {context.size_noun}. Exact limits "
            "hold 95 % (dashed) and 99.8 % (solid) of groups that differ by chance alone (grey), or also by as much as "
            "groups here ordinarily do (gold)."
        ),
        alternative=funnel_finding(context, found, about),
        spec=levels_by_size(
            marks,
            curves,
            x_axis=_size_axis(context, found),
            y_axis=axis(f"observed / {'expected' if about == 'expected' else 'target'}", range=y_range),
            unit="",
            what="observed / expected" if about == "expected" else "observed / target",
        ),
        height=460,
    )


def _size_axis(context: CountedContext, found: CountedFunnel) -> Spec:
    title = f"{context.size_noun} in the group"
    if found.size.min() < found.size.max():
        return scatter.size_axis(found.size, title)
    size = float(found.size[0])
    return axis(title, range=[(1.0 - ROOM) * size, (1.0 + ROOM) * size], tickvals=[size])


def _seen(found: CountedFunnel) -> Floats:
    """Ratios that the axis has to show: all of the groups', and the outer limits at the median size."""
    target = float(np.median(found.target))
    ends = found.limits_at(np.rint(np.median(found.size, keepdims=True)), target, ALARM, WIDER)
    return np.concatenate([found.ratio, *ends, [1.0]])


def _marks(
    context: CountedContext,
    found: CountedFunnel,
    expected: Floats,
    chosen: np.ndarray,
    label: str,
    color: str,
    symbol: str,
) -> Marks:
    groups = np.flatnonzero(chosen)
    distance = np.abs(np.log(np.maximum(found.ratio, 1e-3))) * np.sqrt(expected)
    return Marks(
        label=label,
        color=color,
        symbol=symbol,
        x=found.size[groups],
        y=found.ratio[groups],
        groups=groups,
        names=[context.labels[j] for j in groups],
        n=np.rint(context.sizes[groups]).astype(np.int64),
        details=[
            f"{numbers.significant(float(found.observed[j]), 4)} observed, "
            f"{numbers.significant(float(expected[j]), 3)} expected"
            for j in groups
        ],
        far=distance[groups],
    )


def _curves(found: CountedFunnel, about: str) -> list[Curve]:
    """Limits for groups of the median risk; level lines where all groups have the same size."""
    low, high = float(found.size.min()), float(found.size.max())
    sizes = np.geomspace(low, high, CURVE_POINTS) if low < high else np.full(2, low)
    if found.family == "binomial" and low < high:
        sizes = np.unique(np.rint(sizes))
    along = sizes if low < high else low * np.array([1.0 - ROOM, 1.0 + ROOM])
    target = float(np.median(found.target))
    looks: tuple[tuple[Widening, str, str], ...] = (
        ("none", "chance", NEUTRAL),
        (WIDER, "with ordinary differences", REFERENCE),
    )
    limits = []
    for widening, label, color in looks:
        for level, dash in ((WARNING, "dash"), (ALARM, "solid")):
            ends = found.limits_at(sizes, target, level, widening)
            limits.append(Curve(f"{label}, {100 * level:g} %", color, dash, along, ends))
    middle = "as expected" if about == "expected" else "target"
    return [Curve(middle, NEUTRAL, "dot", along, (np.ones(along.size),), 1.5), *limits]


def funnel_finding(context: CountedContext, found: CountedFunnel, about: str = "expected") -> str:
    n = context.n_groups
    by_chance, beyond = found.outside(ALARM) != 0, np.flatnonzero(found.outside(ALARM, WIDER) != 0)
    usual = (1.0 - ALARM) * n
    ordinary = f"about {usual:.0f}" if usual >= 1 else "hardly one"
    what = "if all were as expected" if about == "expected" else "if all were at their targets"
    outside = int(by_chance.sum())
    opening = (
        f"{f'{outside:,}' if outside else 'None'} of {plural(n, 'group')} {numbers.be(max(outside, 1), 'lies', 'lie')} "
        "outside the "
        f"outer limits of chance alone, where {ordinary} would {what}."
    )
    if not beyond.size:
        return f"{opening} None lies outside the wider limits, which allow for ordinary differences between groups."
    distance = np.abs(found.ratio - 1.0) * np.sqrt(found.size * found.target)
    farthest = beyond[np.argsort(-distance[beyond], kind="stable")]
    names = numbers.listed((context.named(int(j)) for j in farthest), limit=4)
    return (
        f"{opening} Even outside the wider limits, which allow for ordinary differences between groups, "
        f"{numbers.be(beyond.size, 'lies', 'lie')} {names}."
    )


def funnel_of(context: CountedContext) -> CountedFunnelSummary:
    found = context.findings.funnel
    (low, high), (lowest, highest) = (found.limits(level) for level in LEVELS)
    parts = {"lower_warning": low, "upper_warning": high, "lower_alarm": lowest, "upper_alarm": highest}
    return CountedFunnelSummary.given(
        dispersion=found.dispersion,
        tau=found.tau,
        levels=list(LEVELS),
        groups=by_label(
            context.findings.labels,
            ratio=listed(found.ratio),
            **{name: listed(part) for name, part in parts.items()},
            outside=found.outside(ALARM).tolist(),
            outside_wider=found.outside(ALARM, WIDER).tolist(),
        ),
    )


TOPIC: Topic[CountedContext] = Topic(
    id="funnel",
    title="Who stands apart",
    finding=lambda context: text.sentence(funnel_finding(context, context.findings.funnel)),
    blocks=_blocks,
    sources=("funnel", "rates"),
    guide=(GUIDE,),
    summary=(
        Entry(
            "funnel",
            CountedFunnelSummary,
            "Observed by expected events of each group with exact limits of chance, and wider ones",
            funnel_of,
        ),
    ),
)
