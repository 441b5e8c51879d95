"""`reports/index.html` and `reports/catalogue.json`: derived from the run folders, safe to delete."""

from __future__ import annotations

import json
import math
from pathlib import Path
from threading import Lock
from typing import Any, get_args

from tasks.disk import layout as reports_layout
from tasks.disk.atomic import explained, write_whole
from tasks.disk.layout import REJECTED, SUMMARY
from tasks.disk.mirror import mirror_of
from tasks.look.render import render_plain
from tasks.reports.refresh import refresh
from tasks.reports.run_folders import (
    OVERVIEW,
    UnreadableRun,
    is_name,
    question_in,
    read_head,
    run_folders,
    study_folders,
)
from tasks.rows.file_stamps import FileStamp, stamp_of
from tasks.stats.records import VerdictStatus
from tasks.study.plain_text import shown
from tasks.view.catalogue.catalogue import (
    Catalogue,
    DamagedRun,
    RejectedRun,
    RunEntry,
    catalogue_json,
    catalogue_of,
)
from tasks.view.catalogue.page import page_of
from tasks.view.catalogue.trends import KeyEstimate
from tasks.view.words.text import clean

MOST_REBUILDS = 10
SPREADS = ("group_sd", "icc")


def rebuild_catalogue(reports: Path) -> Path:
    """Write both files from the run folders, into the object store too if there is one; returns the page's path.

    Others may publish and rebuild meanwhile. Who finds other run folders after writing than before starts over, so the
    last to write has seen them all.
    """
    with explained("write the catalogue", reports):
        reports.mkdir(parents=True, exist_ok=True)
        refresh(reports)
        for _ in range(MOST_REBUILDS):
            seen = _inventory(reports)
            _write(reports, read_catalogue(reports))
            refresh(reports)
            if _inventory(reports) == seen:
                break
    return reports_layout.catalogue_page(reports)


def is_listed(reports: Path, run_folder: Path) -> bool:
    """Whether the written catalogue names the run; not if a run died between its publication and the catalogue's."""
    path = reports_layout.catalogue_json(reports)
    mirror = mirror_of(reports)
    if mirror and not mirror.fetch(path):
        return False
    try:
        return run_folder.name in path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _write(reports: Path, catalogue: Catalogue) -> None:
    told, page = reports_layout.catalogue_json(reports), reports_layout.catalogue_page(reports)
    write_whole(told, json.dumps(catalogue_json(catalogue), ensure_ascii=False))
    write_whole(page, catalogue_page(catalogue))
    if mirror := mirror_of(reports):
        mirror.push(told, page)


def list_runs(reports: Path) -> list[RunEntry]:
    """Every run that can be read, newest first."""
    return list(read_catalogue(reports).runs)


def read_catalogue(reports: Path) -> Catalogue:
    """The catalogue of the run folders as they are now; runs that cannot be read are listed as damaged."""
    runs = [_read(folder) for folder in _all_run_folders(reports)]
    return _catalogue_of(runs, _rejected(reports), _portfolios(reports))


class LiveCatalogue:
    """The catalogue of the run folders as they are at each call of `read`. Threads may share it.

    A published run never changes, so each is read once. One that could not be read is read again when its summary
    changes. While nothing changes, the same object is returned.
    """

    def __init__(self, reports: Path) -> None:
        self._reports = reports
        self._lock = Lock()
        self._runs: dict[Path, RunEntry | DamagedRun] = {}
        self._stamps: dict[Path, FileStamp | None] = {}  # of summaries that could not be read
        self._others: tuple[list[RejectedRun], list[str]] = ([], [])
        self._catalogue = catalogue_of((), (), ())

    def read(self) -> Catalogue:
        """The catalogue now. Raises OSError when the reports folder exists and cannot be listed."""
        with self._lock:
            runs = {folder: self._run(folder) for folder in _all_run_folders(self._reports)}
            others = _rejected(self._reports), _portfolios(self._reports)
            if (runs, others) != (self._runs, self._others):
                self._catalogue = _catalogue_of(list(runs.values()), *others)
            self._runs, self._others = runs, others
            return self._catalogue

    def _run(self, folder: Path) -> RunEntry | DamagedRun:
        known = self._runs.get(folder)
        if isinstance(known, RunEntry):
            return known
        stamp = stamp_of(folder / SUMMARY)
        if known is None or stamp != self._stamps.get(folder):
            self._stamps[folder] = stamp
            return _read(folder)
        return known


