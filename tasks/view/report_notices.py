"""What a published report gives reason to tell: see `tasks.view.notices`."""

from __future__ import annotations

from dataclasses import replace

from tasks.stats.past.changes import Changes
from tasks.stats.records import VerdictStatus
from tasks.study.run import RunRecord
from tasks.view.families import words_of
from tasks.view.notices import FirstScreen, Notice, Severity, is_wanted, notice_of, stale
from tasks.view.report_context import ReportContext
from tasks.view.topics.increment_words import moved_sentence
from tasks.view.verdict_words import verdict_of
from tasks.view.words import text
from tasks.view.words.verdict_labels import LABELS

SAID: dict[VerdictStatus, str] = {
    "trust": "partial pooling can be trusted",
    "use": "another model is needed",
    "none": "no model can be trusted",
}


def notices_of(context: ReportContext, address: str, age_days: float | None = None) -> tuple[Notice, ...]:
    """The notices that a published report gives reason to send; empty if there are none or nobody asked for them.

    `address` is where the report can be read, `age_days` the age of the newest file.
    """
    study = context.study
    of_run = (_worse(context, address), _moved(context, address), _rejected(context, address))
    found = (*of_run, stale(study, age_days, address))
    wanted = [notice for notice in found if notice is not None and is_wanted(study, notice.kind)]
    screen = _first_screen(context) if wanted else None
    return tuple(replace(notice, screen=screen) for notice in wanted)


def _first_screen(context: ReportContext) -> FirstScreen:
    verdict = verdict_of(context)
    return FirstScreen(
        verdict.status,
        LABELS[verdict.status],
        text.typeset(verdict.headline),
        text.sentence_case(words_of(context).one_sentence(context)),
        words_of(context).hero(context),
    )


def _worse(context: ReportContext, address: str) -> Notice | None:
    changes, verdict = context.changes, verdict_of(context)
    if changes is None or changes.verdict.direction != "worse":
        return None
    lines = [verdict.headline, verdict.reason, _step_down(changes)]
    if verdict.status != "none":
        lines.append(f"Recommended: {verdict.recommended_model}")
    severity: Severity = "failure" if verdict.status == "none" else "warning"
    return notice_of(
        context.study, "worse", severity, "the verdict is worse", lines, address, _run(context.findings.run)
    )


def _step_down(changes: Changes) -> str:
    then, now = (SAID[status] for status in (changes.verdict.status.then, changes.verdict.status.now))
    return f"The report of {changes.previous_started_at} said that {then}, this one that {now}."


def _moved(context: ReportContext, address: str) -> Notice | None:
    moves = None if context.seen_changes is None else context.seen_changes.moves
    if moves is None or not moves.rings.any():
        return None
    n = int(moves.rings.sum())
    title = "a group has moved" if n == 1 else f"{n:,} groups have moved"
    lines = [moved_sentence(context, moves), f"The report says: {verdict_of(context).headline}"]
    return notice_of(context.study, "moved", "warning", title, lines, address, _run(context.findings.run))


def _rejected(context: ReportContext, address: str) -> Notice | None:
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
    return notice_of(study, "rejected", "warning", "rows were rejected", lines, address, _run(run))


def _run(run: RunRecord) -> str:
    return f"Run: {run.id}, started {run.started_at}"
