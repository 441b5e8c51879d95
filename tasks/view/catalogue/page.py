"""The catalogue as one file, read without a server: a line for every study, all else folded below it.

Nothing in it depends on when it was made. The page's script adds how long ago something was and
what is stale by now, and moves that up; without the script, the page shows the moments themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from tasks.stats.records import VerdictStatus
from tasks.view.catalogue.catalogue import Catalogue, DamagedRun, RunEntry, StudyEntry
from tasks.view.catalogue.freshness import RULE, UNITS
from tasks.view.catalogue.order import ORDERS, STANDINGS, Order, Place, Standing, counted, in_order, places
from tasks.view.words.numbers import plural
from tasks.view.words.verdict_labels import LABELS

NEWEST_RUNS, RUNS_IN_A_FOLD = 20, 100


@dataclass(frozen=True)
class PastRuns:
    """Neighbouring runs of a study, newest first."""

    title: str
    runs: tuple[RunEntry, ...]


@dataclass(frozen=True)
class StudyOnPage:
    study: StudyEntry
    place: Place
    newest: PastRuns
    older: tuple[PastRuns, ...]


@dataclass(frozen=True)
class CataloguePage:
    studies: tuple[StudyOnPage, ...]  # what needs a look first
    statuses: dict[VerdictStatus, str]  # label by status, best first
    names: dict[Standing, str]  # of what a study may stand by
    orders: dict[Order, str]
    n_runs: int
    counted: str  # as in: 1 “Data rejected”, 3 “Can be trusted”
    damaged: tuple[DamagedRun, ...]
    portfolios: tuple[str, ...]
    rule: str  # when a study is stale
    units: str  # JSON for the script: [limit in seconds or null, size in seconds, name] per unit


def page_of(catalogue: Catalogue) -> CataloguePage:
    place = places(catalogue.studies)
    return CataloguePage(
        studies=tuple(_study(study, place[study.name]) for study in in_order(catalogue.studies)),
        statuses=LABELS,
        names=STANDINGS,
        orders=ORDERS,
        n_runs=catalogue.n_runs,
        counted=counted(catalogue.studies),
        damaged=catalogue.damaged,
        portfolios=catalogue.portfolios,
        rule=RULE,
        units=json.dumps([(limit if isfinite(limit) else None, size, name) for limit, size, name in UNITS]),
    )


def _study(study: StudyEntry, place: Place) -> StudyOnPage:
    n_runs = len(study.runs)
    title = plural(n_runs, "run") if n_runs <= NEWEST_RUNS else f"Newest {NEWEST_RUNS} of {plural(n_runs, 'run')}"
    newest, older = study.runs[:NEWEST_RUNS], study.runs[NEWEST_RUNS:]
    return StudyOnPage(study, place, PastRuns(title, newest), tuple(_older(older)))


def _older(runs: tuple[RunEntry, ...]) -> Iterator[PastRuns]:
    for start in range(0, len(runs), RUNS_IN_A_FOLD):
        part = runs[start : start + RUNS_IN_A_FOLD]
        yield PastRuns(f"{plural(len(part), 'older run')}, {part[-1].when[:10]} to {part[0].when[:10]}", part)
