"""How often a check asks for a look where nothing is wrong, for those that are tests: what many studies make of chance.

Each is a test at this level whose finding also has to matter, so the level is the most that chance alone does.
"""

from __future__ import annotations

from collections.abc import Iterable

from tasks.stats.judged import effect_shape, influence, mean_spread, missing_terms, row_shape, serial, size_trend

CHANCES = {
    "context": missing_terms.CHANCE,
    "curve": missing_terms.CHANCE,
    "size_trend": size_trend.CHANCE,
    "serial": serial.CHANCE,
    "mean_spread": mean_spread.CHANCE,
    "row_shape": row_shape.CHANCE,
    "group_effects": effect_shape.CHANCE,
    "influential_groups": influence.CHANCE,
}


def most_by_chance(kinds: Iterable[str]) -> float:
    """The most findings to expect of these checks, named by kind, if nothing is wrong anywhere: the sum of the levels.

    The expectation of a sum is the sum of the expectations, whether or not the tests depend on each other.
    """
    return sum(CHANCES.get(kind, 0.0) for kind in kinds)
