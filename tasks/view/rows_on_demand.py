"""Figures with a row per group: the notable ones at first, all when the reader asks."""

from __future__ import annotations

from collections.abc import Callable

from tasks.stats.records import Integers
from tasks.view.figures import intervals
from tasks.view.figures.style import Spec
from tasks.view.records import Figure, Longer
from tasks.view.selection import LONGER_LIMIT
from tasks.view.words.numbers import plural


def figure_of_rows(
    draw: Callable[[Integers], Spec], chosen: Integers, every: Integers, *, id: str, caption: str, alternative: str
) -> Figure:
    """`draw` makes the figure of the groups at given positions, a line each; `chosen` are some of `every`. More than
    LONGER_LIMIT are not offered: a table has them."""
    is_cut = chosen.size < every.size <= LONGER_LIMIT
    return Figure(
        id=id,
        caption=caption,
        alternative=alternative,
        spec=draw(chosen),
        height=intervals.height(chosen.size, 1),
        longer=Longer(f"all {plural(every.size, 'group')}", draw(every), intervals.height(every.size, 1))
        if is_cut
        else None,
    )
