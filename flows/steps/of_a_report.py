"""The steps of a report: plain functions, each with a line on what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from flows.steps.analysis import Analysis
from flows.steps.binding import run_log, step
from flows.steps.reading_ahead import read_ahead
from flows.steps.step_words import (
    counted_files,
    looked_back_found,
    read_found,
    rows_found,
)
from tasks.disk.mirror import place_of
from tasks.look.look import Look
from tasks.notify.notify import (
    Delivery,
    deliver,
    in_words,
    is_told_stale,
    notify_failure,
    notify_stale,
    remember_stale,
    report_address,
)
from tasks.opening.studies import OpenedStudy
from tasks.reports.catalogue import rebuild_catalogue
from tasks.reports.earlier_runs import files_of, read_history, read_previous
from tasks.reports.publish import Content, keep_rejections
from tasks.reports.publish import publish as publish_files
from tasks.reports.run_files import files_of_run, rejections_csv
from tasks.rows.collect import Collected, collect
from tasks.rows.earlier_files import EarlierDigests, earlier_digests
from tasks.rows.read_files import ReadFiles, read_files
from tasks.rows.store import identify
from tasks.rows.study_files import wait_for_incoming
from tasks.stats.past.changes import compare
from tasks.stats.past.earlier import PreviousReport
from tasks.study.errors import DataRejected
from tasks.study.model import Study
from tasks.view.report_context import ReportContext
from tasks.view.report_notices import notices_of


def files_read(opened: OpenedStudy, sha256: Mapping[str, str], reports: Path, dask: str | None = None) -> ReadFiles:
    """Digests of the files of these hashes, from the store or, for new files, by reading them."""
    log = run_log()

    def progress(share: float) -> None:
        log.listener.advanced("read files", share)

    ahead = frozenset[str]() if log.one_of_many else read_ahead(opened, sha256, reports, dask, progress)
    read = read_files(opened, sha256, reports, progress)
    return replace(read, names_read=read.names_read | (ahead - read.set_aside.keys()))


def previous_report(reports: Path, study_name: str) -> PreviousReport | None:
    """The report that this one will be compared with, or None if it is the first."""
    return read_previous(reports, study_name)


def collected_or_kept(
    read: ReadFiles, opened: OpenedStudy, reports: Path, run_id: str, previous: PreviousReport | None
) -> Collected:
    """Add the files up. If that raises DataRejected, the rejected rows are written to disk first."""
    study = opened.study
    earlier = _rows_of_earlier_runs(read, opened, reports, previous) if previous else None
    try:
        return collect(read, study, earlier)
    except DataRejected as stopped:
        if not stopped.rejections:
            raise
        path = keep_rejections(reports, study.name, run_id, rejections_csv(stopped.rejections))
        raise DataRejected(f"{stopped} The rejected rows are in {place_of(path)}.", stopped.rejections) from None


def _rows_of_earlier_runs(
    read: ReadFiles, opened: OpenedStudy, reports: Path, previous: PreviousReport
) -> EarlierDigests:
    """What the store still has of the previous report's rows, and of those of runs in which an alarm rang."""
    rang = {each.since for each in previous.evidence.values() if each.since} - {previous.run.id}
    runs = {run: files_of(reports, opened.study.name, run) for run in sorted(rang)}
    return earlier_digests(opened, read, reports, {**runs, previous.run.id: previous.files})


def looked_back(
    reports: Path, opened: OpenedStudy, analysis: Analysis, rows: Collected, previous: PreviousReport | None
) -> ReportContext:
    """What the report is written from: this run, with what changed since the previous report, and its history."""
    study, findings = opened.study, analysis.findings
    return analysis.context_of(
        study,
        findings,
        rows.sample,
        analysis.draws,
        rows.rejections,
        changes=compare(study, previous, findings, rows.earlier) if previous and rows.earlier else None,
        history=read_history(reports, study, findings),
        study_text=opened.text,
        answer_draws=analysis.answer_draws,
    )


def written(context: ReportContext, standalone: bool, look: Look | None) -> Mapping[str, Content]:
    """What the run folder will hold, by file name."""
    return files_of_run(context, standalone, look, run_log())


def published(
    reports: Path, study: Study, run_id: str, files: Mapping[str, Content], confirm: Callable[[], object] = lambda: None
) -> Path:
    """Publish the run, if `confirm` raises nothing, and rebuild the catalogue; returns the run's folder.

    The studies of a portfolio leave the catalogue to the end of them all.
    """
    folder = publish_files(reports, study.name, run_id, files, confirm)
    if not run_log().one_of_many:
        rebuild_catalogue(reports)
    return folder


def identified(opened: OpenedStudy, reports: Path) -> dict[str, str]:
    """sha256 by name of the complete files.

    Waits a little for files being written, then leaves them to the next run.
    """
    wait_for_incoming(opened)
    return identify(opened, reports)


def link_of_this_run() -> str:
    """The address of the run's page in Prefect; empty if it has none."""
    if not run_log().is_flow_run:
        return ""
    from flows.steps import in_prefect

    return in_prefect.link_of_this_run()


def leave_on_page(context: ReportContext, folder: Path) -> None:
    """In a flow run, leave verdict and estimates on its page in Prefect, and emit the report's events."""
    if not run_log().is_flow_run:
        return
    from flows.steps.artifacts import leave_artifacts
    from flows.steps.events import say_published

    leave_artifacts(context, folder)
    say_published(context, folder)


def tell(opened: OpenedStudy, reports: Path, context: ReportContext, folder: Path, age_days: float | None) -> None:
    """Send the notices that the study asks for after a report; a notice that does not arrive stops nothing."""
    notices = notices_of(context, report_address(folder), age_days)
    if any(notice.kind == "stale" for notice in notices) and is_told_stale(opened, reports):
        notices = tuple(notice for notice in notices if notice.kind != "stale")
    if notices:
        remember_stale(opened, reports, notify(opened.study, notices))


def tell_stale(opened: OpenedStudy, reports: Path, age_days: float | None) -> None:
    """Send the stale notice when an unchanged study is past max_age_days."""
    _told(notify_stale(opened, reports, age_days))


@contextmanager
def failure_told(opened: OpenedStudy, reports: Path) -> Iterator[None]:
    """Send the failure notice if the block raises, and raise the error again."""
    try:
        yield
    except Exception as error:
        _told(notify_failure(opened, error, reports))
        raise


def _told(deliveries: Sequence[Delivery]) -> None:
    """Show deliveries as a step of their own; nothing if there are none."""
    if deliveries:
        run_log().listener.ended("notify", 0.0, in_words(deliveries))


identify_files = step(identified, "find files", lambda found: counted_files(len(found)), disk=True)
read = step(files_read, "read files", read_found, disk=True)
collect_rows = step(collected_or_kept, "collect", rows_found, disk=True)
look_back = step(looked_back, "look back", looked_back_found)
write = step(written, "write")
publish = step(published, "publish", disk=True)
notify = step(deliver, "notify", in_words)
