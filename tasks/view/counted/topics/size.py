"""Do small groups differ from large ones, so that pooling draws them to an average that does not suit them?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from tasks.stats.counted.size_calibration import SizeQuarter
from tasks.stats.fits.intervals import Z_95
from tasks.stats.judged.missing_terms import MissingTerm
from tasks.stats.judged.recommended import WithInterval
from tasks.stats.judgement import Judgement
from tasks.view.counted.context import CountedContext
from tasks.view.figures import intervals, scatter
from tasks.view.figures.by_size import Curve, Marks, levels_by_size
from tasks.view.figures.style import MODELS, NEUTRAL, REFERENCE, axis, padded
from tasks.view.plain import by_label, listed
from tasks.view.records import Block, Cell, Column, Figure, Table
from tasks.view.summary.record import ByLabel, Count, Number, Record
from tasks.view.topic import Case, CheckSpec, Entry, Topic, how_to_read, messages
from tasks.view.words import numbers, text
from tasks.view.words.numbers import plural

GUIDE = (
    "Partial pooling draws a group with few cases towards the average group. That is right if small groups are like "
    "the others, and wrong if they are not: then it hides the very groups that differ. In the first figure groups are "
    "set against their size, before and after size is in the model. The second asks how much is observed in small and "
    "in large groups, when each is predicted as a group that has not been seen: where the points leave 1 by more than "
    "their bars, groups of that size are taken to be too good or too bad."
)
QUARTERS = ("smallest", "second", "third", "largest")
CURVE_POINTS = 60
MOST_MOVED = 12


class SizeQuarterSummary(Record):
    """Groups of like size, each predicted without its own rows."""

    smallest: Number = Field(description="least trials or exposure")
    largest: Number = Field(description="most trials or exposure")
    n_groups: Count = Field(description="groups")
    observed: Number = Field(description="events")
    expected: Number = Field(description="by the plain model")
    expected_se: Number = Field(description="SD of observed less expected, if the plain model is right")
    expected_with_size: Number = Field(description="by the model with what was found missing")


class PlainRateSummary(Record):
    """One group's rate on everybody's case mix by the plain Bayesian model, to be set beside that under `rates`."""

    rate: Number = Field(description="posterior median")
    lower: Number = Field(description="95 % interval")
    upper: Number = Field(description="95 % interval")


class CountedSizeTrendSummary(Record):
    """Does the rate of a group go with its size? By a term for log2 of its trials or exposure."""

    per_doubling: Number = Field(description="on the link's scale: log odds, or log rate, per doubling")
    se: Number = Field(description="its standard error")
    p_value: Number = Field(description="of no trend, by the likelihood ratio")
    groups: ByLabel[PlainRateSummary] = Field(description="by group label, what the plain model makes of its rate")
    quarters: list[SizeQuarterSummary] = Field(description="by size, the smallest groups first; empty if they are few")


def _blocks(context: CountedContext) -> tuple[Block, ...]:
    if context.sizes.min() == context.sizes.max():  # pictures against size would show nothing
        return (how_to_read(GUIDE),)
    quarters = (_quarters_figure(context),) if context.findings.screening.by_size else ()
    moved = (_moved_table(context),) if context.findings.answer and _has_size(context) else ()
    return (_figure(context), *quarters, how_to_read(GUIDE), *moved)


def _has_size(context: CountedContext) -> bool:
    return any(one.kind == "size" for one in context.findings.screening.answer.added)


def _figure(context: CountedContext) -> Figure:
    """Observed by expected events of each group against its size; the trend where there is one."""
    funnel = context.findings.funnel
    distance = np.abs(np.log(np.maximum(funnel.ratio, 1e-3))) * np.sqrt(funnel.size * funnel.target)
    every = np.arange(context.n_groups)
    marks = Marks(
        label="groups",
        color=NEUTRAL,
        symbol="circle",
        x=funnel.size,
        y=funnel.ratio,
        groups=every,
        names=context.labels,
        n=np.rint(context.sizes).astype(np.int64),
        details=[f"{context.rate_text(float(rate))} as counted" for rate in context.findings.fits.rates.rate],
        far=distance,
    )
    curves = _curves(context)
    return Figure(
        id="figure-size-trend",
        caption=(
            f"Observed by expected {context.outcome} of each group against its {context.size_noun}"
            f"{', with the trend and its 95 % band' if len(curves) > 1 else ''}. Without a trend, small groups lie as "
            "often above 1 as below."
        ),
        alternative=messages(context, [SIZE_TREND]),
        spec=levels_by_size(
            [marks],
            curves,
            x_axis=scatter.size_axis(np.maximum(funnel.size, 1e-9), f"{context.size_noun} in the group"),
            y_axis=axis("observed / expected", range=padded(np.append(funnel.ratio, 1.0))),
            unit="",
            what="observed / expected",
        ),
        height=420,
    )


def _curves(context: CountedContext) -> list[Curve]:
    sizes = context.sizes[context.sizes > 0]
    along = np.geomspace(sizes.min(), sizes.max() * (1 + 1e-9), CURVE_POINTS)
    as_expected = Curve("as expected", NEUTRAL, "dot", along, (np.ones(along.size),), 1.5)
    found = context.findings.screening.size
    if found is None or not found.is_clear:
        return [as_expected]
    overall = context.overall_rate
    doublings = np.log2(along) - np.log2(sizes).mean()
    center = np.log2(context.sizes[context.sizes > 0]) @ context.events[context.sizes > 0] / context.events.sum()
    moved = doublings - (center - np.log2(sizes).mean())
    ends = [_ratio(context, overall, (found.coef + side * found.se * Z_95) * moved) for side in (0.0, -1.0, 1.0)]
    return [
        as_expected,
        Curve("trend", REFERENCE, "solid", along, (ends[0],), 2.5),
        Curve("its 95 % band", REFERENCE, "dash", along, (ends[1], ends[2]), 1.5),
    ]


def _ratio(context: CountedContext, overall: float, moved: np.ndarray) -> np.ndarray:
    """Rates moved by so much on the link's scale, by the overall rate."""
    if not context.is_binomial:
        return np.asarray(np.exp(moved))
    odds = overall / (1.0 - overall) * np.exp(moved)
    return np.asarray(odds / (1.0 + odds) / overall)


