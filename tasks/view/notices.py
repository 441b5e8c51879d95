"""Notices in words, from the rules under a study's [notify] and what a run found.

Notices are plain text, one line per fact, headline first and the report's address last. They say what
the report says and no more; they hold no address of a receiver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.stats.past.changes import Changes
from tasks.stats.records import VerdictStatus
from tasks.study.errors import DataRejected, PoolwiseError
from tasks.study.model import Study
from tasks.study.run import RunRecord
from tasks.view.context import Context
from tasks.view.topics.increment_words import moved_sentence
from tasks.view.verdict_words import verdict_of

Kind = Literal["worse", "moved", "rejected", "stale", "failed"]
Severity = Literal["warning", "failure"]
ERROR_CHARACTERS = 2000
SAID: dict[VerdictStatus, str] = {
    "trust": "partial pooling can be trusted",
    "use": "another model is needed",
    "none": "no model can be trusted",
}


@dataclass(frozen=True)
class Notice:
    kind: Kind
    severity: Severity
    title: str  # one line
    body: str


def notices_of(context: Context, address: str, age_days: float | None = None) -> tuple[Notice, ...]:
    """The notices that a published report gives reason to send; empty if there are none or nobody asked for them.

    `address` is where the report can be read, `age_days` the age of the newest file.
    """
    study = context.study
    of_run = (_worse(context, address), _moved(context, address), _rejected(context, address))
    found = (*of_run, stale(study, age_days, address))
    return tuple(notice for notice in found if notice is not None and _is_wanted(study, notice.kind))


def failure(study: Study, error: BaseException, address: str = "") -> Notice | None:
    """The notice of a run that published nothing; None if not asked for. `address` is the latest report's, if any.

    If rows stopped the run, those who asked only for `rejected` are told, too.
    """
    kind: Kind = "rejected" if isinstance(error, DataRejected) and not _is_wanted(study, "failed") else "failed"
    if not _is_wanted(study, kind):
        return None
    reason = str(error) if isinstance(error, PoolwiseError) else f"{type(error).__name__}: {error}"
    title = "the data were rejected" if isinstance(error, DataRejected) else "the run failed"
    stands = "; the one before it stands" if address else ""
    lines = [f"No report was published{stands}.", reason[:ERROR_CHARACTERS]]
    return _notice(study, kind, "failure", title, lines, address, f"Study: {study.name}")


def stale(study: Study, age_days: float | None, address: str) -> Notice | None:
    """The notice that the newest file is older than the study allows; None if it is not, or nobody asked for it."""
    limit = study.notify.max_age_days
    if limit is None or age_days is None or age_days <= limit or not _is_wanted(study, "stale"):
        return None
    lines = [f"The newest file is {age_days:.1f} days old; the study allows {limit:g}. No newer data have come."]
    return _notice(study, "stale", "warning", "the data are out of date", lines, address, f"Study: {study.name}")


def _is_wanted(study: Study, kind: Kind) -> bool:
    return bool(study.notify.to) and kind in study.notify.on


def _worse(context: Context, address: str) -> Notice | None:
    changes, verdict = context.changes, verdict_of(context)
    if changes is None or changes.verdict.direction != "worse":
        return None
    lines = [verdict.headline, verdict.reason, _step_down(changes)]
    if verdict.status != "none":
        lines.append(f"Recommended: {verdict.recommended_model}")
    severity: Severity = "failure" if verdict.status == "none" else "warning"
    return _notice(context.study, "worse", severity, "the verdict is worse", lines, address, _run(context.findings.run))


def _step_down(changes: Changes) -> str:
    then, now = (SAID[status] for status in (changes.verdict.status.then, changes.verdict.status.now))
    return f"The report of {changes.previous_started_at} said that {then}, this one that {now}."


def _moved(context: Context, address: str) -> Notice | None:
    moves = None if context.changes is None else context.changes.moves
    if moves is None or not moves.rings.any():
        return None
    n = int(moves.rings.sum())
    title = "a group has moved" if n == 1 else f"{n:,} groups have moved"
    lines = [moved_sentence(context, moves), f"The report says: {verdict_of(context).headline}"]
    return _notice(context.study, "moved", "warning", title, lines, address, _run(context.findings.run))


def _rejected(context: Context, address: str) -> Notice | None:
    study, run, limit = context.study, context.findings.run, context.study.notify.rejected_share
    share = run.n_rejected / max(run.n_rows + run.n_rejected, 1)
    if share <= limit:
        return None
    n_read = run.n_rows + run.n_rejected
    rules = ", ".join(f"{rule} ({count})" for rule, count in sorted(run.rejected_by_rule.items(), key=lambda r: -r[1]))
    lines = [
        f"{run.n_rejected:,} of {n_read:,} rows ({share:.1%}) were rejected; the limit for telling is {limit:.1%}.",
        f"Rules broken: {rules}." if rules else "",
        f"The report says: {verdict_of(context).headline}",
    ]
    return _notice(study, "rejected", "warning", "rows were rejected", lines, address, _run(run))


def _run(run: RunRecord) -> str:
    return f"Run: {run.id}, started {run.started_at}"


def _notice(
    study: Study, kind: Kind, severity: Severity, what: str, lines: list[str], address: str, source: str
) -> Notice:
    body = [*map(_one_line, filter(None, lines)), _one_line(source), *([f"Report: {address}"] if address else [])]
    return Notice(kind, severity, f"{_one_line(study.title)} – {what}", "\n".join(body))


def _one_line(text: str) -> str:
    """The text on one line, without control characters: mail would take a line break for the start of a header."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
