"""Which groups and rows are shown when there are too many, by rules that the report states."""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Floats, Integers

PANEL_LIMIT = 24
CHANGED_LIMIT = 12
TABLE_LIMIT = 200
ROWS_LIMIT = 25  # rows with names
LONGER_LIMIT = 400  # rows drawn when the reader asks for all
FIGURE_LIMIT = 60
MOVING_LIMIT = 400
MOVED_LIMIT = 6
PANEL_ROWS_LIMIT = 120
CLOUD_ROWS_LIMIT = 1500


def notable_groups(sizes: Integers, level: Floats, limit: int) -> np.ndarray:
    """Positions of at most `limit` groups in their own order: all, or the smallest, the largest, and the extremes.

    A quarter each: fewest rows, most rows, lowest level, highest level, taken in turn without repeats.
    """
    if sizes.size <= limit:
        return np.arange(sizes.size)
    by_size, by_level = np.argsort(sizes, kind="stable"), np.argsort(level, kind="stable")
    in_turn = np.column_stack([by_size, by_size[::-1], by_level, by_level[::-1]]).ravel()
    _, first = np.unique(in_turn, return_index=True)
    return np.sort(in_turn[np.sort(first)[:limit]])


def rule(shown: int, total: int, of: str = "level", counted: str = "rows") -> str:
    """`notable_groups` in words, by the level or what else `of` names; empty when nothing was left out.

    `counted` is what sizes are of.
    """
    if shown >= total:
        return ""
    return (
        f"Shown are {shown:,} of {total:,} groups: a quarter each with the fewest {counted}, the most "
        f"{counted}, the lowest and the highest {of}."
    )


def thin(order_by: Floats, limit: int) -> np.ndarray:
    """Positions of at most `limit` rows, evenly spaced in the order of `order_by`, both ends kept."""
    order = np.argsort(order_by, kind="stable")
    if order.size <= limit:
        return order
    return order[np.linspace(0, order.size - 1, limit).round().astype(int)]
