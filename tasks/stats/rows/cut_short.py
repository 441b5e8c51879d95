"""A file whose last line seems to have lost its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.stats.judgement import Judgement


@dataclass(frozen=True)
class CutShort:
    """No line break ends the file, and its last line lacks `what`. `value` is the last one there."""

    value: str
    what: Literal["fields", "decimals"]


def judge_cut_short(found: Sequence[tuple[str, CutShort]]) -> tuple[Judgement, ...]:
    """Of files by name; only where there is one."""
    return (Judgement("cut_short", "review", "found", value=len(found)),) if found else ()
