"""How long ago, in words, and from when on a study counts as stale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

MINUTE, HOUR, DAY = 60, 3600, 86_400
# (limit, size, name): a unit is used below its limit, in seconds.
UNITS = (
    (HOUR, MINUTE, "minute"),
    (DAY, HOUR, "hour"),
    (14 * DAY, DAY, "day"),
    (60 * DAY, 7 * DAY, "week"),
    (730 * DAY, 30.44 * DAY, "month"),
    (float("inf"), 365.25 * DAY, "year"),
)
# If a study sets no limit, the usual time between its newest reports counts, once it has the fewest.
FEWEST_REPORTS, NEWEST_REPORTS = 5, 20
PATIENCE, LEAST_PATIENCE = 3, timedelta(days=7)
RULE = (
    "A study counts as stale when its data are older than it allows. Where it sets no limit: when no new report has "
    f"come for {PATIENCE} times as long as usual, and at least {LEAST_PATIENCE.days} days; what is usual is known from "
    f"{FEWEST_REPORTS} reports on."
)


@dataclass(frozen=True)
class StaleFrom:
    moment: datetime
    reason: str


def ago(then: datetime, now: datetime) -> str:
    """`5 minutes ago`, rounded down. Clocks that differ by less than a minute are taken to agree."""
    seconds = (now - then).total_seconds()
    if seconds <= -MINUTE:
        return "dated in the future"
    return "just now" if seconds < MINUTE else f"{_span(seconds)} ago"


def stale_from(reports: Sequence[datetime], data_age_days: float | None, limit_days: float | None) -> StaleFrom | None:
    """When a study becomes stale unless something new comes; `None` when that cannot be told.

    `reports` are the moments of its reports, newest first; `data_age_days` is the age of the data at the newest.
    """
    if data_age_days is not None and limit_days is not None:
        moment = later(reports[0], limit_days - data_age_days)
        reason = f"its data may be at most {_span(limit_days * DAY)} old"
        return None if moment is None else StaleFrom(moment, reason)
    if len(reports) < FEWEST_REPORTS:
        return None
    usual = median((after - before).total_seconds() for after, before in pairwise(reports[:NEWEST_REPORTS]))
    if usual < MINUTE:
        return None
    patience = max(PATIENCE * timedelta(seconds=usual), LEAST_PATIENCE)
    return StaleFrom(reports[0] + patience, f"a new report usually comes after {_span(usual)}")


def later(moment: datetime, days: float) -> datetime | None:
    """The moment so many days later; `None` if it is beyond the calendar."""
    try:
        return moment + timedelta(days=days)
    except OverflowError:
        return None


def _span(seconds: float) -> str:
    """`2 days`, rounded down, at least one minute."""
    size, unit = next((size, unit) for limit, size, unit in UNITS if seconds < limit)
    count = max(int(seconds // size), 1)
    return f"{count} {unit}{'' if count == 1 else 's'}"