def _quarters_figure(context: CountedContext) -> Figure:
    found, answered = context.findings.screening.by_size, context.findings.screening.by_size_answered
    part = MODELS["partial_pooling"]
    series = [_series("plain partial pooling", part.color, part.symbol, found)]
    if context.findings.screening.answer.added:
        series.append(_series("with what was found missing", REFERENCE, "diamond-open", answered))
    rows = [f"{numbers.plain(one.smallest)} to {numbers.plain(one.largest)}" for one in found]
    counts = [numbers.count(one.n_groups) for one in found]
    counted = f"{counts[0]} each" if len(set(counts)) == 1 else numbers.listed(counts)
    return Figure(
        id="figure-size-calibration",
        caption=(
            "Are small groups predicted as well as large ones? Each group is predicted as one without rows of its own; "
            f"observed by expected {context.outcome}, by {context.size_noun} (groups, from the top: {counted}). Bars: "
            "95 % of what the model itself expects by chance."
        ),
        alternative=_quarters_in_words(context, found),
        spec=intervals.interval_plot(rows, series, x_title="observed / expected", reference=1.0),
        height=intervals.height(len(rows), len(series)),
    )


def _series(label: str, color: str, symbol: str, quarters: Sequence[SizeQuarter]) -> intervals.Series:
    ratio = np.array([one.ratio for one in quarters])
    half = np.array([Z_95 * one.se / one.expected for one in quarters])
    return intervals.Series(label, color, symbol, ratio, ratio - half, ratio + half)


def _quarters_in_words(context: CountedContext, found: Sequence[SizeQuarter]) -> str:
    first, last = found[0], found[-1]
    return (
        f"In the {plural(first.n_groups, 'smallest group')} {numbers.fixed(first.ratio, 2)} times as many "
        f"{context.outcome} were observed as expected by plain partial pooling, in the "
        f"{plural(last.n_groups, 'largest one')} {numbers.fixed(last.ratio, 2)} times."
    )


def _moved_table(context: CountedContext) -> Table:
    """The groups that size moves most: before and after."""
    before, now = context.findings.compared_plain.rate, context.findings.compared.rate
    order = np.argsort(-np.abs(now.estimate - before.estimate), kind="stable")[:MOST_MOVED]
    columns = (
        Column("Group", is_number=False),
        Column(text.sentence_case(context.size_noun)),
        Column("As counted", context.rate_unit),
        Column("Plain", context.rate_unit, model="bayes", detail="95 % interval"),
        Column("With size", context.rate_unit, model="bayes", detail="95 % interval", is_recommended=True),
    )
    rows = tuple(
        (
            Cell(context.labels[j]),
            Cell(numbers.plain(float(context.sizes[j]))),
            Cell(context.rate_number(float(context.findings.fits.rates.rate[j]))),
            *(_rate(context, each, int(j)) for each in (before, now)),
        )
        for j in order
    )
    mix = " on the same mix of cases" if len(context.terms) > 1 else ""
    return Table(
        "table-size-moved",
        "The groups whose rate size moves most, before and after",
        columns,
        rows,
        f"Bayesian rates{mix}, without and with what was found missing.",
        groups=tuple(map(int, order)),
    )


