"""Which studies come first: by default, those that need a look.

A person who looks each morning wants to see what broke, and of that what is new. So studies stand by their standing,
worst first, and those of one standing by their newest run, newest first. Only staleness depends on the clock: a page
that is read without a server is ordered as if nothing were stale, and its script moves what has become so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tasks.stats.records import VerdictStatus
from tasks.view.catalogue.catalogue import StudyEntry
from tasks.view.words.verdict_labels import LABELS

Standing = Literal["rejected", "damaged", "stale"] | VerdictStatus
Order = Literal["look", "newest", "worst", "name"]

# What needs a look first comes first.
STANDINGS: dict[Standing, str] = {
    "rejected": "Data rejected",
    "damaged": "Cannot be read",
    "none": LABELS["none"],
    "stale": "Stale",
    "use": LABELS["use"],
    "trust": LABELS["trust"],
}
ORDERS: dict[Order, str] = {
    "look": "what needs a look",
    "newest": "newest first",
    "worst": "worst verdict first",
    "name": "name",
}
URGENCY = {standing: place for place, standing in enumerate(STANDINGS)}
WORST_FIRST: tuple[VerdictStatus | None, ...] = (*reversed(LABELS), None)


@dataclass(frozen=True)
class Place:
    """Where a study stands, for the page's script: `urgency` now and when stale, and its rank in every other order."""

    urgency: int
    urgency_if_stale: int
    newest: int
    worst: int
    name: int


def standing(study: StudyEntry, *, is_stale: bool) -> Standing:
    if study.rejected_since:
        return "rejected"
    if study.damaged_since or study.latest is None:
        return "damaged"
    return "stale" if is_stale and study.latest.status != "none" else study.latest.status


def in_order(
    studies: Sequence[StudyEntry], order: Order = "look", now: datetime | None = None
) -> tuple[StudyEntry, ...]:
    """The studies in that order; none counts as stale without `now`."""
    by_name = sorted(studies, key=lambda study: study.name)
    if order == "name":
        return tuple(by_name)
    if order == "worst":
        return tuple(sorted(by_name, key=lambda study: WORST_FIRST.index(study.latest and study.latest.status)))
    newest = sorted(by_name, key=lambda study: study.newest_id, reverse=True)
    return tuple(sorted(newest, key=lambda study: _urgency(study, now)) if order == "look" else newest)


def places(studies: Sequence[StudyEntry]) -> dict[str, Place]:
    """By the study's name."""
    ranks = [{study.name: rank for rank, study in enumerate(in_order(studies, order))} for order in _RANKED]
    return {
        study.name: Place(
            URGENCY[standing(study, is_stale=False)],
            URGENCY[standing(study, is_stale=True)],
            *(rank[study.name] for rank in ranks),
        )
        for study in studies
    }


def counted(studies: Sequence[StudyEntry]) -> str:
    """How many studies have each standing, worst first, whatever the clock: 1 “Data rejected”, 3 “Can be trusted”."""
    counts = Counter(standing(study, is_stale=False) for study in studies)
    return ", ".join(f"{counts[each]:,} “{words}”" for each, words in STANDINGS.items() if counts[each])


_RANKED: tuple[Order, ...] = ("newest", "worst", "name")


def _urgency(study: StudyEntry, now: datetime | None) -> int:
    return URGENCY[standing(study, is_stale=now is not None and study.is_stale(now))]
