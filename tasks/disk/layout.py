"""Every path of a reports folder, and every file of a run.

    index.html, catalogue.json         the catalogue, derived from the runs (tasks.reports.catalogue)
    portfolio-<name>.html, .json       a portfolio's page, and how each study ended (tasks.reports.portfolio_page)
    .segments/<study>/<column>/        a study's rows, split by a column (tasks.portfolio.split)
    plotly-<version>.min.js            shared by the reports
    .ledger.sqlite                     which data have arrived and been counted (tasks.reports.database)
    .address                           of the object store that this folder mirrors (tasks.disk.mirror)
    .serve.lock, .troubles.json        of the process that serves the folder (flows.serve.serve, flows.serve.troubles)
    .store/<study>/                    digests and hashes of data files (tasks.rows.store)
    <study>/<run_id>/                  one published run, never changed (tasks.reports.publish)
    <study>/latest                     the newest of them, a relative link
    <study>/rejected/<run_id>.csv      the rejected rows of a run that published nothing
    <study>/.staging-<run_id>/         a run being written
    <study>/.running                   the run that goes on (tasks.reports.file_holds)
    <study>/.origin                    which study's history this is (tasks.opening.origin)

Functions without a study take the reports folder; the others take the study's folder in it.
"""

from __future__ import annotations

import re
from pathlib import Path

LATEST, REJECTED, STAGING = "latest", "rejected", ".staging-"
PORTFOLIO_PAGE = re.compile(r"portfolio-([a-z0-9][a-z0-9_-]{0,63})\.html")
SHARED_PLOTLY = re.compile(r"plotly-[0-9A-Za-z.-]+\.min\.js")

# The files of a run.
REPORT, STANDALONE, SUMMARY = "report.html", "report-standalone.html", "summary.json"
ESTIMATES, REJECTED_ROWS, POSTERIOR, STUDY_TEXT = "estimates.csv", "rejected.csv", "posterior.nc", "study.toml"


def catalogue_page(reports: Path) -> Path:
    return reports / "index.html"


def catalogue_json(reports: Path) -> Path:
    return reports / "catalogue.json"


def shared_plotly(reports: Path, version: str) -> Path:
    return reports / f"plotly-{version}.min.js"


def portfolio_page_file(reports: Path, name: str) -> Path:
    return reports / f"portfolio-{name}.html"


def portfolio_json(reports: Path, name: str) -> Path:
    return reports / f"portfolio-{name}.json"


def ledger_file(reports: Path) -> Path:
    return reports / ".ledger.sqlite"


def address_note(reports: Path) -> Path:
    return reports / ".address"


def serve_lock(reports: Path) -> Path:
    return reports / ".serve.lock"


def troubles_file(reports: Path) -> Path:
    return reports / ".troubles.json"


def digests_folder(reports: Path, study_name: str, key: str) -> Path:
    return reports / ".store" / study_name / key


def hashes_file(reports: Path, study_name: str) -> Path:
    return reports / ".store" / study_name / "hashes.json"


def folder_of(reports: Path, study_name: str) -> Path:
    """The study's folder in the reports folder."""
    return reports / study_name


def latest_run(study_folder: Path) -> Path:
    return study_folder / LATEST


def kept_rejections(study_folder: Path, run_id: str) -> Path:
    return study_folder / REJECTED / f"{run_id}.csv"


def staging_folder(study_folder: Path, run_id: str) -> Path:
    return study_folder / f"{STAGING}{run_id}"


def running_note(study_folder: Path) -> Path:
    return study_folder / ".running"


def origin_note(study_folder: Path) -> Path:
    return study_folder / ".origin"
