"""Earlier estimates of a counted outcome as readers see them: levels as rates, effects as they were fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tasks.stats.fits.intervals import Z_95
from tasks.stats.past.changes import Changes, EstimateChanges, ThenNow
from tasks.stats.past.counted_increments import CountedIncrements
from tasks.stats.past.moves import Moves
from tasks.stats.past.over_time import History
from tasks.stats.records import Estimate, Floats

Shown = Callable[[Floats], Floats]  # of linear predictors, rates as they are shown


def changes_as_rates(changes: Changes, shown: Shown, scale: float) -> Changes:
    """`scale` is by what a rate is multiplied to be shown."""
    return replace(
        changes,
        estimates=None if changes.estimates is None else _estimates(changes.estimates, shown),
        moves=None if changes.moves is None else _moves(changes.moves, scale),
    )


def _moves(moves: Moves, scale: float) -> Moves:
    assert isinstance(moves.found, CountedIncrements)
    return replace(moves, found=moves.found.scaled(scale), margin=scale * moves.margin)


def history_as_rates(history: History, shown: Shown) -> History:
    return replace(history, groups=level_as_rate(history.groups, shown))


def _estimates(found: EstimateChanges, shown: Shown) -> EstimateChanges:
    groups, average = found.groups, found.fixef
    return replace(
        found,
        groups=ThenNow(level_as_rate(groups.then, shown), level_as_rate(groups.now, shown)),
        fixef=ThenNow(level_as_rate(average.then, shown), level_as_rate(average.now, shown)),
    )


def level_as_rate(estimate: Estimate, shown: Shown) -> Estimate:
    """(..., p) with the first entry moved to rates: ends exactly, means nearly, SDs from the ends."""
    parts = {name: getattr(estimate, name).copy() for name in ("mean", "sd", "lower", "upper")}
    for name in ("mean", "lower", "upper"):
        parts[name][..., 0] = shown(parts[name][..., 0])
    parts["sd"][..., 0] = (parts["upper"][..., 0] - parts["lower"][..., 0]) / (2.0 * Z_95)
    return Estimate(**parts)
