"""How long ago, in words."""

from __future__ import annotations

from datetime import datetime

MINUTE, HOUR, DAY = 60, 3600, 86_400
# A unit is used up to, but not including, so many seconds.
UNITS = (
    (HOUR, MINUTE, "minute"),
    (DAY, HOUR, "hour"),
    (14 * DAY, DAY, "day"),
    (60 * DAY, 7 * DAY, "week"),
    (730 * DAY, 30.44 * DAY, "month"),
    (float("inf"), 365.25 * DAY, "year"),
)


def ago(then: datetime, now: datetime) -> str:
    """`5 minutes ago`, rounded down. Clocks that differ by less than a minute are taken to agree."""
    seconds = (now - then).total_seconds()
    if seconds <= -MINUTE:
        return "dated in the future"
    if seconds < MINUTE:
        return "just now"
    size, unit = next((size, unit) for limit, size, unit in UNITS if seconds < limit)
    count = int(seconds // size)
    return f"{count} {unit}{'' if count == 1 else 's'} ago"
