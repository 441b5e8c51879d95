"""What a run comes to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tasks.stats.past.earlier import ReportedVerdict


@dataclass(frozen=True)
class Outcome:
    """Where the report is and what it says; `is_new` is false when data and study had not changed."""

    folder: Path
    verdict: ReportedVerdict
    is_new: bool
