"""The catalogue: which studies there are, what each one's newest run says, and every run.

Derived from run folders alone; equal folders give equal catalogues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby
from typing import Any, TypeVar
from urllib.parse import quote

from tasks.stats.past.earlier import Question
from tasks.stats.records import VerdictStatus
from tasks.view.catalogue.freshness import NEWEST_REPORTS, StaleFrom, ago, later, stale_from
from tasks.view.catalogue.trends import MOST_TRENDS, KeyEstimate, RunEstimates, Trend, trends_of
from tasks.view.catalogue.trends import RUNS as TREND_RUNS
from tasks.view.words.verdict_labels import LABELS

SCHEMA_VERSION = 2
NOT_OF_EVERY_RUN = ("estimates", "question", "data_age_days", "data_age_limit_days")
TREND_KEYS = ("kind", "term", "unit", "value", "lower", "upper")
UNASKED = Question("", "", "", (), {})


@dataclass(frozen=True)
class RunEntry:
    """One published run, in words and counts. `folder` is relative to the reports folder."""

    study: str
    title: str
    run_id: str
    started_at: str  # ISO 8601, UTC
    status: VerdictStatus
    headline: str
    recommended_model: str
    n_rows: int
    n_groups: int
    n_rejected: int
    engine: str
    folder: str
    link: str = ""  # web address of the run in Prefect's UI; empty without a lasting server
    answer: str = ""  # one sentence; runs of older versions lack this and all fields below
    estimates: tuple[KeyEstimate, ...] = ()
    question: Question = UNASKED
    data_age_days: float | None = None  # when the run started; None unless the study sets a limit
    data_age_limit_days: float | None = None

    @property
    def report(self) -> str:
        return f"{self.folder}/report.html"

    @property
    def when(self) -> str:
        """The start to the minute: 2026-11-22 10:15."""
        return self.started_at[:16].replace("T", " ")

    @property
    def started(self) -> datetime:
        """The start in UTC. Raises ValueError or OverflowError when `started_at` names no moment."""
        moment = datetime.fromisoformat(self.started_at)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)

    @property
    def newest_data(self) -> str:
        """When the newest file was modified, to the minute; empty where that is not known."""
        moment = None if self.data_age_days is None else later(self.started, -self.data_age_days)
        return moment.isoformat(" ", "minutes")[:16] if moment else ""

    @cached_property
    def searchable(self) -> str:
        """The text that a search looks through, casefolded."""
        known = (self.title, self.headline, self.study, self.run_id, self.when, self.status, self.label)
        return "\n".join((*known, self.recommended_model, self.engine, self.answer)).casefold()

    @property
    def label(self) -> str:
        """The verdict in words."""
        return LABELS[self.status]

    @property
    def rejected_share(self) -> float:
        """Rejected rows as a share of all rows that came, 0 to 1."""
        return self.n_rejected / max(self.n_rows + self.n_rejected, 1)


@dataclass(frozen=True)
class DamagedRun:
    """A run folder that cannot be read. `folder` is relative to the reports folder: `study/run`."""

    folder: str
    reason: str

    @property
    def study(self) -> str:
        return self.folder.partition("/")[0]

    @property
    def run_id(self) -> str:
        return self.folder.partition("/")[2]


@dataclass(frozen=True)
class RejectedRun:
    """A run that stopped because of its data: it left its rejected rows, but no report."""

    study: str
    run_id: str
    file: str  # relative to the reports folder


Stopped = TypeVar("Stopped", DamagedRun, RejectedRun)


@dataclass(frozen=True)
class StudyEntry:
    """`runs` are newest first; of rejections and of damaged runs, the newest after the newest run, if any."""

    name: str
    runs: tuple[RunEntry, ...]
    rejected_since: RejectedRun | None
    damaged_since: DamagedRun | None = None

    @property
    def latest(self) -> RunEntry | None:
        return self.runs[0] if self.runs else None

    @property
    def title(self) -> str:
        return self.runs[0].title if self.runs else self.name

    @property
    def newest_id(self) -> str:
        """Of the newest run, whatever came of it. Run ids sort by time."""
        known = (self.latest, self.rejected_since, self.damaged_since)
        return max((each.run_id for each in known if each), default="")

    @cached_property
    def trends(self) -> tuple[Trend, ...]:
        newest = self.runs[:TREND_RUNS]
        told = [RunEstimates(run.run_id, run.when[:10], run.status, run.question, run.estimates) for run in newest]
        return trends_of(told)

    @property
    def shown_trends(self) -> tuple[Trend, ...]:
        """At most MOST_TRENDS: the first ones, and the share between groups, which comes last."""
        return self.trends if len(self.trends) <= MOST_TRENDS else (*self.trends[: MOST_TRENDS - 1], self.trends[-1])

    @property
    def leading_trend(self) -> Trend | None:
        """The trend to show where there is room for one: the first predictor's effect, else the level."""
        slopes = (trend for trend in self.trends if trend.kind == "slope")
        return next(slopes, self.trends[0] if self.trends else None)

    @property
    def other_trends(self) -> tuple[Trend, ...]:
        """Those to show where there is room for more, without the leading one."""
        return tuple(trend for trend in self.shown_trends if trend is not self.leading_trend)

    @cached_property
    def stale_from(self) -> StaleFrom | None:
        if self.latest is None:
            return None
        newest = [run.started for run in self.runs[:NEWEST_REPORTS]]
        return stale_from(newest, self.latest.data_age_days, self.latest.data_age_limit_days)

    def is_stale(self, now: datetime) -> bool:
        return self.stale_from is not None and now >= self.stale_from.moment


