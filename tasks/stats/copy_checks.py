"""Rows that are copies of others, in words."""

from __future__ import annotations

from tasks.stats.copies import SAFETY, Copies, RepeatedRows, SharedRows
from tasks.stats.records import Check
from tasks.stats.study import Study

MOST_NAMED = 3
DROP, KEEP = 'rules.copies = "drop"', 'rules.copies = "keep"'
HARMLESS = 0.05  # of the copies: so many equal rows by chance may be dropped with them


def check_copies(found: Copies | None, study: Study, n_used: int) -> tuple[Check, ...]:
    """`n_used` are the study's rows in use."""
    if found is None:
        return ()
    if found.n_rows:
        return (_told(found, study),)
    if found.n_dropped:
        return (_dropped(found, study, n_used),)
    message = "No rows were found to be exact copies of others."
    return (Check("copied_rows", "pass", 0, 0, message, ""),)


def _told(found: Copies, study: Study) -> Check:
    n, about = found.n_rows, "about " if found.is_about else ""
    are = "1 row is an exact copy" if n == 1 else f"{about}{n:,} rows are exact copies"
    sentences = [*map(_shared, found.shared), *map(_repeated, found.repeated)]
    rest = len(sentences) - MOST_NAMED
    more = [f"{rest:,} more such finding{'s'[: rest != 1]}"] if rest > 0 else []
    where = "; ".join([*sentences[:MOST_NAMED], *more])
    is_right = study.rules.copies == "keep"
    kept = " They are kept, as the study asks." if is_right else ""
    message = f"{are[0].upper()}{are[1:]} of others: {where}.{kept}"
    return Check(
        "copied_rows", "pass" if is_right else "review", n, 0, message, "" if is_right else _advice(found, study)
    )


def _advice(found: Copies, study: Study) -> str:
    is_safe = found.n_by_chance < HARMLESS * found.n_rows
    in_order = [each.in_order for each in found.shared] + [each.in_order for each in found.repeated]
    keep = study.setting(KEEP)
    if any(each.by_study for each in found.shared):
        what = "Take out the file that was delivered twice"
    elif is_safe and not any(in_order):
        what = f"To count such rows once, {study.setting(DROP)}"
    else:
        what = "Take out what was delivered twice; single rows are too coarse here to tell a copy from a like row"
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


def _dropped(found: Copies, study: Study, n_used: int) -> Check:
    """Equal rows that chance explains are no copies: then the rule takes rows that should count."""
    n = found.n_dropped
    by_chance = found.n_by_chance * ((n_used + n) / max(n_used, 1)) ** 2
    rows = "1 row that is an exact copy of an earlier one was" if n == 1 else f"{n:,} rows that are exact copies were"
    message = f"{rows} dropped, as the study asks."
    if SAFETY * by_chance < n:
        return Check("copied_rows", "pass", n, None, message, "")
    return Check(
        "copied_rows",
        "review",
        n,
        None,
        f"{message} But rows are so coarse here that many are equal by chance, and these were dropped too.",
        f"Take out what was delivered twice, and {study.setting(KEEP)}.",
    )
