"""What a source of rows has to offer; each is one implementation, and nothing else knows where rows come from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tasks.rows.study_files import is_parquet
from tasks.stats.rows.cut_short import CutShort
from tasks.study.errors import DataRejected
from tasks.study.model import Study

if TYPE_CHECKING:  # whoever only lists parts, for weeks, does without
    import pandas as pd


class Rows(Protocol):
    """The rows of one part."""

    def chunks(self) -> Iterator[pd.DataFrame]:
        """As `row_reader.read_chunks`. Raises DataRejected for rows that cannot be read as the study asks."""
        ...

    def cut_short(self) -> CutShort | None:
        """What the end lacks, where that can be told."""
        ...


class Source(Protocol):
    """Parts that rows come from: files, objects, partitions."""

    def parts(self) -> dict[str, str]:
        """An id of each part's content, 64 hexadecimal digits, by the part's name in reports, in order.

        Equal ids mean equal rows; of parts with equal ones only the first is named. Raises DataRejected where there is
        no part, or one that cannot be opened; PoolwiseError where the place cannot be reached.
        """
        ...

    def rows(self, name: str, content: str) -> AbstractContextManager[Rows]:
        """The rows of one part. Raises PoolwiseError, which may pass, if its content is, or was meanwhile, another."""
        ...

    def path_of(self, name: str) -> Path | None:
        """The part's file on this machine, there or not; None for parts that are none."""
        ...

    def newest(self) -> datetime | None:
        """When a part was last changed; None where nothing tells."""
        ...

    def goes_on_without(self, name: str, problem: DataRejected) -> bool:
        """Whether a run goes on without this part, which it cannot use."""
        ...


@dataclass(frozen=True)
class FileRows:
    """The rows of a file, which reports call `name`."""

    path: Path
    name: str
    study: Study

    def chunks(self) -> Iterator[pd.DataFrame]:
        from tasks.rows.row_reader import read_chunks

        return read_chunks(self.path, self.study, self.name)

    def cut_short(self) -> CutShort | None:
        """Of a CSV file; Parquet without its end cannot be read at all."""
        if is_parquet(self.path):
            return None
        from tasks.rows.file_end import cut_short
        from tasks.rows.row_reader import csv_layout

        return cut_short(self.path, csv_layout(self.path, self.name, self.study))
