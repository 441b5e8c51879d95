"""A file whose last line seems to have lost its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.stats.records import Check

MOST_NAMED = 3


@dataclass(frozen=True)
class CutShort:
    """No line break ends the file, and its last line lacks `what`. `value` is the last one there."""

    value: str
    what: Literal["fields", "decimals"]


def check_cut_short(found: Sequence[tuple[str, CutShort]]) -> tuple[Check, ...]:
    """Of files by name; only where there is one."""
    if not found:
        return ()
    named = [f"{name} ({_described(end)})" for name, end in found[:MOST_NAMED]]
    rest = f" and {len(found) - MOST_NAMED:,} more" if len(found) > MOST_NAMED else ""
    verb = "ends" if len(found) == 1 else "end"
    return (
        Check(
            "cut_short",
            "review",
            len(found),
            None,
            f"{', '.join(named)}{rest} {verb} without a line break and, as it seems, in the middle of a line.",
            "Compare with the source how many rows there should be, and deliver the file again whole.",
        ),
    )


def _described(end: CutShort) -> str:
    if end.what == "fields":
        return "its last line has too few values"
    return f"its last value is {end.value[:40]!r}, with fewer decimals than all values above it"
