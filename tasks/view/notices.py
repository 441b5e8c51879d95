"""Notices in words, from the rules under a study's [notify] and what a run found.

Notices are plain text, one line per fact, headline first and the report's address last. They say what
the report says and no more; they hold no address of a receiver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.stats.records import VerdictStatus
from tasks.study.errors import DataRejected, PoolwiseError
from tasks.study.model import Study
from tasks.view.records import Figure

Kind = Literal["worse", "moved", "rejected", "stale", "failed"]
Severity = Literal["warning", "failure"]
ERROR_CHARACTERS = 2000


@dataclass(frozen=True)
class FirstScreen:
    """What the report says at once, for receivers that can show more than lines of text."""

    status: VerdictStatus
    status_label: str
    headline: str
    answer: str
    figure: Figure | None


@dataclass(frozen=True)
class Notice:
    kind: Kind
    severity: Severity
    title: str  # one line
    lines: tuple[str, ...]
    address: str = ""  # of the report, if there is one
    screen: FirstScreen | None = None  # of the report that gives reason to the notice

    @property
    def body(self) -> str:
        """As plain text."""
        return "\n".join([*self.lines, *([f"Report: {self.address}"] if self.address else [])])


def failure(study: Study, error: BaseException, address: str = "") -> Notice | None:
    """The notice of a run that published nothing; None if not asked for. `address` is the latest report's, if any.

    If rows stopped the run, those who asked only for `rejected` are told, too.
    """
    kind: Kind = "rejected" if isinstance(error, DataRejected) and not is_wanted(study, "failed") else "failed"
    if not is_wanted(study, kind):
        return None
    reason = str(error) if isinstance(error, PoolwiseError) else f"{type(error).__name__}: {error}"
    title = "the data were rejected" if isinstance(error, DataRejected) else "the run failed"
    stands = "; the one before it stands" if address else ""
    lines = [f"No report was published{stands}.", reason[:ERROR_CHARACTERS]]
    return notice_of(study, kind, "failure", title, lines, address, f"Study: {study.name}")


def stale(study: Study, age_days: float | None, address: str) -> Notice | None:
    """The notice that the newest file is older than the study allows; None if it is not, or nobody asked for it."""
    limit = study.notify.max_age_days
    if limit is None or age_days is None or age_days <= limit or not is_wanted(study, "stale"):
        return None
    lines = [f"The newest file is {age_days:.1f} days old; the study allows {limit:g}. No newer data have come."]
    return notice_of(study, "stale", "warning", "the data are out of date", lines, address, f"Study: {study.name}")


def is_wanted(study: Study, kind: Kind) -> bool:
    """Whether the study names somebody to tell, and this kind."""
    return bool(study.notify.to) and kind in study.notify.on


def notice_of(
    study: Study, kind: Kind, severity: Severity, what: str, lines: list[str], address: str, source: str
) -> Notice:
    """A notice on the study whose `lines` stand below the title, then its `source` and the report's address."""
    told = tuple(map(_one_line, filter(None, [*lines, source])))
    return Notice(kind, severity, f"{_one_line(study.title)} – {what}", told, address)


def _one_line(text: str) -> str:
    """The text on one line, without control characters: mail would take a line break for the start of a header."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
