"""The events that Poolwise emits to Prefect, for others' automations.

An event's resource is `poolwise.study.<name>`. Poolwise itself relies on none of them: events are lost when a server
dies.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect.events import emit_event

from tasks.reports.ledger import Arrival

if TYPE_CHECKING:
    from tasks.view.report_context import ReportContext

DATA_ARRIVED = "poolwise.data.arrived"
DATA_REJECTED = "poolwise.data.rejected"
REPORT_PUBLISHED = "poolwise.report.published"
VERDICT_CHANGED = "poolwise.verdict.changed"
RUN_REQUESTED = "poolwise.run.requested"  # others emit this one

MOST_FILES_NAMED = 1000


def study_resource(study_name: str) -> str:
    """The id of the resource by which events name a study."""
    return f"poolwise.study.{study_name}"


def say_arrived(study_name: str, waiting: Sequence[Arrival]) -> None:
    """Emit that new data wait for a run; at most MOST_FILES_NAMED files are named."""
    files = [{"name": each.name, "sha256": each.sha256} for each in waiting[:MOST_FILES_NAMED]]
    _emit(DATA_ARRIVED, study_name, {"n_files": len(waiting), "files": files})


def say_rejected(study_name: str, run_id: str, reason: str) -> None:
    """Emit that a run published nothing because of its rows."""
    _emit(DATA_REJECTED, study_name, {"run": run_id, "reason": reason})


def say_published(context: ReportContext, folder: Path) -> None:
    """Emit that a report is published and, if so, that it has rejected rows or another verdict than the last."""
    from tasks.notify.notify import report_address
    from tasks.view.verdict_words import verdict_of

    study_name, run, verdict = context.study.name, context.findings.run, verdict_of(context)
    facts = {"run": run.id, "status": verdict.status, "headline": verdict.headline, "report": report_address(folder)}
    _emit(REPORT_PUBLISHED, study_name, {**facts, "n_rows": run.n_rows, "recommended": verdict.recommended_model})
    if run.n_rejected:
        _emit(DATA_REJECTED, study_name, {**facts, "n_rejected": run.n_rejected})
    change = context.changes.verdict if context.changes else None
    if change and change.direction != "same":
        before = {"status": change.status.then, "recommended": change.recommended_model.then}
        _emit(VERDICT_CHANGED, study_name, {**facts, "direction": change.direction, "before": before})


def _emit(event: str, study_name: str, payload: dict[str, Any]) -> None:
    resource = {"prefect.resource.id": study_resource(study_name), "prefect.resource.name": study_name}
    emit_event(event=event, resource=resource, payload={"study": study_name, **payload})
