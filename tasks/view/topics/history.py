"""Key estimates over the newest runs, and every verdict so far."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from tasks.stats.past.over_time import History
from tasks.stats.records import Floats
from tasks.view.figures.history import history_panel
from tasks.view.records import Block, Panel, Panels, Paragraph
from tasks.view.report_context import ReportContext
from tasks.view.topic import Topic, how_to_read
from tasks.view.topics import change_words
from tasks.view.words import numbers, text
from tasks.view.words.verdict_labels import LABELS

GUIDE = (
    "Each small panel is one group, each point the estimate that a report gave, each bar its 95 % interval. Bars that "
    "get shorter show what more rows are worth. Reports share most of their rows, so that lines move slowly: one that "
    "leaves the range of its earlier bars says that the group has changed much, or how its rows are collected. A gap: "
    "that report had no rows of the group."
)
LEAST_RUNS = 3  # two runs are covered by the comparison with the previous report
MOST_TERMS = 2
UNREADABLE_SHOWN = 5
FEW_DAYS = timedelta(days=3)


def is_worth_showing(history: History | None) -> bool:
    return history is not None and (len(history.runs) >= LEAST_RUNS or bool(history.unreadable))


def _blocks(context: ReportContext) -> tuple[Block, ...]:
    history, blocks = _found(context), list[Block]()
    if len(history.runs) > 1:
        blocks += [_panels(context, history, term) for term in context.varying[:MOST_TERMS]]
        blocks.append(how_to_read(GUIDE))
    if note := _left_out(history):
        blocks.append(Paragraph(note))
    return tuple(blocks)


def _found(context: ReportContext) -> History:
    history = context.seen_history
    assert history is not None
    return history


def _left_out(history: History) -> str:
    parts = []
    if history.n_not_comparable:
        n = history.n_not_comparable
        parts.append(
            f"{numbers.plural(n, 'earlier report')} asked another question and {'is' if n == 1 else 'are'} not shown."
        )
    if history.unreadable:
        reasons = numbers.listed(map(text.clean, history.unreadable), limit=UNREADABLE_SHOWN)
        parts.append(
            f"{numbers.plural(len(history.unreadable), 'earlier report')} could not be read and was skipped: {reasons}."
        )
    return " ".join(parts)


def _panels(context: ReportContext, history: History, term: int) -> Panels:
    unit = context.raw_unit(term)
    x_range, height = _x_range(history), _height(context, history, term)
    caption = (
        f"{context.term_title(term)}{f' ({unit})' if unit else ''} by group and report: Bayesian estimate and 95 % "
        "interval, on today’s scale. All panels span the same height, each around its group. "
        f"{change_words.history_rule(history)}"
    )
    panels = tuple(_panel(context, history, term, k, x_range, height) for k in range(len(history.labels)))
    return Panels(f"panels-history-{term}", caption.strip(), panels)


def _x_range(history: History) -> tuple[str, str]:
    moments = sorted(_moment(run.started_at) for run in history.runs)
    margin = max((moments[-1] - moments[0]) * 0.06, timedelta(minutes=1))
    return _iso(moments[0] - margin), _iso(moments[-1] + margin)


def _moment(started_at: str) -> datetime:
    try:
        found = datetime.fromisoformat(started_at)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _iso(moment: datetime) -> str:
    """The moment in ISO 8601 without a time zone, as Plotly knows none."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def _height(context: ReportContext, history: History, term: int) -> float:
    """The common height of all panels, in raw units: enough for the group whose intervals span most."""
    scale = context.raw_scale(term)
    spans = [_span(history, term, k) for k in range(len(history.labels))]
    return 1.12 * max((high - low for low, high in spans), default=1.0) / scale or 1.0


def _span(history: History, term: int, group: int) -> tuple[float, float]:
    ends: Floats = np.concatenate([history.groups.lower[:, group, term], history.groups.upper[:, group, term]])
    known = ends[np.isfinite(ends)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)


def _panel(
    context: ReportContext, history: History, term: int, group: int, x_range: tuple[str, str], height: float
) -> Panel:
    scale = context.raw_scale(term)
    mean, lower, upper = (
        part[:, group, term] / scale for part in (history.groups.mean, history.groups.lower, history.groups.upper)
    )
    low, high = _span(history, term, group)
    middle = (low + high) / 2 / scale
    return Panel(
        id=f"panel-history-{term}-{group}",
        title=context.labels[int(history.positions[group])],
        detail=numbers.plural(int(np.isfinite(mean).sum()), "report"),
        alternative=_alternative(context, history, term, group),
        spec=history_panel(
            [_iso(_moment(run.started_at)) for run in history.runs],
            [LABELS[run.status] for run in history.runs],
            mean,
            lower,
            upper,
            x_range=x_range,
            y_range=(middle - height / 2, middle + height / 2),
            has_hours=_moment(history.runs[-1].started_at) - _moment(history.runs[0].started_at) < FEW_DAYS,
            title=context.term_title(term),
            heading=context.labels[int(history.positions[group])],
            unit=context.raw_unit(term),
        ),
        group=int(history.positions[group]),
    )


def _alternative(context: ReportContext, history: History, term: int, group: int) -> str:
    scale, unit = context.raw_scale(term), context.raw_unit(term)
    mean = history.groups.mean[:, group, term] / scale
    known = np.flatnonzero(np.isfinite(mean))
    first, last = int(known[0]), int(known[-1])
    places = numbers.common_decimals(history.groups.sd[:, group, term] / scale)
    ends = [
        numbers.interval(float(part[0]), float(part[1]), places) for part in _ends(history, term, group, (first, last))
    ]
    shown = [numbers.with_unit(numbers.fixed(float(mean[k]), places), unit) for k in (first, last)]
    when = [change_words.moment(history.runs[k].started_at) for k in (first, last)]
    what = f"{context.named(int(history.positions[group]))}, {context.term_name(term)}"
    return (
        f"{what}, {numbers.plural(known.size, 'report')}: from {shown[0]} ({ends[0]}) on {when[0]} to "
        f"{shown[1]} ({ends[1]}) on {when[1]}."
    )


def _ends(history: History, term: int, group: int, runs: tuple[int, int]) -> list[tuple[float, float]]:
    lower, upper = history.groups.lower[:, group, term], history.groups.upper[:, group, term]
    return [(float(lower[k]), float(upper[k])) for k in runs]


TOPIC = Topic(
    id="history",
    title="Over the reports so far",
    finding=lambda context: change_words.history_finding(context, _found(context)),
    blocks=_blocks,
    sources=(),
    guide=(GUIDE,),
    is_shown=lambda context: context.history is not None and is_worth_showing(context.history),
)
