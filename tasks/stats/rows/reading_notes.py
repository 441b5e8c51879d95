"""What looked wrong while the files were read, apart from rejected rows."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.stats.judgement import Judgement
from tasks.stats.rows.cut_short import CutShort, judge_cut_short
from tasks.stats.rows.missing_codes import MissingCode, judge_missing_codes
from tasks.stats.rows.totals import TotalsRow, judge_totals


@dataclass(frozen=True)
class ReadingNotes:
    missing_codes: tuple[MissingCode, ...] = ()
    totals: tuple[TotalsRow, ...] = ()
    cut_short: tuple[tuple[str, CutShort], ...] = ()  # by file
    hint: str = ""  # what rejected values look like, and which settings would read them


def judge_reading(notes: ReadingNotes | None) -> tuple[Judgement, ...]:
    """One judgement for each kind of note; none if nothing was found."""
    if notes is None:
        return ()
    return (
        *judge_missing_codes(notes.missing_codes),
        *judge_totals(notes.totals),
        *judge_cut_short(notes.cut_short),
    )
