"""Rows that are copies of others, in words."""

from __future__ import annotations

from tasks.stats.judgement import Judgement
from tasks.stats.rows.copies import Copies, RepeatedRows, SharedRows
from tasks.view.row_context import RowContext
from tasks.view.topic import Case, CheckSpec

MOST_NAMED = 3
DROP, KEEP = 'rules.copies = "drop"', 'rules.copies = "keep"'
HARMLESS = 0.05  # share of the copies that may be equal by chance and still be dropped with them


def _found(context: RowContext) -> Copies:
    assert context.rows.notes.copies is not None
    return context.rows.notes.copies


def _told(context: RowContext, judged: Judgement) -> str:
    found = _found(context)
    n, about = found.n_rows, "about " if found.is_about else ""
    are = "1 row is an exact copy" if n == 1 else f"{about}{n:,} rows are exact copies"
    sentences = [*map(_shared, found.shared), *map(_repeated, found.repeated)]
    rest = len(sentences) - MOST_NAMED
    more = [f"{rest:,} more such finding{'s'[: rest != 1]}"] if rest > 0 else []
    where = "; ".join([*sentences[:MOST_NAMED], *more])
    return f"{are[0].upper()}{are[1:]} of others: {where}."


def _advice(context: RowContext, judged: Judgement) -> str:
    found = _found(context)
    is_safe = found.n_by_chance < HARMLESS * found.n_rows
    in_order = [each.in_order for each in found.shared] + [each.in_order for each in found.repeated]
    if any(each.by_study for each in found.shared):
        what = "Take out the file that was delivered twice"
    elif is_safe and not any(in_order):
        what = f"To count such rows once, {context.study.setting(DROP)}"
    else:
        what = "Take out what was delivered twice; single rows are too coarse here to tell a copy from a like row"
    keep = context.study.setting(KEEP)
    return f"Copies make results look more certain than they are. {what}. If the rows are right as they are, {keep}."


def _shared(each: SharedRows) -> str:
    about = "about " if each.is_about else ""
    how = (" in the same order" if each.in_order else "") + (", in the study's columns" if each.by_study else "")
    if each.n_rows == each.n_earlier == each.n_file:
        return f"{each.file} and {each.earlier} hold the same {each.n_rows:,} rows{how}"
    if each.n_rows == each.n_earlier:
        return f"{each.file} holds all {each.n_rows:,} rows of {each.earlier}{how}"
    if each.n_rows == each.n_file:
        return f"all {each.n_rows:,} rows of {each.file} stand in {each.earlier} too{how}"
    stand = "stands" if each.n_rows == 1 else "stand"
    rows = f"{about}{each.n_rows:,} of the {each.n_file:,} rows of {each.file}"
    return f"{rows} {stand} in {each.earlier} too{how}"


def _repeated(each: RepeatedRows) -> str:
    about, order = ("about " if each.is_about else ""), (" in the same order" if each.in_order else "")
    rows, repeat = ("row", "repeats an earlier one") if each.n_rows == 1 else ("rows", "repeat earlier ones")
    return f"{about}{each.n_rows:,} {rows} of {each.file} {repeat}{order}"


def _dropped(context: RowContext, judged: Judgement) -> str:
    n = _found(context).n_dropped
    rows = "1 row that is an exact copy of an earlier one was" if n == 1 else f"{n:,} rows that are exact copies were"
    return f"{rows} dropped, as the study asks."


COPIES: CheckSpec[RowContext] = CheckSpec(
    kind="copied_rows",
    title="Rows that are copies",
    measure="rows copied: {value}",
    cases={
        "none": Case("No rows were found to be exact copies of others."),
        "found": Case(
            _told, _advice, "See whether rows that are copies should count: the health card says how to drop them."
        ),
        "kept": Case(lambda context, judged: f"{_told(context, judged)} They are kept, as the study asks."),
        "dropped": Case(_dropped),
        "dropped by chance": Case(
            lambda context, judged: (
                f"{_dropped(context, judged)} But rows are so coarse here that many are equal by "
                "chance, and these were dropped too."
            ),
            lambda context, judged: f"Take out what was delivered twice, and {context.study.setting(KEEP)}.",
        ),
    },
)
