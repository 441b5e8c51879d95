"""Do small groups differ from large ones, so that pooling draws them to an average that does not suit them?"""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from tasks.stats.judged.funnel import Funnel
from tasks.stats.judged.size_calibration import MeanError
from tasks.stats.judged.size_trend import GroupLevels, SizeTrend
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats
from tasks.view.context import Context
from tasks.view.figures import intervals, scatter
from tasks.view.figures.by_size import Curve, Marks, levels_by_size
from tasks.view.figures.style import MODELS, NEUTRAL, REFERENCE, axis, padded
from tasks.view.records import Block, Cell, Column, Figure, Table
from tasks.view.selection import TABLE_LIMIT
from tasks.view.summary.size_trend import SizeTrendSummary, size_trend_of
from tasks.view.topic import Case, CheckSpec, Entry, Topic, how_to_read, messages
from tasks.view.words import numbers
from tasks.view.words.numbers import fixed, interval, plural, with_unit

GUIDE = (
    "Partial pooling draws a group with few rows towards the average group. That is right if small groups are "
    "like the others, and wrong if they are not: then their own average should be the aim. A trend of level with size "
    "is a sign of it. The second test leaves rows out and predicts them: where the points leave the dotted line by "
    "more than their intervals, groups of that size are estimated too high (left) or too low (right)."
)
SIDES = {1: "above", 0: "not told apart", -1: "below"}
CURVE_POINTS = 80


def _blocks(context: Context) -> tuple[Block, ...]:
    found, trend = context.findings.funnel, context.findings.size_trend
    if trend is None:
        return (how_to_read(GUIDE),)
    return (
        _trend_figure(context, found, trend),
        _calibration_figure(context, trend),
        how_to_read(GUIDE),
        *((_flipped_table(context, trend),) if trend.flipped.size else ()),
    )


def _trend_figure(context: Context, found: Funnel, trend: SizeTrend) -> Figure:
    marks = Marks(
        label="groups",
        color=NEUTRAL,
        symbol="circle",
        x=found.n,
        y=found.level,
        groups=np.arange(found.n.size),
        names=context.labels,
        n=context.findings.group_sizes,
        details=_changes(context, trend),
        far=np.abs(found.z_between),
    )
    moved = ", moved to the predictors’ averages," if len(context.terms) > 1 else ""
    curves = _curves(found, trend)
    seen, is_cut = _seen(found, curves)
    beyond = " The band reaches beyond the picture." if is_cut else ""
    return Figure(
        id="figure-size-trend",
        caption=(
            f"Mean of each group{moved} against its number of rows, with the trend and its 95 % band. The dotted line "
            f"is the average group: without a trend, small groups lie as often above it as below.{beyond}"
        ),
        alternative=messages(context, [SIZE_TREND]),
        spec=levels_by_size(
            [marks],
            curves,
            x_axis=scatter.size_axis(found.n, "rows in the group"),
            y_axis=axis(context.outcome_titled("adjusted level"), range=padded(seen)),
            unit=context.unit,
        ),
        height=420,
    )


def _seen(found: Funnel, curves: list[Curve]) -> tuple[Floats, bool]:
    """Values that the axis has to show, and whether curves leave it. The values are levels and curves; curves count
    at most one range of the levels beyond the lowest and the highest level."""
    drawn = np.concatenate([part for curve in curves for part in curve.y])
    drawn = drawn[np.isfinite(drawn)]
    low, span = float(found.level.min()), float(np.ptp(found.level))
    kept = np.clip(drawn, low - span, low + 2 * span)
    return np.append(found.level, kept), bool((kept != drawn).any())


def _curves(found: Funnel, trend: SizeTrend) -> list[Curve]:
    along = np.geomspace(found.n.min(), found.n.max(), CURVE_POINTS)
    level, se = trend.at(along)
    half, color = float(stdtrit(trend.df, 0.975)) * se, REFERENCE
    return [
        Curve("average group", NEUTRAL, "dot", along, (np.full(along.size, found.average),), 1.5),
        Curve("trend", color, "solid", along, (level,), 2.5),
        Curve("its 95 % band", color, "dash", along, (level - half, level + half), 1.5),
    ]


