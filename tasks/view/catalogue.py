"""The catalogue: which studies there are, what each one's newest run says, and every run.

Derived from run folders alone; equal folders give equal catalogues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby
from typing import Any
from urllib.parse import quote

from tasks.stats.records import Status
from tasks.view.freshness import ago

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
    link: str = ""  # the run in Prefect's UI, when it had a lasting server; a web address or nothing

    @property
    def report(self) -> str:
        return f"{self.folder}/report.html"

    @property
    def when(self) -> str:
        """To the minute: 2026-11-22 10:15."""
        return self.started_at[:16].replace("T", " ")

    @property
    def started(self) -> datetime:
        """In UTC. Raises ValueError or OverflowError when `started_at` names no moment."""
        moment = datetime.fromisoformat(self.started_at)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)

    @cached_property
    def searchable(self) -> str:
        """What a reader may remember of the run, in one case."""
        known = (self.title, self.headline, self.study, self.run_id, self.when, self.status, self.recommended_model)
        return "\n".join((*known, self.engine)).casefold()

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

    @cached_property
    def runs(self) -> tuple[RunEntry, ...]:
        """Every run, newest first."""
        return newest_first([run for study in self.studies for run in study.runs])

    @property
    def n_runs(self) -> int:
        return len(self.runs)

    def study(self, name: str) -> StudyEntry | None:
        return next((study for study in self.studies if study.name == name), None)


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


def served_json(catalogue: Catalogue, base: str, now: datetime) -> dict[str, Any]:
    """The same over HTTP, with addresses, relative to `base`, and how fresh each study is."""
    told = catalogue_json(catalogue)
    return {
        "schema_version": told["schema_version"],
        "base": base,
        "feed": "feed.atom",
        "studies": [_served_study(study, now) for study in catalogue.studies],
        "runs": [{**run, "report": f"{quote(run['folder'])}/report.html"} for run in told["runs"]],
        "damaged": told["damaged"],
    }


def _served_study(study: StudyEntry, now: datetime) -> dict[str, Any]:
    latest = study.latest
    return {
        **_study_json(study),
        "latest_started_at": latest.started_at if latest else None,
        "freshness": ago(latest.started, now) if latest else None,
        "latest": f"{quote(study.name)}/latest/" if latest else None,
        "feed": f"{quote(study.name)}/feed.atom",
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
