"""The columns that the head of a data file shows, each read as a study would read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.rows.category_columns import MOST_NUMBERS
from tasks.rows.csv_files import read_columns
from tasks.rows.csv_head import Layout, find_layout
from tasks.rows.encodings import find_encoding
from tasks.rows.looks import Look, look_of
from tasks.rows.numbers import is_missing
from tasks.rows.study_files import is_parquet
from tasks.rows.typed_columns import text_columns, text_frame
from tasks.rows.values import ColumnReading, is_truth, number_styles, numbers_of
from tasks.stats.records import Floats, Integers
from tasks.study.categories import Categories
from tasks.study.errors import DataRejected

SAMPLE_ROWS = 20_000
MOST_LEVELS = Categories().most_levels
FEWEST_ROWS = 5  # of a level of a category, on average
NUMERIC_SHARE = 0.9  # of a column's non-empty values
ENCODINGS = (None, "cp1252", "latin-1")


@dataclass(frozen=True)
class Column:
    """One column: `text` (n,) as the file has it, stripped; `look` the settings without which it could not be read."""

    name: str
    position: int
    text: pd.Series
    look: Look | None = None
    is_truth: bool = False

    @cached_property
    def is_filled(self) -> np.ndarray:
        """(n,) whether a value stands there."""
        return ~is_missing(self.text)

    @cached_property
    def values(self) -> Floats | None:
        """(n,) numbers, codes of two words, or NaN; None unless nearly all values are numbers."""
        found = numbers_of(self.text, self.reading)
        n_filled, n_read = int(self.is_filled.sum()), int(np.isfinite(found).sum())
        return found if n_filled and n_read >= NUMERIC_SHARE * n_filled else None

    @property
    def is_category(self) -> bool:
        """Whether a run takes it for a category, as a predictor: few different texts, or true and false."""
        is_text = self.values is None or (self.look is not None and bool(self.look.codes))
        return is_text and 2 <= self.n_distinct <= MOST_LEVELS and self.n_filled >= FEWEST_ROWS * self.n_distinct

    @property
    def has_numbers(self) -> bool:
        """Whether too many values are numbers for a run to take it for a category of itself."""
        numbers = np.isfinite(numbers_of(self.text[self.is_filled], ColumnReading(self.reading.style)))
        return bool(numbers.mean() > MOST_NUMBERS)

    @property
    def measure(self) -> Floats:
        """(n,) numbers, of a category one for each level; NaN where there is none. Empty if it is neither."""
        if self.is_category:
            return np.where(self.is_filled, self.codes, np.nan)
        return self.values if self.values is not None else np.empty(0)

    @property
    def reading(self) -> ColumnReading:
        return self._reading

    @cached_property
    def codes(self) -> Integers:
        """(n,) numbers from 0 on, equal for equal values; -1 where no value stands."""
        codes = pd.factorize(self.text)[0].astype(np.int64)
        codes[~self.is_filled] = -1
        return np.unique(codes, return_inverse=True)[1] - int((codes < 0).any())

    @cached_property
    def n_distinct(self) -> int:
        return int(self.codes.max(initial=-1)) + 1

    @property
    def n_filled(self) -> int:
        return int(self.is_filled.sum())

    _reading: ColumnReading = field(default_factory=ColumnReading)


@dataclass(frozen=True)
class FileSeen:
    """`encoding` is None for UTF-8 and where a byte order mark decides; `layout` is None for Parquet."""

    columns: tuple[Column, ...]
    encoding: str | None = None
    layout: Layout | None = None


def see(file: Path) -> FileSeen:
    """The columns of the first SAMPLE_ROWS rows, and how the file is read. Raises DataRejected if it cannot be read."""
    if is_parquet(file):
        return FileSeen(_columns(_parquet_head(file)))
    try:
        encoding = _encoding(file)
        layout = find_layout(file, file.name, find_encoding(file, file.name, encoding))
        columns = read_columns(file, file.name, layout, range(len(layout.header)), SAMPLE_ROWS)
    except OSError as error:
        raise DataRejected(f"{file.name} cannot be read: {error.strerror or error}.") from error
    return FileSeen(_columns(text_frame(_named_once(layout.header, columns))), encoding, layout)


def _encoding(file: Path) -> str | None:
    """The first of ENCODINGS with which the file can be read; the last if there is none."""
    for setting in ENCODINGS[:-1]:
        with suppress(DataRejected):
            find_encoding(file, file.name, setting)
            return setting
    return ENCODINGS[-1]


def _columns(frame: pd.DataFrame) -> tuple[Column, ...]:
    texts = {str(name): frame[name].str.strip() for name in frame}
    styles = number_styles(texts)
    return tuple(_column(name, i, text, ColumnReading(styles[name])) for i, (name, text) in enumerate(texts.items()))


def _column(name: str, position: int, text: pd.Series, reading: ColumnReading) -> Column:
    plain = Column(name, position, text, _reading=reading)
    if plain.values is not None or not plain.n_filled:
        return plain
    look = look_of(text[plain.is_filled].tolist(), True, reading.style)
    if look is None or len(look.codes) > 2 or look.missing:
        return plain
    read = replace(reading, style=look.style or reading.style, codes=look.codes, date_format=look.date_format)
    seen = replace(plain, look=look, is_truth=is_truth(text, reading), _reading=read)
    return plain if seen.values is None else seen


def _parquet_head(file: Path) -> pd.DataFrame:
    try:
        with pq.ParquetFile(file) as parquet:
            batch = next(parquet.iter_batches(SAMPLE_ROWS), None)
            table = pa.Table.from_batches([batch] if batch else [], parquet.schema_arrow)
    except (pa.ArrowException, OSError) as error:
        raise DataRejected(f"{file.name} cannot be read as Parquet: {str(error).splitlines()[0]}.") from None
    header = [name.strip() for name in table.column_names]
    texts = [_readable_texts(table, i, file.name) for i in range(table.num_columns)]
    return text_frame(_named_once(header, texts))


def _readable_texts(table: pa.Table, i: int, name: str) -> pa.ChunkedArray:
    """The column as text; empty texts for types that a study could not read either."""
    try:
        return next(iter(text_columns(table.select([i]), name).values()))
    except DataRejected:
        return pa.chunked_array([pa.array([""] * table.num_rows, pa.large_string())])


def _named_once(header: Sequence[str], columns: Sequence[pa.ChunkedArray]) -> Mapping[str, pa.ChunkedArray]:
    """The columns whose name no other column has."""
    return {name: column for name, column in zip(header, columns, strict=True) if header.count(name) == 1}