@dataclass(frozen=True)
class Catalogue:
    studies: tuple[StudyEntry, ...]  # by name
    damaged: tuple[DamagedRun, ...]
    portfolios: tuple[str, ...] = ()  # their names, sorted

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


def catalogue_of(
    runs: Sequence[RunEntry],
    rejected: Sequence[RejectedRun],
    damaged: Sequence[DamagedRun],
    portfolios: Sequence[str] = (),
) -> Catalogue:
    ordered = sorted(newest_first(runs), key=lambda run: run.study)
    by_study = {name: tuple(group) for name, group in groupby(ordered, key=lambda run: run.study)}
    names = sorted(by_study.keys() | {run.study for run in rejected} | {run.study for run in damaged})
    studies = tuple(_study(name, by_study.get(name, ()), rejected, damaged) for name in names)
    return Catalogue(studies, tuple(sorted(damaged, key=lambda run: run.folder)), tuple(sorted(portfolios)))


def _study(
    name: str, runs: tuple[RunEntry, ...], rejected: Sequence[RejectedRun], damaged: Sequence[DamagedRun]
) -> StudyEntry:
    return StudyEntry(name, runs, _newest_since(runs, name, rejected), _newest_since(runs, name, damaged))


def _newest_since(runs: tuple[RunEntry, ...], study: str, stopped: Sequence[Stopped]) -> Stopped | None:
    newest_run = runs[0].run_id if runs else ""
    since = (each for each in stopped if each.study == study and each.run_id > newest_run)
    return max(since, key=lambda each: each.run_id, default=None)


def catalogue_json(catalogue: Catalogue) -> dict[str, Any]:
    """The catalogue for programs: studies with their newest run's id, every run, what is damaged."""
    return {
        "schema_version": SCHEMA_VERSION,
        "studies": [_study_json(study) for study in catalogue.studies],
        "runs": [_run_json(run) for run in catalogue.runs],
        "damaged": [asdict(run) for run in catalogue.damaged],
    }


def served_json(catalogue: Catalogue, base: str, now: datetime) -> dict[str, Any]:
    """The catalogue as served over HTTP: also addresses, relative to `base`, and how fresh each study is."""
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
        "is_stale": study.is_stale(now),
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
        "damaged_since": asdict(study.damaged_since) if study.damaged_since else None,
        "answer": latest.answer if latest else None,
        "stale_from": study.stale_from.moment.isoformat() if study.stale_from else None,
        "stale_because": study.stale_from.reason if study.stale_from else None,
        "trend_run_ids": list(study.trends[0].run_ids) if study.trends else [],
        "trends": [{name: getattr(trend, name) for name in TREND_KEYS} for trend in study.trends],
    }


def _run_json(run: RunEntry) -> dict[str, Any]:
    return {field.name: getattr(run, field.name) for field in fields(run) if field.name not in NOT_OF_EVERY_RUN}
