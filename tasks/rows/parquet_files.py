"""Reads columns of Parquet files as the text that a CSV file would hold, in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.rows import csv_files
from tasks.rows.typed_columns import TypedColumns
from tasks.study.errors import DataRejected
from tasks.study.model import Study

T = TypeVar("T")


def parquet_chunks(path: Path, study: Study, name: str) -> Iterator[pd.DataFrame]:
    """The study's columns as text, in frames of at most `csv_files.CHUNK_ROWS` rows; an empty one if there are none."""
    try:
        with pq.ParquetFile(path) as file:
            columns = TypedColumns.of(file.schema_arrow.names, study, name)
            batches = map(pa.Table.from_batches, zip(file.iter_batches(csv_files.CHUNK_ROWS, columns=columns.read)))
            for table in at_least_one(batches, file.schema_arrow.empty_table().select(columns.read)):
                yield columns.frame(table)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk failed; the content may be sound
            raise
        raise DataRejected(f"{name} cannot be read as Parquet: {str(error).splitlines()[0].rstrip('.')}.") from None


def at_least_one(chunks: Iterator[T], empty: T) -> Iterator[T]:
    return chain([next(chunks, empty)], chunks)
