"""Answers whether there is anything new to report, without Prefect and its server."""

from __future__ import annotations

from pathlib import Path

from tasks.opening.studies import OpenedStudy
from tasks.reports.catalogue import is_listed
from tasks.reports.ledger import Ledger
from tasks.reports.publish import is_published
from tasks.reports.refresh import refresh
from tasks.reports.run_lock import is_noted, only_run
from tasks.reports.run_record import open_run
from tasks.rows.store import identify
from tasks.rows.study_files import wait_for_incoming


def report_of_the_same(opened: OpenedStudy, reports: Path) -> Path | None:
    """The newest report if it is of this study and its files as they are now, else None; these are then counted.

    None also while another run goes on, or after one that died. Raises DataRejected when there is no file, StudyError
    for a look that cannot be used.
    """
    study = opened.study
    if is_noted(reports, study.name):
        return None
    wait_for_incoming(opened)
    files = identify(opened, reports)
    run = open_run(study, files, _hash_of_look(opened))
    refresh(reports, study.name)
    published = is_published(reports, study.name, run.fingerprint)
    if published is None or not is_listed(reports, published):
        return None
    with only_run(reports, study.name):
        ledger = Ledger(reports)
        ledger.take(study.name, run.id, files.values())
        ledger.count(run.id)
    return published


def _hash_of_look(opened: OpenedStudy) -> str:
    """The hash of the study's look; empty if it has none. Raises StudyError."""
    if opened.look_folder is None:
        return ""
    from tasks.look.trial import look_of  # imported here because it loads what renders pages

    look = look_of(opened)
    return look.sha256 if look else ""
