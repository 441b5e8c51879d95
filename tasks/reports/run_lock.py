"""One run of a study at a time, and runs whose process died found out.

On one machine a lock on a file tells, which the system drops when its process ends (`file_holds`); where machines share
a database, a lease in it, which has to be renewed (`leases`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from tasks.reports.database import shared_address
from tasks.reports.holding import Hold, RunningRun


@contextmanager
def only_run(reports: Path, study_name: str, patience_seconds: float = 3600.0) -> Iterator[Hold]:
    """Wait until no other process runs the study, then hold it.

    Raises PoolwiseError when that takes longer than `patience_seconds`.
    """
    with _way().only_run(reports, study_name, patience_seconds) as hold:
        yield hold


def is_noted(reports: Path, study_name: str) -> bool:
    """Whether a run goes on, or died and has not been cleaned up after."""
    return bool(_way().is_noted(reports, study_name))


def is_running(reports: Path, study_name: str) -> bool:
    """Whether a living process holds the study."""
    return bool(_way().is_running(reports, study_name))


@contextmanager
def dead_run(reports: Path, study_name: str) -> Iterator[RunningRun | None]:
    """The run that died holding the study, or None. Its note is cleared when the block ends without an error."""
    with _way().dead_run(reports, study_name) as dead:
        yield dead


def _way() -> ModuleType:
    from tasks.reports import file_holds, leases

    return leases if shared_address() else file_holds