def _rate(context: CountedContext, found: WithInterval, group: int) -> Cell:
    low, high = (context.rate_number(float(end[group])) for end in (found.lower, found.upper))
    return Cell(context.rate_number(float(found.estimate[group])), f"{low} to {high}")


def _found(context: CountedContext) -> MissingTerm:
    found = context.findings.screening.size
    assert found is not None
    return found


def _measured(context: CountedContext) -> str:
    """`odds change by a factor of 0.88 per doubling of its admissions (95 % interval 0.85 to 0.91)`"""
    one = _found(context)
    factor, lower, upper = (float(np.exp(one.coef + side * Z_95 * one.se)) for side in (0.0, -1.0, 1.0))
    what = "odds change" if context.is_binomial else "rate changes"
    return (
        f"{what} by a factor of {numbers.fixed(factor, 2)} per doubling of its {context.size_noun} (95 % interval "
        f"{numbers.interval(lower, upper, 2)})"
    )


def _unclear(context: CountedContext, judged: Judgement) -> str:
    sign = "some sign, not a clear one," if judged.case == "hinted" else "no clear sign"
    return f"There is {sign} that the rate of a group goes with its size. Its {_measured(context)}."


def _goes_with_size(context: CountedContext) -> str:
    higher = "more" if _found(context).coef > 0 else "fewer"
    return f"Larger groups have {higher} {context.outcome}. A group’s {_measured(context)}."


def _clear(context: CountedContext, judged: Judgement) -> str:
    wrong = "high" if _found(context).coef > 0 else "low"
    return (
        f"{_goes_with_size(context)} Plain partial pooling draws small groups to an average that is too {wrong} for "
        "them."
    )


SIZE_TREND: CheckSpec[CountedContext] = CheckSpec(
    kind="size_trend",
    title="Rate and size of groups",
    cases={
        "few groups": Case(
            lambda context, judged: (
                f"{plural(context.n_groups, 'group')} are too few to tell whether their rate goes with their size."
            )
        ),
        "one size": Case("All groups have the same size, so nothing can go with it."),
        "told by predictor": Case(
            "The size of a group repeats what a predictor says of it, so the two cannot be told apart."
        ),
        "none": Case(_unclear),
        "hinted": Case(_unclear),
        "little": Case(
            lambda context, judged: f"{_goes_with_size(context)} It changes little in what is said of groups."
        ),
        "clear": Case(
            _clear,
            "Do not act on plain pooled rates of small groups; look for what sets them apart and make it a predictor.",
            reason="small groups are not like large ones, to whose average it draws them",
        ),
    },
)


def size_trend_of(context: CountedContext) -> CountedSizeTrendSummary | None:
    found = context.findings.screening
    if found.size is None:
        return None
    plain = context.findings.compared_plain.rate
    return CountedSizeTrendSummary.given(
        groups=by_label(
            context.findings.labels,
            rate=listed(plain.estimate),
            lower=listed(plain.lower),
            upper=listed(plain.upper),
        ),
        per_doubling=found.size.coef,
        se=found.size.se,
        p_value=found.size.p_value,
        quarters=[
            SizeQuarterSummary.given(
                smallest=one.smallest,
                largest=one.largest,
                n_groups=one.n_groups,
                observed=one.observed,
                expected=one.expected,
                expected_se=one.se,
                expected_with_size=other.expected,
            )
            for one, other in zip(found.by_size, found.by_size_answered, strict=True)
        ],
    )


TOPIC: Topic[CountedContext] = Topic(
    id="size",
    title="Do small groups differ?",
    finding=lambda context: messages(context, [SIZE_TREND]),
    blocks=_blocks,
    sources=("size_trend", "funnel", "rates", "checks"),
    guide=(GUIDE,),
    checks=(SIZE_TREND,),
    summary=(
        Entry(
            "size_trend",
            CountedSizeTrendSummary | None,
            "Does the rate of a group go with its size? null where that cannot be told, as in equal groups",
            size_trend_of,
        ),
    ),
)
