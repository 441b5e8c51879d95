"""`poolwise run`: shows the published report if nothing has changed since, else runs the flow."""

from __future__ import annotations

import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from flows.server.imports import nothing_collected
from flows.server.prefect_settings import names_a_server
from flows.server.quiet import keep_log
from tasks.engines.engines import EngineName
from tasks.study.errors import PoolwiseError

if TYPE_CHECKING:
    from flows.outcome import Outcome
    from flows.steps.binding import Listener
    from tasks.opening.studies import OpenedStudy

STARTED = time.perf_counter()


def publish_report(
    opened: OpenedStudy,
    out: Path,
    engine: EngineName,
    force: bool,
    standalone: bool,
    open_report: bool,
    pdf: Path | None,
    dask: str | None,
) -> None:
    """Run the study and show its verdict and report. Raises PoolwiseError when nothing can be published."""
    from flows.cli import console
    from tasks.disk.layout import REPORT
    from tasks.reports.paper import print_report
    from tasks.reports.publish import share_plotly
    from tasks.reports.refresh import bring
    from tasks.reports.run_folders import read_verdict

    with console.narrated(opened.study.title) as narrator:
        narrator.began("start")
        folder = None if force else _report_of_the_same(opened, out, narrator)
        is_new = False
        if folder is None:
            outcome = _run(opened, out, engine, force, standalone, dask, narrator)
            folder, is_new = outcome.folder, outcome.is_new
    console.show_verdict(read_verdict(folder))
    console.show_report(folder, standalone)
    if not is_new:
        console.out.say("Nothing has changed since this report was published. Use --force to publish another.")
    if pdf is not None:
        share_plotly(out)
        bring(folder / REPORT, out)
        print_report(folder / REPORT, pdf)
        console.out.say(f"PDF          {pdf}")
    if open_report:
        share_plotly(out)
        bring(folder / REPORT, out)
        webbrowser.open((folder / REPORT).resolve().as_uri())


def _report_of_the_same(opened: OpenedStudy, out: Path, listener: Listener) -> Path | None:
    """The newest report if data and study are as they were for it, else None: found without Prefect, in a second.

    None also when something is wrong: the flow meets it again, and tells whom the study names.
    """
    from tasks.reports.unchanged import report_of_the_same

    try:
        folder = report_of_the_same(opened, out)
    except (PoolwiseError, OSError):
        return None
    if folder is not None and opened.study.notify.max_age_days is not None:
        from tasks.notify.notify import age_in_days, in_words, notify_stale

        if told := notify_stale(opened, out, age_in_days(opened)):
            listener.ended("notify", 0.0, in_words(told))
    return folder


def _run(
    opened: OpenedStudy,
    out: Path,
    engine: EngineName,
    force: bool,
    standalone: bool,
    dask: str | None,
    listener: Listener,
) -> Outcome:
    """Run the pipeline: as a flow where Prefect's settings name a server, which then shows it; else without Prefect."""
    is_flow_run = names_a_server()
    with nothing_collected():
        from flows.pipeline import report
        from flows.steps.binding import RunLog, logged

        if is_flow_run:
            from flows.report import pooling_report as report  # type: ignore[assignment]
    keep_log()
    with logged(RunLog(listener, STARTED, is_flow_run=is_flow_run)) as log:
        if not is_flow_run:
            log.began_running()
        return report(opened, out, engine, force, standalone, dask)
