"""One reports folder for a test run: `bounce_rates`, `sleepstudy`, `hostile` and `many`, made when first asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Shelf:
    folder: Path
    runs: dict[str, Path] = field(default_factory=dict)

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    def run(self, name: str) -> Path:
        """The run's folder, with its report, its data and its report as one file."""
        if name not in self.runs:
            self.runs[name] = self._published(name)
        return self.runs[name]

    def _published(self, name: str) -> Path:
        from tests import reports  # imports Prefect, for a flow's functions

        if name == "many":
            return reports.publish_many(self.folder / name, self.reports)
        if name == "hostile":
            return reports.publish_hostile(self.folder / name, self.reports)
        return reports.publish_bundled(name, self.reports)
