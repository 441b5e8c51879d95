"""Which groups have moved since the last report, by their new rows, in words."""

from __future__ import annotations

import numpy as np

from tasks.stats.past.moves import Moves
from tasks.view.report_context import ReportContext
from tasks.view.words import numbers, text
from tasks.view.words.numbers import fixed, listed, plural, with_unit

NAMED = 3
MOVED, NOT_SEEN, NOT_COMPARED = "moved", "no move seen", "not compared"
NOT_TOLD = "cannot be told"


def moves_sentence(context: ReportContext, moves: Moves) -> str:
    """Which groups moved, by how much; where that cannot be told, why."""
    if not moves.is_comparable:
        return _not_comparable(moves)
    if not moves.n_new_rows:
        return "No row is new, so no group can have moved."
    compared = len(moves.found.positions)
    if not compared:
        return "None of the new rows can be set against earlier rows of its group, so no move could be seen."
    if not moves.rings.any():
        one = "the one group" if compared == 1 else f"the {plural(compared, 'group')}"
        return f"Of {one} with new rows and earlier ones, none is seen to have moved."
    return moved_sentence(context, moves)


def _not_comparable(moves: Moves) -> str:
    lost = listed(map(text.clean, moves.lost), limit=NAMED)
    why = f"what was in {lost} is gone or was changed" if lost else "its rows are not all among those of this one"
    return f"Whether a group moved since that report cannot be told from its new rows, because {why}."


def moved_sentence(context: ReportContext, moves: Moves) -> str:
    """`1 of 8 groups with new rows moved by more than 7 s: kent, …`; empty if none moved."""
    n, compared = int(moves.rings.sum()), len(moves.found.positions)
    if not n:
        return ""
    named = [_mover(context, moves, int(k)) for k in moved_first(moves)[: min(n, NAMED)]]
    by = f" by more than {_amount(context, moves.margin)}" if moves.margin > 0 else ""
    more = f" and {n - NAMED:,} more" if n > NAMED else ""
    said = f"{n:,} of {plural(compared, 'group')} with new rows moved{by}: {'; '.join(named)}{more}."
    return f"{said}{_gathered(moves)}"


def moved_first(moves: Moves) -> np.ndarray:
    """(K,) positions among the compared groups: those that moved first, then by how far, in standard errors."""
    return np.lexsort((-np.abs(moves.found.shift / moves.found.se), ~moves.rings))


def _mover(context: ReportContext, moves: Moves, k: int) -> str:
    """`kent, whose 12 new rows lie 12 s (8 to 16) above what its earlier rows foretold`"""
    found, shift = moves.found, float(moves.found.shift[k])
    places = numbers.decimals_for(float(found.se[k]))
    ends = sorted(abs(float(end[k])) for end in (moves.lower, moves.upper))
    low = ends[0] if moves.lower[k] * moves.upper[k] > 0 else -ends[0]
    size = with_unit(fixed(abs(shift), places), context.change_unit(0))
    rows = plural(int(found.n_new[k]), "new row")
    verb, where = "lies" if found.n_new[k] == 1 else "lie", "above" if shift > 0 else "below"
    interval = numbers.interval(low, ends[1], places)
    name = context.named(int(found.positions[k]))
    return f"{name}, whose {rows} {verb} {size} (95 %: {interval}) {where} what its earlier rows foretold"


def _amount(context: ReportContext, size: float) -> str:
    return f"{with_unit(numbers.significant(size, 2), context.change_unit(0))}{context.margin_place}"


def _gathered(moves: Moves) -> str:
    """Says so if what rang is more than this report's rows alone show."""
    if bool(moves.is_plain[moves.rings].all()):
        return ""
    return " Where the interval alone does not show it, the reports before, taken together with this one, do."


def judged(moves: Moves | None, position: int) -> tuple[str, int]:
    """What is said of the group at this position in today's labels, and its position among those compared, or -1."""
    if moves is None or not moves.is_comparable:
        return NOT_TOLD, -1
    (at,) = np.nonzero(moves.found.positions == position)
    if not at.size:
        return NOT_COMPARED, -1
    return (MOVED if moves.rings[at[0]] else NOT_SEEN), int(at[0])


def margin_note(context: ReportContext, moves: Moves | None) -> str:
    """What “moved” means."""
    if moves is None or not moves.is_comparable or not moves.found.positions.size:
        return ""
    by = f"by more than {_amount(context, moves.margin)} (`change_margin`)" if moves.margin > 0 else "at all"
    return (
        "“New rows” is how far these lie from what the group’s earlier rows foretold, with its 95 % interval; "
        f"“moved” is said when these and earlier reports show a move {by}. While nothing moves, one false alarm a year "
        "is to be expected at most, over all groups."
    )
