"""A reader's query to the catalogue, and the runs and studies that match it: in pages, with ages in words.

The page stays small whatever the number of runs: it holds at most `RUNS_PER_PAGE` runs and
`STUDIES_PER_PAGE` studies, and links to the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar
from urllib.parse import urlencode

from tasks.view.catalogue.catalogue import Catalogue, DamagedRun, RunEntry, StudyEntry
from tasks.view.catalogue.freshness import RULE, ago
from tasks.view.catalogue.order import ORDERS, STANDINGS, Order, Standing, counted, in_order
from tasks.view.words.text import clean
from tasks.view.words.verdict_labels import LABELS

RUNS_PER_PAGE, STUDIES_PER_PAGE, MOST_DAMAGED = 50, 300, 20
LONGEST_SEARCH = 200
FRESHNESS = ("fresh", "stale")

Item = TypeVar("Item")


@dataclass(frozen=True)
class Query:
    """The part of an address after its question mark. Values that cannot be understood are ignored."""

    words: str = ""  # a run matches if all of them occur
    status: str = ""
    study: str = ""  # a study's name, exactly
    freshness: str = ""  # of the study: fresh (not known to be stale) or stale
    order: Order = "look"  # of studies
    page: int = 1  # of runs
    studies_page: int = 1

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Query:
        status, freshness = asked.get("status", ""), asked.get("freshness", "")
        return cls(
            words=" ".join(asked.get("q", "")[:LONGEST_SEARCH].split()),
            status=status if status in LABELS else "",
            study=asked.get("study", ""),
            freshness=freshness if freshness in FRESHNESS else "",
            order=next((order for order in ORDERS if order == asked.get("order")), "look"),
            page=_page_number(asked.get("page", "")),
            studies_page=_page_number(asked.get("studies", "")),
        )

    @property
    def is_empty(self) -> bool:
        return not (self.words or self.status or self.study or self.freshness)

    @property
    def href(self) -> str:
        """The address of this query's page, relative to the catalogue's."""
        said = {"q": self.words, "status": self.status, "study": self.study, "freshness": self.freshness}
        said["order"] = self.order if self.order != "look" else ""
        pages = {"page": self.page, "studies": self.studies_page}
        given = {key: value for key, value in said.items() if value}
        turned = {key: number for key, number in pages.items() if number > 1}
        return f"?{urlencode({**given, **turned})}" if given or turned else "./"


@dataclass(frozen=True)
class Paged(Generic[Item]):
    """One page of a list, its number, and the addresses beside it."""

    items: tuple[Item, ...]
    total: int
    page: int
    n_pages: int
    previous: str | None
    next: str | None


@dataclass(frozen=True)
class Trouble:
    """What keeps a study from running at the moment, in a sentence."""

    study: str
    reason: str


@dataclass(frozen=True)
class DatedRun:
    run: RunEntry
    ago: str


@dataclass(frozen=True)
class StudyLine:
    """A study as its newest report shows it; `runs_href` is the address of all its runs."""

    study: StudyEntry
    ago: str  # empty without a report
    is_stale: bool
    runs_href: str


@dataclass(frozen=True)
class ReadingList:
    """The catalogue's page over HTTP. `newest` says how long ago the newest report of all was."""

    query: Query
    n_studies: int
    n_runs: int
    newest: str
    counted: str  # as in: 1 “Data rejected”, 3 “Can be trusted”
    names: dict[Standing, str]  # of what a study may stand by
    orders: dict[Order, str]
    rule: str  # when a study is stale
    study_title: str  # title of the one study asked for
    has_study: bool
    without_study: str  # address of the same query to all studies
    studies: Paged[StudyLine]
    runs: Paged[DatedRun]
    damaged: tuple[DamagedRun, ...]
    n_damaged: int
    troubles: tuple[Trouble, ...]
    portfolios: tuple[str, ...]


def reading_list(catalogue: Catalogue, query: Query, now: datetime, troubles: Sequence[Trouble] = ()) -> ReadingList:
    words = query.words.casefold().split()
    wanted = {study.name for study in catalogue.studies if _is_as_fresh(study, query, now)}
    runs = [run for run in catalogue.runs if run.study in wanted and _answers(run, words, query)]
    studies = [study for study in catalogue.studies if study.name in wanted and _shows(study, words, query)]
    ordered = in_order(studies, query.order, now)
    asked = catalogue.study(query.study) if query.study else None
    return ReadingList(
        query=query,
        n_studies=len(catalogue.studies),
        n_runs=catalogue.n_runs,
        newest=ago(catalogue.runs[0].started, now) if catalogue.runs else "",
        counted=counted(catalogue.studies),
        names=STANDINGS,
        orders=ORDERS,
        rule=RULE,
        study_title=asked.title if asked else query.study,
        has_study=asked is not None,
        without_study=replace(query, study="", page=1, studies_page=1).href,
        studies=_paged(
            [_line(study, now) for study in ordered],
            query.studies_page,
            STUDIES_PER_PAGE,
            lambda number: replace(query, studies_page=number).href,
        ),
        runs=_dated(_paged(runs, query.page, RUNS_PER_PAGE, lambda number: replace(query, page=number).href), now),
        damaged=catalogue.damaged[:MOST_DAMAGED],
        n_damaged=len(catalogue.damaged),
        troubles=tuple(Trouble(clean(each.study), clean(each.reason)) for each in troubles),
        portfolios=catalogue.portfolios,
    )


def _is_as_fresh(study: StudyEntry, query: Query, now: datetime) -> bool:
    return not query.freshness or study.is_stale(now) == (query.freshness == "stale")


def _answers(run: RunEntry, words: Sequence[str], query: Query) -> bool:
    return (
        query.status in ("", run.status)
        and query.study in ("", run.study)
        and all(word in run.searchable for word in words)
    )


def _shows(study: StudyEntry, words: Sequence[str], query: Query) -> bool:
    """Whether the study's newest report matches the query; a study without reports is matched by its name."""
    if study.latest:
        return _answers(study.latest, words, query)
    is_named = query.study in ("", study.name) and all(word in study.name.casefold() for word in words)
    return is_named and not query.status


def _line(study: StudyEntry, now: datetime) -> StudyLine:
    newest = ago(study.latest.started, now) if study.latest else ""
    return StudyLine(study, newest, study.is_stale(now), Query(study=study.name).href)


def _dated(runs: Paged[RunEntry], now: datetime) -> Paged[DatedRun]:
    items = tuple(DatedRun(run, ago(run.started, now)) for run in runs.items)
    return Paged(items, runs.total, runs.page, runs.n_pages, runs.previous, runs.next)


def _paged(items: Sequence[Item], page: int, size: int, href: Callable[[int], str]) -> Paged[Item]:
    """One page of `items`; a number past the last page gives the last."""
    n_pages = max(-(-len(items) // size), 1)
    page = min(page, n_pages)
    return Paged(
        items=tuple(items[(page - 1) * size : page * size]),
        total=len(items),
        page=page,
        n_pages=n_pages,
        previous=href(page - 1) if page > 1 else None,
        next=href(page + 1) if page < n_pages else None,
    )


def _page_number(text: str) -> int:
    return max(int(text), 1) if text.isdecimal() and len(text) < 10 else 1
