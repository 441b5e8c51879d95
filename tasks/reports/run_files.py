"""What a run folder holds: the report, its summary and numbers, the draws, and the study as it was asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from tasks.disk.atomic import encoded
from tasks.disk.layout import ESTIMATES, POSTERIOR, REJECTED_ROWS, REPORT, STANDALONE, STUDY_TEXT, SUMMARY
from tasks.engines.posterior_file import write_posterior
from tasks.look.look import Look
from tasks.look.render import render_report
from tasks.reports.publish import Content, plotly_from_a_run
from tasks.rows.validate import rejections_frame
from tasks.study.errors import Rejection
from tasks.view.document import summary_json, summary_of
from tasks.view.families import words_of
from tasks.view.page import build_page
from tasks.view.report_context import ReportContext


class StopWatch(Protocol):
    """Knows how long a run's steps took."""

    def seconds(self) -> dict[str, float]:
        """Seconds per step so far."""

    def timed(self, step: str) -> AbstractContextManager[None]:
        """Adds the seconds spent inside to the step's."""


def files_of_run(
    context: ReportContext, standalone: bool, look: Look | None, watch: StopWatch
) -> Mapping[str, Content]:
    """Content by file name, to be written in this order: the summary comes last, as it says how long the rest took."""
    study, findings = context.study, context.findings
    draws = context.draws
    assert draws is not None
    page = build_page(_timed(context, watch.seconds()))

    def posterior(path: Path) -> None:
        with watch.timed("store posterior"):
            write_posterior(path, draws, study, findings, context.data, context.answer_draws)

    def summary(path: Path) -> None:
        path.write_bytes(encoded(summary_json(summary_of(_timed(context, watch.seconds())))))

    return {
        STUDY_TEXT: context.study_text,
        REPORT: render_report(page, plotly_from_a_run(), look=look),
        **({STANDALONE: render_report(page, "", standalone=True, look=look)} if standalone else {}),
        ESTIMATES: words_of(context).estimates(context),
        **({REJECTED_ROWS: rejections_csv(context.rejections)} if context.rejections else {}),
        POSTERIOR: posterior,
        SUMMARY: summary,
    }


def _timed(context: ReportContext, seconds: dict[str, float]) -> ReportContext:
    findings: Any = context.findings
    return replace(context, findings=replace(findings, timings=seconds))


def rejections_csv(rejections: Iterable[Rejection]) -> str:
    """One line per reason against a row."""
    return rejections_frame(rejections).to_csv(index=False, lineterminator="\n")
