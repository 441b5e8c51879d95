"""What looked wrong in the files: codes for missing values, totals among the rows, files cut short."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from tasks.stats.judgement import Judgement
from tasks.stats.rows.cut_short import CutShort
from tasks.stats.rows.reading_notes import ReadingNotes
from tasks.stats.rows.totals import TotalsRow
from tasks.study.advice import to_set
from tasks.view.row_context import RowContext
from tasks.view.topic import Case, CheckSpec
from tasks.view.words.numbers import plural

MOST_NAMED = 3


def _notes(context: RowContext) -> ReadingNotes:
    assert context.rows.notes.reading is not None
    return context.rows.notes.reading


def _codes(context: RowContext, judged: Judgement) -> str:
    found = [
        f"{code.column} is {code.spelled} in {code.n_rows:,} of {context.rows.n_rows:,} rows, far from the other "
        f"values ({code.low:.6g} to {code.high:.6g})"
        for code in _notes(context).missing_codes
    ]
    return f"{'; '.join(found)}. Such numbers often stand for a missing value, and count as measured here."


def _codes_are_missing(context: RowContext, judged: Judgement) -> str:
    """The setting that makes the codes missing; with a higher limit for rejected rows if they would exceed it."""
    study, rows, codes = context.study, context.rows, _notes(context).missing_codes
    words = [*study.missing, *dict.fromkeys(code.spelled for code in codes)]
    share = (rows.n_rejected + sum(code.n_rows for code in codes)) / rows.n_read
    settings = [f"missing = {json.dumps(words, ensure_ascii=False)}"]
    if share > study.rules.max_rejected_share:
        settings.append(f"rules.max_rejected_share = {np.ceil(100 * share) / 100:g}")
    return f"If they do, {to_set(study, settings)}. Else nothing is to be done."


def _totals(context: RowContext, judged: Judgement) -> str:
    found = _notes(context).totals
    what = (
        "It looks like a row of totals, and counts as a group"
        if len(found) == 1
        else "They look like rows of totals, and count as groups"
    )
    rows = "; ".join(_totals_row(context, each) for each in found[:MOST_NAMED])
    return f"{rows}{_more(found)}. {what} here."


def _totals_row(context: RowContext, each: TotalsRow) -> str:
    place = f"row {each.row:,} of {each.file}" if each.row else each.file
    total = f", and its {context.study.outcome} is the sum of all others'" if each.is_sum else ""
    return f"{context.study.group} is {each.label[:40]!r} in one row, {place}{total}"


def _delete(context: RowContext, judged: Judgement) -> str:
    them = "it" if len(_notes(context).totals) == 1 else "them"
    return f"If so, delete {them}, or export the data without totals."


def _cut_short(context: RowContext, judged: Judgement) -> str:
    found = _notes(context).cut_short
    named = ", ".join(f"{name} ({_end(end)})" for name, end in found[:MOST_NAMED])
    what = "A file ends" if len(found) == 1 else f"{plural(len(found), 'file')} end"
    return f"{what} without a line break and, as it seems, in the middle of a line. See {named}{_more(found)}."


def _end(end: CutShort) -> str:
    if end.what == "fields":
        return "its last line has too few values"
    return f"its last value is {end.value[:40]!r}, with fewer decimals than all values above it"


def _more(found: Sequence[object]) -> str:
    return f" and {len(found) - MOST_NAMED:,} more" if len(found) > MOST_NAMED else ""


READING: tuple[CheckSpec[RowContext], ...] = (
    CheckSpec(
        kind="missing_codes",
        title="Numbers that may stand for “missing”",
        measure="most rows of a column: {value}",
        cases={"found": Case(_codes, _codes_are_missing)},
    ),
    CheckSpec(
        kind="totals_row",
        title="Rows of totals",
        measure="rows: {value}",
        cases={"found": Case(_totals, _delete)},
    ),
    CheckSpec(
        kind="cut_short",
        title="Files that may be cut short",
        measure="files: {value}",
        cases={
            "found": Case(
                _cut_short,
                "Compare with the source how many rows there should be, and deliver the file again whole.",
            )
        },
    ),
)
