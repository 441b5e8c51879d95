"""A file whose last line seems to have lost its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.stats.judgement import Judgement


@dataclass(frozen=True)
class CutShort:
    """The file ends without a line break, and its last line lacks `what`. `value` is the last value on that line."""

    value: str
    what: Literal["fields", "decimals"]


def judge_cut_short(found: Sequence[tuple[str, CutShort]]) -> tuple[Judgement, ...]:
    """One judgement if `found`, by file name, has any file; else none."""
    return (Judgement("cut_short", "review", "found", value=len(found)),) if found else ()
