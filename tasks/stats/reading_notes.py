"""What reading the files gave reason to ask, beside what was rejected; and the checks that ask it."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.stats.cut_short import CutShort, check_cut_short
from tasks.stats.missing_codes import MissingCode, check_missing_codes
from tasks.stats.records import Check
from tasks.stats.study import Study
from tasks.stats.totals import TotalsRow, check_totals


@dataclass(frozen=True)
class ReadingNotes:
    missing_codes: tuple[MissingCode, ...] = ()
    totals: tuple[TotalsRow, ...] = ()
    cut_short: tuple[tuple[str, CutShort], ...] = ()  # by file
    hint: str = ""  # what rejected values look like, and which settings read them


def check_reading(notes: ReadingNotes | None, study: Study, n_rows: int, n_rejected: int) -> tuple[Check, ...]:
    """One each for what was found; none where nothing was."""
    if notes is None:
        return ()
    return (
        *check_missing_codes(notes.missing_codes, n_rows, n_rejected, study),
        *check_totals(notes.totals, study.group, study.outcome),
        *check_cut_short(notes.cut_short),
    )
