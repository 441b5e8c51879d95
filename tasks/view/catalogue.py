"""The catalogue: which studies there are, what each one's newest run says, and every run.

Derived from run folders alone; equal folders give equal catalogues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from tasks.stats.records import Status

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class RunEntry:
    """One published run, in words and counts. `folder` is relative to the reports folder."""

    study: str
    title: str
    run_id: str
    started_at: str  # ISO 8601, UTC
    status: Status
    headline: str
    recommended_model: str
    n_rows: int
    n_groups: int
    n_rejected: int
    engine: str
    folder: str

    @property
    def report(self) -> str:
        return f"{self.folder}/report.html"

    @property
    def when(self) -> str:
        """To the minute: 2026-11-22 10:15."""
        return self.started_at[:16].replace("T", " ")

    @property
    def rejected_share(self) -> float:
        """Of all rows that came, between 0 and 1."""
        return self.n_rejected / max(self.n_rows + self.n_rejected, 1)


@dataclass(frozen=True)
class DamagedRun:
    folder: str
    reason: str


@dataclass(frozen=True)
class RejectedRun:
    """A run that stopped because of its data: it left its rejected rows, but no report."""

    study: str
    run_id: str
    file: str  # relative to the reports folder


@dataclass(frozen=True)
class StudyEntry:
    """`runs` newest first. `rejected_since` is the newest rejection after the newest run, if any."""

    name: str
    runs: tuple[RunEntry, ...]
    rejected_since: RejectedRun | None

    @property
    def latest(self) -> RunEntry | None:
        return self.runs[0] if self.runs else None

    @property
    def title(self) -> str:
        return self.runs[0].title if self.runs else self.name


@dataclass(frozen=True)
class Catalogue:
    studies: tuple[StudyEntry, ...]  # by name
    damaged: tuple[DamagedRun, ...]

    @property
    def runs(self) -> tuple[RunEntry, ...]:
        """Every run, newest first."""
        return newest_first([run for study in self.studies for run in study.runs])

    @property
    def n_runs(self) -> int:
        return sum(len(study.runs) for study in self.studies)


def newest_first(runs: Sequence[RunEntry]) -> tuple[RunEntry, ...]:
    return tuple(sorted(runs, key=lambda run: (run.run_id, run.study), reverse=True))


def catalogue_of(runs: Sequence[RunEntry], rejected: Sequence[RejectedRun], damaged: Sequence[DamagedRun]) -> Catalogue:
    ordered = sorted(newest_first(runs), key=lambda run: run.study)
    by_study = {name: tuple(group) for name, group in groupby(ordered, key=lambda run: run.study)}
    names = sorted(by_study.keys() | {rejection.study for rejection in rejected})
    studies = tuple(_study(name, by_study.get(name, ()), rejected) for name in names)
    return Catalogue(studies, tuple(sorted(damaged, key=lambda run: run.folder)))


def _study(name: str, runs: tuple[RunEntry, ...], rejected: Sequence[RejectedRun]) -> StudyEntry:
    newest_run = runs[0].run_id if runs else ""
    since = [rejection for rejection in rejected if rejection.study == name and rejection.run_id > newest_run]
    return StudyEntry(name, runs, max(since, key=lambda rejection: rejection.run_id, default=None))


def catalogue_json(catalogue: Catalogue) -> dict[str, Any]:
    """The catalogue for programs: studies with their newest run's id, every run, what is damaged."""
    return {
        "schema_version": SCHEMA_VERSION,
        "studies": [_study_json(study) for study in catalogue.studies],
        "runs": [asdict(run) for run in catalogue.runs],
        "damaged": [asdict(run) for run in catalogue.damaged],
    }


def _study_json(study: StudyEntry) -> dict[str, Any]:
    latest = study.latest
    return {
        "name": study.name,
        "title": study.title,
        "n_runs": len(study.runs),
        "latest_run_id": latest.run_id if latest else None,
        "status": latest.status if latest else None,
        "headline": latest.headline if latest else None,
        "rejected_since": asdict(study.rejected_since) if study.rejected_since else None,
    }
