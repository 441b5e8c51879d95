"""What changed since the previous report, and how a study went over its runs, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

import numpy as np

from tasks.stats.past.changes import Changes, EstimateChanges, ThenNow
from tasks.stats.past.earlier import Difference
from tasks.stats.past.over_time import History
from tasks.stats.records import VerdictStatus
from tasks.view.context import MODEL_NAMES
from tasks.view.report_context import ReportContext
from tasks.view.topics import increment_words
from tasks.view.words import numbers, text
from tasks.view.words.numbers import fixed, listed, plural, with_unit
from tasks.view.words.verdict_labels import quoted

CAUSES = {
    "data": "the data",
    "study": "the study file",
    "program": "Poolwise itself",
    "engine": "how the posterior is drawn",
}


def moment(started_at: str) -> str:
    """`22 Nov 2026, 10:15 UTC`; the text itself if it is no time."""
    try:
        found = datetime.fromisoformat(started_at)
    except ValueError:
        return text.label(started_at)
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return f"{day(found)}, {found:%H:%M} UTC"


def day(date: datetime) -> str:
    return f"{date.day} {date:%b %Y}"


def model_name(path: str) -> str:
    return MODEL_NAMES.get(path, text.label(path))


def changes_finding(context: ReportContext, changes: Changes) -> str:
    """The opening sentences: verdict first, then data, then estimates."""
    parts = [_verdict(changes), _data(changes), _estimates(context, changes), _causes(changes)]
    return " ".join(filter(None, parts))


def _verdict(changes: Changes) -> str:
    found = changes.verdict
    status, model = found.status, found.recommended_model
    since = f"Since the report of {moment(changes.previous_started_at)}"
    was = f"still is {quoted(status.now)}" if status.is_same else f"is {quoted(status.now)}, {found.direction} than"
    opening = f"{since}, the verdict {was}{'' if status.is_same else f' {quoted(status.then)} then'}."
    if model.is_same:
        return f"{opening} The recommendation still is {model_name(model.now)}."
    return f"{opening} The recommendation now is {model_name(model.now)}, no longer {model_name(model.then)}."


def _data(changes: Changes) -> str:
    rows = f"{plural(changes.rows.now, 'row')} {'was' if changes.rows.now == 1 else 'were'} used, {_more(changes.rows)}"
    parts = [rows, _groups("new", changes.groups_added), _groups("gone", changes.groups_gone)]
    rejected = changes.rejected
    if rejected.then or rejected.now:
        parts.append(f"{plural(rejected.now, 'row')} rejected, {_more(rejected)}")
    return f"{'; '.join(filter(None, parts))}."


def _more(counts: ThenNow[int]) -> str:
    difference = counts.now - counts.then
    if not difference:
        return "as many as then"
    return f"{numbers.count(abs(difference))} {'more' if difference > 0 else 'fewer'} than then"


def _groups(what: str, labels: Sequence[str]) -> str:
    if not labels:
        return ""
    return f"{plural(len(labels), 'group')} {what} ({listed((text.label(label) for label in labels), limit=4)})"


def _estimates(context: ReportContext, changes: Changes) -> str:
    if changes.not_comparable:
        reasons = listed(map(in_words, changes.not_comparable))
        return f"Estimates are not compared, because the question was another one: {reasons}."
    found = changes.estimates
    if found is None or not found.labels:
        return "No group is in both reports, so no estimate can be compared."
    return "" if changes.moves is None else increment_words.moves_sentence(context, changes.moves)


def in_words(found: Difference) -> str:
    """Why estimates cannot be compared: a clause."""
    then, now = text.clean(found.then) or "none", text.clean(found.now) or "none"
    what = {
        "outcome": "the outcome was",
        "outcome unit": "the outcome’s unit was",
        "family": "the outcome’s family was",
        "size": "the outcome was counted out of",
        "group": "groups were told apart by",
        "predictors": "predictors were",
        "reference": f"levels of {text.clean(found.predictor)} were compared with",
        "predictor unit": f"the unit of {text.clean(found.predictor)} was",
    }[found.what]
    return f"{what} {then}, not {now}"


def mover(context: ReportContext, found: EstimateChanges, group: int, term: int) -> str:
    """`the level of kent (+3.1 s)`"""
    scale = context.raw_scale(term)
    difference = float(found.groups.now.mean[group, term] - found.groups.then.mean[group, term]) / scale
    spread = float(np.hypot(found.groups.now.sd[group, term], found.groups.then.sd[group, term])) / scale
    what = context.named(int(found.positions[group]))
    return f"the {context.term_name(term)} of {what} ({change(difference, spread, context.change_unit(term))})"


def change(difference: float, spread: float, unit: str) -> str:
    """A difference with its sign and unit, rounded to what its uncertainty supports."""
    shown = numbers.estimate(difference, spread)
    is_up = difference > 0 and shown not in (numbers.MISSING,) and any(digit in shown for digit in "123456789")
    return with_unit(f"+{shown}" if is_up else shown, unit)


def _causes(changes: Changes) -> str:
    if changes.causes == ("data",):
        return ""
    if not changes.causes:
        return "Nothing that decides the numbers changed."
    changed = text.sentence_case(listed(CAUSES[cause] for cause in changes.causes))
    return f"{changed} changed since then."


def basis_note(context: ReportContext, found: EstimateChanges) -> str:
    """On what scale two reports are compared, and what that does to the earlier intervals."""
    if len(context.terms) == 1:
        return context.level_note
    scale = "Both reports are shown on one scale: effects per raw unit, levels at today’s average of the predictors."
    if found.level_is_exact:
        return f"{scale} {context.level_note}"
    wider = "under 1 %" if found.level_widening < 0.01 else f"up to {numbers.percent(found.level_widening)}"
    return (
        f"{scale} {context.level_note} That average has moved since then; earlier levels were carried over exactly, "
        f"their intervals as the widest they can be ({wider} wider than reported)."
    )


def verdict_line(verdicts: Sequence[VerdictStatus]) -> str:
    """`“Can be trusted” 3 times, then “Use another model”`: every run, oldest first."""
    runs = [(quoted(status), len(list(group))) for status, group in groupby(verdicts)]
    return ", then ".join(said if n == 1 else f"{said} {n:,} times" for said, n in runs)


def history_finding(context: ReportContext, history: History) -> str:
    runs = history.runs
    if len(runs) < 2:
        return "No earlier report can be compared with this one."
    n_shown, n_all = len(runs), len(history.verdicts)
    which = f"the newest {n_shown:,} of {n_all:,} reports" if n_shown < n_all else f"all {n_all:,} reports so far"
    opening = f"Compared are {which}, {moment(runs[0].started_at)} to {moment(runs[-1].started_at)}."
    return f"{opening} Verdicts, oldest first: {verdict_line(history.verdicts)}. {_drift(context, history)}"


def _drift(context: ReportContext, history: History) -> str:
    """Which group's level changed most over the runs, among the groups shown."""
    level = history.groups.mean[:, :, 0]
    seen = np.isfinite(level).sum(axis=0) > 1
    if not seen.any():
        return "No group is in more than one of them."
    filled = np.where(seen, level, 0.0)
    most = int((np.nanmax(filled, axis=0) - np.nanmin(filled, axis=0)).argmax())
    places = numbers.common_decimals(history.groups.sd[:, most, 0])
    low, high = (fixed(float(end), places) for end in (np.nanmin(level[:, most]), np.nanmax(level[:, most])))
    name = context.named(int(history.positions[most]))
    return f"The level of {name} went farthest: between {low} and {with_unit(high, context.unit)}."


def history_rule(history: History) -> str:
    if len(history.labels) >= history.n_groups:
        return ""
    return (
        f"Shown are the {len(history.labels)} of {history.n_groups:,} groups whose estimates moved most over these "
        "runs, relative to the width of their intervals."
    )
