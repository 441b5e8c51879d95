"""Run folders as they are after publishing, without a run; and what must not be read over HTTP."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from tasks.view.document import summary_json, summary_of
from tests.factories import singular_case

# Where `hide_things` hides, and ways to say it.
OUTSIDE = [
    "/secret.csv",
    "/../secret.csv",
    "/a/../../secret.csv",
    "/a/r1/../../../secret.csv",
    "/a/rejected/../../../secret.csv",
    "/a/r1/%2e%2e/%2e%2e/%2e%2e/secret.csv",
    "/a/rejected/..%2f..%2f..%2fsecret.csv",
    "/a/rejected/..%5c..%5c..%5csecret.csv",
    "/a/rejected/%2e%2e%2f%2e%2e%2f%2e%2e%2fsecret.csv",
    "/a/rejected/%252e%252e%252f%252e%252e%252fsecret.csv",
    "/a/rejected/..%c0%af..%c0%afsecret.csv",
    "/a/rejected/%00.csv",
    "/a/rejected/" + "x" * 300 + ".csv",
    "/a/r1/report.html%00.csv",
    "/a/r1/report.html/",
    "/a/r1/report.html/.",
    "/a/r1%00/report.html",
    "/a/./r1/report.html",
    "/a/../a/r1/report.html",
    "/%2e/a/r1/report.html",
    "/a/.%2fr1/report.html",
    "/a//r1/report.html",
    "//a/r1/report.html",
    "/a\\r1\\report.html",
    "/a%5cr1/report.html",
    "/a/r1/REPORT.HTML",
    "/a/r1/report.html~",
    "/a/r1/.report.html.0a1b",
    "/a/r1/notes.txt",
    "/a/r1/folder.csv",
    "/a/.staging-r2/report.html",
    "/a/.staging-r2/",
    "/a/latest/notes.txt",
    "/a/linked/report.html",
    "/a/r1/rejected.csv/x",
    "/a/rejected/linked.csv",
    "/a/rejected/.hidden.csv",
    "/a/rejected/",
    "/a/rejected",
    "/linked/r1/report.html",
    "/.store/r1/report.html",
    "/.store/",
    "/.serve.lock",
    "/index.html.bak",
    "/plotly-4.1.1.min.js/../secret.csv",
    "/plotly-linked.min.js",
    "/plotly-../secret.min.js",
    "/nowhere/latest/",
    "/nowhere/feed.atom",
    "/nowhere/",
    "/favicon.ico",
    "/robots.txt",
    "/docs",
    "/openapi.json",
    "/etc/passwd",
    "/%2fetc%2fpasswd",
    "/file:%2f%2f%2fetc%2fpasswd",
]


def add_run(
    reports: Path,
    study: str,
    run_id: str,
    *,
    run: dict[str, Any] | None = None,
    overview: dict[str, Any] | None = None,
    **verdict: Any,
) -> Path:
    """Keywords change the verdict, `run`, `overview` and `study_title` what else a catalogue shows."""
    title = verdict.pop("study_title", f"Question of {study}")
    summary = _summary()
    whole = {
        **summary,
        "study": {**summary["study"], "name": study, "title": title},
        "verdict": {**summary["verdict"], **verdict},
        "run": {**summary["run"], "id": run_id, "started_at": "2026-11-22T10:15:00Z", **(run or {})},
        "overview": {**summary["overview"], **(overview or {})},
    }
    folder = reports / study / run_id
    staging = folder.with_name(f".staging-{run_id}")
    staging.mkdir(parents=True)
    (staging / "summary.json").write_text(summary_json(whole), "utf-8")
    (staging / "report.html").write_text("report")
    return staging.rename(folder)  # whole or not at all, as runs are published


@cache
def _summary() -> dict[str, Any]:
    case = singular_case()
    return summary_of(case.context)


def hide_things(reports: Path) -> None:
    """What must not leave, inside and outside of the reports folder; every file says `secret`."""
    outside = reports.parent / "outside" / "r1"
    outside.mkdir(parents=True)
    run = reports / "a" / "r1"
    hidden = [reports / ".store" / "r1" / "report.html", reports / "a" / ".staging-r2" / "report.html"]
    others = [reports / ".serve.lock", reports / "index.html.bak", run / "notes.txt", run / ".report.html.0a1b"]
    others += [run / "report.html~", outside / "report.html", reports / "a" / "rejected" / ".hidden.csv"]
    for path in (*hidden, *others):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("secret")
    (run / "folder.csv").mkdir()
    os.symlink(outside, reports / "a" / "linked")
    os.symlink(outside.parent, reports / "linked")
    os.symlink(reports.parent / "secret.csv", reports / "a" / "rejected" / "linked.csv")
    os.symlink(reports.parent / "secret.csv", reports / "plotly-linked.min.js")
