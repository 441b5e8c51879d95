"""Do small groups differ, so that pooling draws them to an average that does not suit them?"""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from tasks.stats.funnel import Funnel
from tasks.stats.records import Floats
from tasks.stats.size_calibration import MeanError
from tasks.stats.size_trend import GroupLevels, SizeTrend
from tasks.view import guides, numbers
from tasks.view.comparison_words import SIDES, calibration_finding, rows_between, size_finding, size_titled
from tasks.view.context import Context
from tasks.view.figures import intervals, scatter
from tasks.view.figures.by_size import Curve, Marks, levels_by_size
from tasks.view.figures.style import MODELS, NEUTRAL, axis, padded
from tasks.view.records import Block, Cell, Column, Figure, Fold, Paragraph, Section, Table
from tasks.view.selection import TABLE_LIMIT

ID = "size"
CURVE_POINTS = 80


def section(context: Context) -> Section:
    found, trend = context.findings.funnel, context.findings.size_trend
    guide = Fold("How to read this", (Paragraph(guides.SIZE),))
    blocks: tuple[Block, ...] = ()
    if found is not None and trend is not None:
        figures = (_trend_figure(context, found, trend), _calibration_figure(context, trend))
        blocks = (*figures, guide, *((_flipped_table(context, trend),) if trend.flipped.size else ()))
    return Section(ID, "Do small groups differ?", size_finding(context), blocks)


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
        alternative=size_finding(context),
        spec=levels_by_size(
            [marks],
            curves,
            x_axis=scatter.size_axis(found.n, "rows in the group"),
            y_axis=axis(size_titled(context, "adjusted level"), range=padded(seen)),
            unit=context.unit,
        ),
        height=420,
    )


def _seen(found: Funnel, curves: list[Curve]) -> tuple[Floats, bool]:
    """Values that the axis has to hold, and whether curves leave it: levels and curves, these no farther out than the
    levels' own range to either side."""
    drawn = np.concatenate([part for curve in curves for part in curve.y])
    drawn = drawn[np.isfinite(drawn)]
    low, span = float(found.level.min()), float(np.ptp(found.level))
    kept = np.clip(drawn, low - span, low + 2 * span)
    return np.append(found.level, kept), bool((kept != drawn).any())


def _curves(found: Funnel, trend: SizeTrend) -> list[Curve]:
    along = np.geomspace(found.n.min(), found.n.max(), CURVE_POINTS)
    level, se = trend.at(along)
    half, color = float(stdtrit(trend.df, 0.975)) * se, MODELS["partial_pooling"].color
    return [
        Curve("average group", NEUTRAL, "dot", along, (np.full(along.size, found.average),), 1.5),
        Curve("trend", color, "solid", along, (level,), 2.5),
        Curve("its 95 % band", color, "dash", along, (level - half, level + half), 1.5),
    ]


def _changes(context: Context, trend: SizeTrend) -> list[str]:
    """Per group: on which side of the average it lies, without and with size in the model."""
    before, after = trend.plain.side.tolist(), trend.with_size.side.tolist()
    return [
        f"{SIDES[a]} the average" if a and a == b else SIDES[a] if a == b else f"{SIDES[a]}; with size: {SIDES[b]}"
        for a, b in zip(before, after, strict=True)
    ]


def _calibration_figure(context: Context, trend: SizeTrend) -> Figure:
    part, with_size = MODELS["partial_pooling"], MODELS["no_pooling"]
    series = [
        _series("partial pooling", part.color, part.symbol, [one.plain for one in trend.calibration]),
        _series(
            "with size in the model", with_size.color, with_size.symbol, [one.with_size for one in trend.calibration]
        ),
    ]
    rows = [rows_between(one.smallest, one.largest) for one in trend.calibration]
    counted = numbers.listed(numbers.count(one.n_groups) for one in trend.calibration)
    n_rows = sum(one.n_rows for one in trend.calibration)
    note = (
        f"Each of {numbers.count(n_rows)} rows is predicted from all other rows; means of observed less predicted, "
        f"with 95 % intervals, by the size of the row’s group (from the top, {counted} groups). {context.sample_note}"
    )
    return Figure(
        id="figure-size-calibration",
        caption=f"Are predictions off in small groups? {note}".strip(),
        alternative=calibration_finding(context, trend),
        spec=intervals.interval_plot(
            rows, series, x_title=size_titled(context, "observed less predicted"), reference=0.0, unit=context.unit
        ),
        height=intervals.height(len(rows), 2),
    )


def _series(label: str, color: str, symbol: str, errors: list[MeanError]) -> intervals.Series:
    mean, lower, upper = (np.array([getattr(one, part) for one in errors]) for part in ("mean", "lower", "upper"))
    return intervals.Series(label, color, symbol, mean, lower, upper)


def _flipped_table(context: Context, trend: SizeTrend) -> Table:
    moved = np.abs(trend.with_size.level - trend.plain.level)[trend.flipped]
    chosen = trend.flipped[np.argsort(-moved, kind="stable")][:TABLE_LIMIT]
    columns = (
        Column("Group", is_number=False),
        Column("Rows"),
        Column("Level", context.unit, detail="95 % interval"),
        Column("To the average", is_number=False),
        Column("Level with size", context.unit, detail="95 % interval"),
        Column("To the average", is_number=False),
    )
    rows = tuple(
        (
            Cell(context.labels[j]),
            Cell(numbers.count(context.findings.group_sizes[j])),
            *_level(trend.plain, j),
            *_level(trend.with_size, j),
        )
        for j in chosen
    )
    return Table(
        "table-size",
        "Groups whose answer to “above or below the average?” changes with size in the model",
        columns,
        rows,
        _note(chosen.size, trend.flipped.size),
        groups=tuple(chosen.tolist()),
    )


def _level(levels: GroupLevels, group: int) -> tuple[Cell, Cell]:
    places = numbers.common_decimals((levels.upper - levels.lower) / 4)
    ends = numbers.interval(levels.lower[group], levels.upper[group], places)
    return Cell(numbers.fixed(levels.level[group], places), ends), Cell(SIDES[int(levels.side[group])])


def _note(n_shown: int, n_flipped: int) -> str:
    cut = f" The {n_shown:,} of {n_flipped:,} that move most." if n_shown < n_flipped else ""
    return f"Partial pooling by REML, joint intervals; “above” and “below” where the whole interval lies there.{cut}"
