"""`reports/index.html` and `reports/catalogue.json`: derived from the run folders, safe to delete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

from tasks.atomic import explained, write_whole
from tasks.render import environment
from tasks.run_folders import REJECTED, UnreadableRun, read_head, run_folders, study_folders
from tasks.stats.records import Status
from tasks.view.catalogue import (
    Catalogue,
    DamagedRun,
    RejectedRun,
    RunEntry,
    catalogue_json,
    catalogue_of,
)

INDEX = "index.html"
JSON_INDEX = "catalogue.json"
MOST_REBUILDS = 10


def rebuild_catalogue(reports: Path) -> Path:
    """Write both files from the run folders; returns the page's path.

    Runs may be published meanwhile, and others may rebuild too: whoever finds other run folders after
    writing than before starts over, so the last to write has seen them all.
    """
    with explained("write the catalogue", reports):
        reports.mkdir(parents=True, exist_ok=True)
        for _ in range(MOST_REBUILDS):
            seen = _inventory(reports)
            catalogue = read_catalogue(reports)
            write_whole(reports / JSON_INDEX, json.dumps(catalogue_json(catalogue), ensure_ascii=False))
            write_whole(reports / INDEX, catalogue_page(catalogue))
            if _inventory(reports) == seen:
                break
    return reports / INDEX


def list_runs(reports: Path) -> list[RunEntry]:
    """Every run that can be read, newest first."""
    return list(read_catalogue(reports).runs)


def read_catalogue(reports: Path) -> Catalogue:
    """What the run folders say now; those that cannot be read are listed as damaged."""
    runs: list[RunEntry] = []
    damaged: list[DamagedRun] = []
    for study in study_folders(reports):
        for folder in run_folders(study):
            try:
                runs.append(_entry(folder, f"{study.name}/{folder.name}"))
            except UnreadableRun as error:
                damaged.append(DamagedRun(f"{study.name}/{folder.name}", str(error)))
    return catalogue_of(runs, _rejected(reports), damaged)


def catalogue_page(catalogue: Catalogue) -> str:
    return environment().get_template("catalogue.html.j2").render(catalogue=catalogue)


def _entry(folder: Path, relative: str) -> RunEntry:
    head = read_head(folder)
    try:
        return _entry_of(head["study"], head["run"], head["verdict"], folder, relative)
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableRun(f"summary.json lacks what the catalogue needs: {error}") from error


def _entry_of(
    study: dict[str, Any], run: dict[str, Any], verdict: dict[str, Any], folder: Path, relative: str
) -> RunEntry:
    if verdict["status"] not in get_args(Status):
        raise ValueError(f"the verdict is {verdict['status']!r}")
    return RunEntry(
        study=folder.parent.name,
        title=str(study["title"]),
        run_id=folder.name,
        started_at=str(run["started_at"]),
        status=verdict["status"],
        headline=str(verdict["headline"]),
        recommended_model=str(verdict["recommended_model"]),
        n_rows=int(run["n_rows"]),
        n_groups=int(run["n_groups"]),
        n_rejected=int(run["n_rejected"]),
        engine=str(run["engine"]),
        folder=relative,
    )


def _rejected(reports: Path) -> list[RejectedRun]:
    return [
        RejectedRun(study.name, path.stem, path.relative_to(reports).as_posix())
        for study in study_folders(reports)
        for path in sorted((study / REJECTED).glob("[!.]*.csv"))
    ]


def _inventory(reports: Path) -> set[Path]:
    runs = {folder for study in study_folders(reports) for folder in run_folders(study)}
    return runs | {reports / rejection.file for rejection in _rejected(reports)}
