"""One reports folder for a test run, its reports made when first asked for.

`bounce_rates` and `sleepstudy` are the bundled studies; `hostile` has labels that would break a page which trusts them,
`flat` no predictor, `hundreds` 300 groups and `many` 10,000.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Shelf:
    """Several test processes may share the folder: who asks first for a run makes it; others who want it wait."""

    folder: Path

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    def run(self, name: str) -> Path:
        """The run's folder, with its report, its data and its report as one file."""
        made = self.folder / f"{name}.path"
        with alone(self.folder / f"{name}.lock"):
            if not made.exists():
                made.write_text(str(self._published(name)))
        return Path(made.read_text())

    def _published(self, name: str) -> Path:
        from tests import reports  # imports Prefect, for a flow's functions

        if name == "many":
            return reports.publish_many(self.folder / name, self.reports)
        if name == "hundreds":
            return reports.publish_many(self.folder / name, self.reports, 300)
        if name == "flat":
            return reports.publish_flat(self.folder / name, self.reports)
        if name == "hostile":
            return reports.publish_hostile(self.folder / name, self.reports)
        return reports.publish_bundled(name, self.reports)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Wait until no other process is within; the system drops the lock of one that dies."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