def catalogue_page(catalogue: Catalogue) -> str:
    """The page that needs no server, as HTML."""
    return render_plain("catalogue.html.j2", script="catalogue.js", page=page_of(catalogue))


def _all_run_folders(reports: Path) -> list[Path]:
    return [folder for study in study_folders(reports) for folder in run_folders(study)]


def _catalogue_of(runs: list[RunEntry | DamagedRun], rejected: list[RejectedRun], portfolios: list[str]) -> Catalogue:
    readable = [run for run in runs if isinstance(run, RunEntry)]
    return catalogue_of(readable, rejected, [run for run in runs if isinstance(run, DamagedRun)], portfolios)


def _read(folder: Path) -> RunEntry | DamagedRun:
    """The run in this folder; a DamagedRun if it cannot be read."""
    relative = f"{folder.parent.name}/{folder.name}"
    try:
        return _entry(folder, relative)
    except UnreadableRun as error:
        return DamagedRun(relative, str(error))


def _entry(folder: Path, relative: str) -> RunEntry:
    """The run in this folder. Raises UnreadableRun."""
    head = read_head(folder)
    try:
        entry = _entry_of(head["study"], head["run"], head["verdict"], head.get(OVERVIEW) or {}, folder, relative)
        _ = entry.started
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise UnreadableRun(f"{SUMMARY} lacks what the catalogue needs: {error}") from error
    return entry


def _entry_of(
    study: dict[str, Any],
    run: dict[str, Any],
    verdict: dict[str, Any],
    overview: dict[str, Any],
    folder: Path,
    relative: str,
) -> RunEntry:
    if verdict["status"] not in get_args(VerdictStatus):
        raise ValueError(f"the verdict is {shown(verdict['status'])}")
    return RunEntry(
        study=folder.parent.name,
        title=clean(str(study["title"])),
        run_id=folder.name,
        started_at=str(run["started_at"]),
        status=verdict["status"],
        headline=clean(str(verdict["headline"])),
        recommended_model=str(verdict["recommended_model"]),
        n_rows=int(run["n_rows"]),
        n_groups=int(run["n_groups"]),
        n_rejected=int(run["n_rejected"]),
        engine=str(run["engine"]),
        folder=relative,
        link=_web_address(run.get("link")),
        answer=clean(str(overview.get("answer", ""))),
        estimates=tuple(estimate_in(each) for each in overview.get("estimates", ())),
        question=question_in(study),
        data_age_days=_number(overview.get("data_age_days")),
        data_age_limit_days=_number(overview.get("data_age_limit_days")),
    )


def estimate_in(entry: dict[str, Any]) -> KeyEstimate:
    """What the report quotes; older summaries have a posterior mean."""
    kind = str(entry["kind"])
    quoted = "estimate" if "estimate" in entry else "mean"
    value, lower, upper = (_number(entry[part]) for part in (quoted, "lower", "upper"))
    return KeyEstimate(kind, str(entry["term"]), str(entry["unit"]), value, lower, upper)


def _number(value: Any) -> float | None:
    """A finite number; None for null and infinities. Raises TypeError, ValueError or OverflowError."""
    number = None if value is None else float(value)
    return number if number is not None and math.isfinite(number) else None


def _web_address(link: object) -> str:
    """The link if it is an http or https address, else an empty text."""
    return link if isinstance(link, str) and link.startswith(("http://", "https://")) else ""


def _rejected(reports: Path) -> list[RejectedRun]:
    """The runs that published nothing but their rejected rows."""
    return [
        RejectedRun(study.name, path.stem, path.relative_to(reports).as_posix())
        for study in study_folders(reports)
        for path in sorted((study / REJECTED).glob("*.csv"))
        if is_name(path.name)
    ]


def _portfolios(reports: Path) -> list[str]:
    """The names of the portfolios whose page is in the folder."""
    found = (reports_layout.PORTFOLIO_PAGE.fullmatch(path.name) for path in reports.glob("portfolio-*.html"))
    return sorted(each[1] for each in found if each)


def _inventory(reports: Path) -> set[Path]:
    """The paths of everything that the catalogue lists."""
    return set(_all_run_folders(reports)) | {reports / rejection.file for rejection in _rejected(reports)}
