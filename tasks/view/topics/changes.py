"""What changed since the previous report."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from tasks.stats.judgement import Status
from tasks.stats.past.changes import Changes, EstimateChanges, ThenNow
from tasks.stats.records import Estimate, Integers, VerdictStatus
from tasks.view.figures import intervals
from tasks.view.figures.style import MODELS, NEUTRAL
from tasks.view.records import Block, Cell, Column, Figure, Table
from tasks.view.report_context import ReportContext
from tasks.view.selection import CHANGED_LIMIT
from tasks.view.topic import Topic, how_to_read
from tasks.view.topics import change_words, increment_words
from tasks.view.words import numbers, text
from tasks.view.words.verdict_labels import LABELS

T = TypeVar("T")
GUIDE = (
    "Grey is what the last report said about a group, green what this one says. Most of their rows are the same, so "
    "that the two differ little, even where a group has moved. Whether it has is told from its new rows alone: how far "
    "they lie from what its earlier rows foretold. Small moves in one direction add up over several reports. After an "
    "alarm a group begins anew: rows before it no longer count."
)
MOST_TERMS = 3
CHECKS_SHOWN = 20


def _blocks(context: ReportContext) -> tuple[Block, ...]:
    changes = _changes(context)
    blocks: list[Block] = [_reports(context, changes)]
    found = changes.estimates
    if found is not None and found.labels:
        for term in context.varying[:MOST_TERMS]:
            chosen = found.movers(term, CHANGED_LIMIT, _moved(changes))
            blocks += [_figure(context, found, term, chosen), _table(context, found, term, chosen)]
        blocks.append(how_to_read(GUIDE))
    return tuple(blocks)


def _moved(changes: Changes) -> Integers | None:
    """Positions of the groups that moved, in today's labels."""
    return None if changes.moves is None else changes.moves.found.positions[changes.moves.rings]


def _changes(context: ReportContext) -> Changes:
    changes = context.seen_changes
    assert changes is not None
    return changes


def _reports(context: ReportContext, changes: Changes) -> Table:
    """The two reports side by side; of the checks, those whose status changed."""
    columns = (Column("What", is_number=False), Column("Then", is_number=False), Column("Now", is_number=False))
    verdict = changes.verdict
    rows = [
        (Cell("Run"), Cell(text.label(changes.previous_id)), Cell("this one")),
        (Cell("Verdict"), _verdict(verdict.status.then), _verdict(verdict.status.now)),
        (
            Cell("Recommended"),
            *(Cell(text.sentence_case(change_words.model_name(m))) for m in _pair(verdict.recommended_model)),
        ),
        (Cell("Rows used"), *(Cell(numbers.count(n)) for n in _pair(changes.rows))),
        (Cell("Groups"), *(Cell(numbers.count(n)) for n in _pair(changes.n_groups))),
        (Cell("Rows rejected"), *(Cell(numbers.count(n)) for n in _pair(changes.rejected))),
    ]
    if not changes.varying.is_same:
        rows.append((Cell("Slopes that differ by group"), *(Cell(_named(names)) for names in _pair(changes.varying))))
    checks = changes.checks[:CHECKS_SHOWN]
    rows += [
        (Cell(context.check_title(check.kind, check.term)), _badge(check.then), _badge(check.now)) for check in checks
    ]
    note = (
        "Every check has the status it had."
        if not checks
        else "Of the checks, only those whose status changed are listed."
    )
    return Table("table-changes", "The two reports", columns, tuple(rows), note)


def _pair(pair: ThenNow[T]) -> tuple[T, T]:
    return pair.then, pair.now


def _named(names: tuple[str, ...]) -> str:
    return numbers.listed(text.readable(name) for name in names) or "none"


def _badge(status: Status | None) -> Cell:
    return Cell("not made") if status is None else Cell(status, status=status)


def _verdict(status: VerdictStatus) -> Cell:
    return Cell(LABELS[status], status=status)


def _figure(context: ReportContext, found: EstimateChanges, term: int, chosen: Integers) -> Figure:
    scale, unit, title = context.raw_scale(term), context.raw_unit(term), context.term_title(term)
    labels = [context.labels[found.positions[k]] for k in chosen]
    bayes = MODELS["bayes"]
    series = [
        _series("Then", NEUTRAL, "circle-open", found.groups.then, chosen, term, scale),
        _series("Now", bayes.color, bayes.symbol, found.groups.now, chosen, term, scale),
    ]
    what = f"{title} by group, then and now: Bayesian estimates with 95 % intervals."
    return Figure(
        id=f"figure-changes-{term}",
        caption=f"{what} {_rule(found, chosen)}",
        alternative=_alternative(context, found, term, chosen),
        spec=intervals.interval_plot(
            labels,
            series,
            x_title=f"{title} ({unit})" if unit else title,
            groups=found.positions[chosen],
            n=found.n.now[chosen].tolist(),
            unit=unit,
        ),
        height=intervals.height(len(labels), len(series)),
    )