def _changes(context: Context, trend: SizeTrend) -> list[str]:
    """Per group: on which side of the average it lies, without and with size in the model."""
    before, after = trend.plain.side.tolist(), trend.with_size.side.tolist()
    return [
        f"{SIDES[a]} the average group"
        if a and a == b
        else SIDES[a]
        if a == b
        else f"{SIDES[a]}; with size: {SIDES[b]}"
        for a, b in zip(before, after, strict=True)
    ]


def _calibration_figure(context: Context, trend: SizeTrend) -> Figure:
    style = MODELS["partial_pooling"]
    series = [
        _series("partial pooling", style.color, style.symbol, [one.plain for one in trend.calibration]),
        _series("with size in the model", REFERENCE, "diamond-open", [one.with_size for one in trend.calibration]),
    ]
    rows = [_rows_between(one.smallest, one.largest) for one in trend.calibration]
    counted = numbers.listed(numbers.count(one.n_groups) for one in trend.calibration)
    n_rows = sum(one.n_rows for one in trend.calibration)
    note = (
        f"Each of {numbers.count(n_rows)} rows is predicted from all other rows; means of observed less predicted, "
        f"with 95 % intervals, by the size of the row’s group (from the top, {counted} groups). {context.sample_note}"
    )
    return Figure(
        id="figure-size-calibration",
        caption=f"Are predictions off in small groups? {note}".strip(),
        alternative=_calibration(context, trend),
        spec=intervals.interval_plot(
            rows, series, x_title=context.outcome_titled("observed less predicted"), reference=0.0, unit=context.unit
        ),
        height=intervals.height(len(rows), 2),
    )


def _series(label: str, color: str, symbol: str, errors: list[MeanError]) -> intervals.Series:
    mean, lower, upper = (np.array([getattr(one, part) for one in errors]) for part in ("mean", "lower", "upper"))
    return intervals.Series(label, color, symbol, mean, lower, upper)


def _flipped_table(context: Context, trend: SizeTrend) -> Table:
    moved = np.abs(trend.with_size.level - trend.plain.level)[trend.flipped]
    chosen = trend.flipped[np.argsort(-moved, kind="stable")][:TABLE_LIMIT]
    places = numbers.common_decimals((trend.plain.upper - trend.plain.lower) / 4)
    columns = (
        Column("Group", is_number=False),
        Column("Rows"),
        Column("Level", context.unit, detail="95 % interval"),
        Column("Against the average group", is_number=False),
        Column("Level with size", context.unit, detail="95 % interval"),
        Column("Against the average group", is_number=False),
    )
    rows = tuple(
        (
            Cell(context.labels[j]),
            Cell(numbers.count(context.findings.group_sizes[j])),
            *_level(trend.plain, j, places),
            *_level(trend.with_size, j, places),
        )
        for j in chosen
    )
    return Table(
        "table-size",
        "Groups whose answer to “above or below the average group?” changes with size in the model",
        columns,
        rows,
        _note(chosen.size, trend.flipped.size),
        groups=tuple(chosen.tolist()),
    )


def _level(levels: GroupLevels, group: int, places: int) -> tuple[Cell, Cell]:
    ends = numbers.interval(levels.lower[group], levels.upper[group], places)
    return Cell(numbers.fixed(levels.level[group], places), ends), Cell(SIDES[int(levels.side[group])])


def _note(n_shown: int, n_flipped: int) -> str:
    cut = f" The {n_shown:,} of {n_flipped:,} that move most." if n_shown < n_flipped else ""
    return f"Partial pooling by REML, joint intervals; “above” and “below” where the whole interval lies there.{cut}"


def _calibration(context: Context, trend: SizeTrend) -> str:
    """What the calibration figure shows, for the smallest and the largest groups."""
    told = []
    for k in (0, -1):
        one = trend.calibration[k]
        places = numbers.decimals_for(one.plain.se)
        off = with_unit(fixed(one.plain.mean, places), context.difference_unit)
        told.append(f"{off} in groups of {_rows_between(one.smallest, one.largest)}")
    return f"Rows left out lie off their prediction, on average, by {' and by '.join(told)}."


