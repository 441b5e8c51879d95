"""Which files of a reports folder may be sent, and with which headers.

A file is found by going down name by name: every name has to be an ordinary one, every step a real folder or file. No
link is followed below the reports folder, so nothing outside is ever reached.
"""

from __future__ import annotations

import html
import os
import re
import stat
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from tasks.disk.layout import (
    ESTIMATES,
    LATEST,
    PORTFOLIO_PAGE,
    POSTERIOR,
    REJECTED,
    REJECTED_ROWS,
    REPORT,
    SHARED_PLOTLY,
    STANDALONE,
    STUDY_TEXT,
    SUMMARY,
)
from tasks.reports.refresh import bring
from tasks.reports.run_folders import is_name
from tasks.site.replies import FRAME_NOWHERE, NO_SCRIPT, if_modified
from tasks.study.errors import PoolwiseError

MEDIA_TYPES = {
    REPORT: "text/html",
    STANDALONE: "text/html",
    SUMMARY: "application/json",
    ESTIMATES: "text/csv",
    REJECTED_ROWS: "text/csv",
    POSTERIOR: "application/x-netcdf",
    STUDY_TEXT: "application/toml",
}
KEPT_REJECTIONS = re.compile(r"[^/\\]+\.csv")

# A run's files never change, but a run may be deleted: browsers ask each time and get "not modified".
ASK_EACH_TIME = "private, no-cache"
# plotly.js has its version in its name.
KEEP = "private, max-age=31536000, immutable"

POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)"')
# What a report's policy may allow: itself, its own scripts by hash, styles, pictures inside it; no host.
ALLOWED = re.compile(r"'(self|none|unsafe-eval|wasm-unsafe-eval|sha(256|384|512)-[A-Za-z0-9+/=]+)'|data:|blob:")
POLICY_BYTES = 4096


def run_file(reports: Path, study: str, run: str, name: str) -> Path | None:
    """A run's file if it is one of MEDIA_TYPES, else None."""
    is_run = run not in (LATEST, REJECTED)
    return _down(reports, study, run, name) if is_run and name in MEDIA_TYPES else None


def rejected_rows(reports: Path, study: str, name: str) -> Path | None:
    """The rejected rows of a run that published nothing else, or None if there are none."""
    return _down(reports, study, REJECTED, name) if KEPT_REJECTIONS.fullmatch(name) else None


def shared_script(reports: Path, name: str) -> Path | None:
    """A plotly.js that reports share, or None if this is not the name of one."""
    return _down(reports, name) if SHARED_PLOTLY.fullmatch(name) else None


def portfolio_page(reports: Path, name: str) -> Path | None:
    """A portfolio's page as it is now, or None if this is not the name of one."""
    return _down(reports, name, anew=True) if PORTFOLIO_PAGE.fullmatch(name) else None


def file_response(request: Request, path: Path) -> Response:
    """The file as a stream, with ranges; 304 when the reader has it already."""
    is_shared = SHARED_PLOTLY.fullmatch(path.name) is not None
    is_page = PORTFOLIO_PAGE.fullmatch(path.name) is not None
    media_type = "text/javascript" if is_shared else "text/html" if is_page else MEDIA_TYPES.get(path.name, "text/csv")
    headers = {"Cache-Control": KEEP if is_shared else ASK_EACH_TIME}
    if media_type == "text/html":
        headers["Content-Security-Policy"] = report_policy(_beginning(path))
    response = FileResponse(path, headers=headers, media_type=media_type, stat_result=path.stat())
    return if_modified(request, response)


def report_policy(beginning: str) -> str:
    """The Content-Security-Policy in a report's head, as a header that also forbids framing.

    Only sources that Poolwise itself writes are kept, so that a report cannot widen it. A report without a policy may
    run no script.
    """
    found = POLICY.search(beginning)
    if not found:
        return NO_SCRIPT
    directives = [words.split() for words in html.unescape(found[1]).split(";") if words.strip()]
    if not any(name == "default-src" for name, *_ in directives):
        return NO_SCRIPT
    kept = [_directive(name, sources) for name, *sources in directives if re.fullmatch("[a-z-]+", name)]
    return "; ".join((*kept, FRAME_NOWHERE))


def _directive(name: str, sources: list[str]) -> str:
    """The directive with those of its sources that are allowed."""
    inline = ("'unsafe-inline'",) if name == "style-src" else ()
    allowed = [source for source in sources if source in inline or ALLOWED.fullmatch(source)]
    return " ".join((name, *(allowed or ["'none'"])))


def _beginning(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(POLICY_BYTES).decode("utf-8", "replace")


def _down(reports: Path, *names: str, anew: bool = False) -> Path | None:
    """The file at these names below the reports folder; None unless every name and every step is an ordinary one."""
    path, last = reports, len(names) - 1
    for depth, name in enumerate(names):
        path = path / name
        if not is_name(name):
            return None
        if depth == last:
            _bring(path, reports, anew)
        if _kind(path) != (stat.S_IFREG if depth == last else stat.S_IFDIR):
            return None
    return path


def _bring(path: Path, reports: Path, anew: bool) -> None:
    """Where the folder mirrors an object store, have the file here. Raises OSError, as a disk would."""
    try:
        bring(path, reports, anew)
    except PoolwiseError as error:
        raise OSError(str(error)) from error


def _kind(path: Path) -> int | None:
    """Whether it is a file, a folder or a link, without following it (an `stat.S_IF…`); None if it cannot be seen."""
    try:
        return stat.S_IFMT(os.lstat(path).st_mode)
    except OSError:
        return None
