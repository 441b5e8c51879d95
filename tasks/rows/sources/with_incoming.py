"""Rows that are elsewhere, and those of files dropped into the study's incoming folder."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tasks.rows.sources.folder import Folder
from tasks.rows.sources.source import Rows, Source
from tasks.study.errors import DataRejected


@dataclass(frozen=True)
class WithIncoming:
    elsewhere: Source
    incoming: Folder
    watched: str  # what the names of dropped files begin with

    def parts(self) -> dict[str, str]:
        return self.elsewhere.parts() | self.incoming.parts()

    def rows(self, name: str, content: str) -> AbstractContextManager[Rows]:
        return self._of(name).rows(name, content)

    def path_of(self, name: str) -> Path | None:
        return self._of(name).path_of(name)

    def newest(self) -> datetime | None:
        return max(filter(None, (self.elsewhere.newest(), self.incoming.newest())), default=None)

    def goes_on_without(self, name: str, problem: DataRejected) -> bool:
        return self._of(name).goes_on_without(name, problem)

    def _of(self, name: str) -> Source:
        return self.incoming if name.startswith(self.watched) else self.elsewhere