def _rows_between(smallest: int, largest: int) -> str:
    return plural(largest, "row") if smallest == largest else f"{smallest:,} to {plural(largest, 'row')}"


def _measured(context: Context, trend: SizeTrend) -> str:
    """`by 3.1 s per doubling of a group's rows (95 % interval 1.2 to 5.0)`"""
    places = numbers.decimals_for(trend.per_doubling_se)
    size = abs(trend.per_doubling) if trend.is_clear else trend.per_doubling
    ends = interval(trend.per_doubling_lower, trend.per_doubling_upper, places)
    shown = with_unit(fixed(size, places), context.difference_unit)
    return f"by {shown} per doubling of a group’s rows (95 % interval {ends})"


def _trend(context: Context) -> SizeTrend:
    assert context.findings.size_trend is not None
    return context.findings.size_trend


def _unclear(context: Context, judged: Judgement) -> str:
    trend = _trend(context)
    sign = "some sign, not a clear one," if judged.case == "hinted" else "no clear sign"
    return (
        f"There is {sign} that the level of a group goes with its number of rows. It changes "
        f"{_measured(context, trend)}. {_flips(context, trend)}"
    )


def _little(context: Context, judged: Judgement) -> str:
    trend = _trend(context)
    found = context.findings.bayes.sigma_group
    sd = with_unit(numbers.rounded(float(found.median[0]), float(found.sd[0])), context.difference_unit)
    little = f"That is little beside the differences between groups (typically {sd} from the average group)."
    return f"{_goes_with_size(context, trend)} {little} {_flips(context, trend)}"


def _clear(context: Context, judged: Judgement) -> str:
    trend = _trend(context)
    wrong = "high" if trend.per_doubling > 0 else "low"
    drawn = f"Partial pooling therefore draws groups with few rows to an average group that is too {wrong} for them."
    return f"{_goes_with_size(context, trend)} {drawn} {_flips(context, trend)}"


def _goes_with_size(context: Context, trend: SizeTrend) -> str:
    higher = "higher" if trend.per_doubling > 0 else "lower"
    return f"Groups with more rows have {higher} levels, {_measured(context, trend)}."


def _flips(context: Context, trend: SizeTrend) -> str:
    question = "whether the level is above or below the average group"
    if not trend.flipped.size:
        return f"With size in the model, the answer to {question} changes for no group."
    return (
        f"With size in the model, the answer to {question} changes for {trend.flipped.size:,} of "
        f"{plural(context.n_groups, 'group')}."
    )


def _few_groups(context: Context, judged: Judgement) -> str:
    return f"{plural(context.n_groups, 'group')} are too few to tell whether their level goes with their size."


def _one_size(context: Context, judged: Judgement) -> str:
    return f"All groups have {plural(int(context.findings.group_sizes[0]), 'row')}, so nothing can go with their size."


SIZE_TREND: CheckSpec[Context] = CheckSpec(
    kind="size_trend",
    title="Level and size of groups",
    cases={
        "few groups": Case(_few_groups),
        "one size": Case(_one_size),
        "told by predictor": Case(
            "The size of a group repeats what a predictor says of it, so the two cannot be told apart."
        ),
        "none": Case(_unclear),
        "hinted": Case(_unclear),
        "little": Case(_little),
        "clear": Case(
            _clear,
            lambda context, judged: (
                "Do not act on the pooled level alone of a group with few rows (up to about "
                f"{_trend(context).typical_size:.0f}); look for what sets small groups apart and make it a predictor."
            ),
            reason="groups with few rows are not like those with many, to whose average it draws them",
        ),
    },
)
TOPIC = Topic(
    id="size",
    title="Do small groups differ?",
    finding=lambda context: messages(context, [SIZE_TREND]),
    blocks=_blocks,
    sources=("size_trend", "funnel", "checks"),
    guide=(GUIDE,),
    checks=(SIZE_TREND,),
    summary=(
        Entry(
            "size_trend",
            SizeTrendSummary | None,
            ("Does the level of a group go with its size? null where that cannot be told, as in equal groups"),
            lambda context: size_trend_of(context.findings),
        ),
    ),
)
