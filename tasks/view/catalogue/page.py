"""The catalogue as one file, read without a server: every study, with all its past runs folded below it.

Nothing in it depends on when it was made. The page's script adds how long ago something was and
what is stale by now; without the script, the page shows the moments themselves.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from tasks.stats.records import VerdictStatus
from tasks.view.catalogue.catalogue import Catalogue, DamagedRun, RunEntry, StudyEntry
from tasks.view.catalogue.freshness import RULE, UNITS
from tasks.view.words.numbers import plural
from tasks.view.words.verdict_labels import LABELS, quoted

NEWEST_RUNS, RUNS_IN_A_FOLD = 20, 100
MOST_OPEN_STUDIES = 12


@dataclass(frozen=True)
class PastRuns:
    """Neighbouring runs of a study, newest first."""

    title: str
    runs: tuple[RunEntry, ...]


@dataclass(frozen=True)
class StudyOnPage:
    study: StudyEntry
    newest: PastRuns
    older: tuple[PastRuns, ...]


@dataclass(frozen=True)
class CataloguePage:
    studies: tuple[StudyOnPage, ...]
    statuses: dict[VerdictStatus, str]  # label by status, best first
    n_runs: int
    by_verdict: str  # as in: 3 “Can be trusted”, 1 “Use another model”
    are_trends_open: bool  # where there are many studies, trends are folded with the past runs
    damaged: tuple[DamagedRun, ...]
    portfolios: tuple[str, ...]
    rule: str  # when a study is stale
    units: str  # JSON for the script: [limit in seconds or null, size in seconds, name] per unit


def page_of(catalogue: Catalogue) -> CataloguePage:
    return CataloguePage(
        studies=tuple(_study(study) for study in catalogue.studies),
        statuses=LABELS,
        n_runs=catalogue.n_runs,
        by_verdict=by_verdict(catalogue),
        are_trends_open=len(catalogue.studies) <= MOST_OPEN_STUDIES,
        damaged=catalogue.damaged,
        portfolios=catalogue.portfolios,
        rule=RULE,
        units=json.dumps([(limit if isfinite(limit) else None, size, name) for limit, size, name in UNITS]),
    )


def by_verdict(catalogue: Catalogue) -> str:
    """How many studies' newest reports have each verdict, worst last."""
    counts = Counter(study.latest.status for study in catalogue.studies if study.latest)
    return ", ".join(f"{counts[status]:,} {quoted(status)}" for status in LABELS if counts[status])


def _study(study: StudyEntry) -> StudyOnPage:
    n_runs = len(study.runs)
    title = plural(n_runs, "run") if n_runs <= NEWEST_RUNS else f"Newest {NEWEST_RUNS} of {plural(n_runs, 'run')}"
    return StudyOnPage(study, PastRuns(title, study.runs[:NEWEST_RUNS]), tuple(_older(study.runs[NEWEST_RUNS:])))


def _older(runs: tuple[RunEntry, ...]) -> Iterator[PastRuns]:
    for start in range(0, len(runs), RUNS_IN_A_FOLD):
        part = runs[start : start + RUNS_IN_A_FOLD]
        yield PastRuns(f"{plural(len(part), 'older run')}, {part[-1].when[:10]} to {part[0].when[:10]}", part)