def _series(
    label: str, color: str, symbol: str, estimate: Estimate, chosen: Integers, term: int, scale: float
) -> intervals.Series:
    mean, lower, upper = (part[chosen, term] / scale for part in (estimate.mean, estimate.lower, estimate.upper))
    return intervals.Series(label, color, symbol, mean, lower, upper)


def _alternative(context: ReportContext, found: EstimateChanges, term: int, chosen: Integers) -> str:
    moved = numbers.listed((change_words.mover(context, found, int(k), term) for k in chosen), limit=4)
    return f"Then and now for {numbers.plural(len(chosen), 'group')}. Most changed first: {moved}."


def _rule(found: EstimateChanges, chosen: Integers) -> str:
    shown, total = len(chosen), len(found.labels)
    if shown >= total:
        return "Most changed first."
    return f"Shown are the {shown} of {total:,} groups in both that changed most relative to their uncertainty."


def _table(context: ReportContext, found: EstimateChanges, term: int, chosen: Integers) -> Table:
    unit, change_unit = context.raw_unit(term), context.change_unit(term)
    columns = (
        Column("Group", is_number=False),
        Column("Rows then"),
        Column("Rows now"),
        Column("Then", unit),
        Column("Now", unit, model="bayes"),
        Column("Change", change_unit),
        *((Column("New rows", change_unit), Column("Judgement", is_number=False)) if term == 0 else ()),
    )
    rows = tuple(_row(context, found, term, int(k)) for k in chosen)
    notes = [_rule(found, chosen) if len(chosen) < len(found.labels) else ""]
    notes.append("" if term else increment_words.margin_note(context, _changes(context).moves))
    notes.append(change_words.basis_note(context, found))
    caption = f"{context.term_title(term)} by group, then and now: estimate and 95 % interval"
    groups = tuple(found.positions[chosen].tolist())
    return Table(f"table-changes-{term}", caption, columns, rows, " ".join(filter(None, notes)), groups=groups)


def _row(context: ReportContext, found: EstimateChanges, term: int, group: int) -> tuple[Cell, ...]:
    scale = context.raw_scale(term)
    then, now = found.groups.then, found.groups.now
    places = numbers.common_decimals(found.groups.now.sd[:, term] / scale)
    spread = float(np.hypot(then.sd[group, term], now.sd[group, term])) / scale
    difference = float(now.mean[group, term] - then.mean[group, term]) / scale
    return (
        Cell(context.labels[found.positions[group]]),
        Cell(numbers.count(found.n.then[group])),
        Cell(numbers.count(found.n.now[group])),
        *(_estimate(each, group, term, scale, places) for each in (then, now)),
        Cell(change_words.change(difference, spread, "")),
        *(_judged(context, int(found.positions[group])) if term == 0 else ()),
    )


def _judged(context: ReportContext, position: int) -> tuple[Cell, Cell]:
    """The group's new rows less what its earlier ones foretold, and whether it moved."""
    moves = _changes(context).moves
    said, k = increment_words.judged(moves, position)
    if moves is None or k < 0:
        return Cell(numbers.MISSING), Cell(said)
    shift, lower, upper = (float(part[k]) for part in (moves.found.shift, moves.lower, moves.upper))
    shown = change_words.change(shift, float(moves.found.se[k]), "")
    return Cell(shown, numbers.interval(lower, upper, numbers.decimals_for(float(moves.found.se[k])))), Cell(said)


def _estimate(estimate: Estimate, group: int, term: int, scale: float, places: int) -> Cell:
    mean, lower, upper = (float(part[group, term]) / scale for part in (estimate.mean, estimate.lower, estimate.upper))
    return Cell(numbers.fixed(mean, places), numbers.interval(lower, upper, places))


TOPIC = Topic(
    id="changes",
    title="What changed since the last report",
    finding=lambda context: change_words.changes_finding(context, _changes(context)),
    blocks=_blocks,
    sources=(),
    guide=(GUIDE,),
    is_shown=lambda context: context.changes is not None,
)
