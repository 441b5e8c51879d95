"""Columns of typed tables, from Parquet or a database, as the text that a CSV file would hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tasks.rows import csv_files
from tasks.rows.csv_head import positions_of
from tasks.rows.other_columns import others_of, with_rest
from tasks.study.errors import DataRejected
from tasks.study.model import Study
from tasks.study.plain_text import shown
from tasks.study.settings import clean_label

EXACT_FLOATS = 2.0**53


@dataclass(frozen=True)
class TypedColumns:
    """Of the columns `stored` in a table, those that a study asks for, and the others that tell rows apart."""

    study: Study
    name: str  # the table's, in reports
    taken: Sequence[str]
    others: Mapping[str, str]  # by name and number, sorted

    @classmethod
    def of(cls, stored: Sequence[str], study: Study, name: str) -> TypedColumns:
        """Raises DataRejected for a column that is missing or stands there twice."""
        header = [clean_label(column) for column in stored]
        others = {key: stored[at] for key, at in others_of(header, study.columns).items()}
        taken = [stored[at] for at in positions_of(header, study.columns, name, "as the data do")]
        return cls(study, name, taken, {key: column for key, column in others.items() if stored.count(column) == 1})

    @property
    def read(self) -> list[str]:
        """All that have to be read."""
        return [*self.taken, *self.others.values()]

    def frame(self, table: pa.Table) -> pd.DataFrame:
        """Rows of these columns as `row_reader.read_chunks` gives them, without file and row numbers."""
        frame = text_frame(_study_texts(table.select(self.taken), self.taken, self.study, self.name))
        rest = _joined(table.select([*self.others.values()])) if self.others else None
        return with_rest(frame, {key: at for at, key in enumerate(self.others)}, rest)


def text_frame(columns: Mapping[str, pa.ChunkedArray | pa.Array]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(pd.array(column, dtype="str")) for name, column in columns.items()})


def text_columns(table: pa.Table, name: str, decimal: str = ".") -> dict[str, pa.ChunkedArray]:
    """Parquet's typed columns as a CSV file would say them; null becomes empty, 2.0 stays 2.0.

    Raises DataRejected for types that have no one spelling: durations, nested ones.
    """
    return {column: _as_text(table.column(column), column, name, decimal) for column in table.column_names}


def _joined(table: pa.Table) -> list[str]:
    """As `csv_files.joined`; columns that cannot be written as text, such as nested ones, are blank."""
    texts = map(_spelled, table.columns)
    separator = pa.scalar(csv_files.SEPARATOR, pa.large_string())
    return csv_files.plain(pc.binary_join_element_wise(*texts, separator).to_pylist())


def _spelled(values: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return pc.fill_null(pc.cast(values, pa.large_string()), "")
    except pa.ArrowException:
        return pa.chunked_array([pa.array([""] * len(values), pa.large_string())])


def _study_texts(table: pa.Table, taken: Sequence[str], study: Study, name: str) -> dict[str, pa.ChunkedArray]:
    """The study's columns as text; labels and codes that were stored as floats become whole numbers again."""
    mark = "," if study.decimal == "," or study.thousands == "." else "."
    texts = {}
    for column, stored in zip(study.columns, taken, strict=True):
        values = table.column(stored)
        if column not in study.numeric_columns or column in study.categories.columns:
            values = _whole_where_it_can(values)
        texts[column] = _as_text(values, column, name, mark)
    return texts


def _as_text(values: pa.ChunkedArray, column: str, name: str, decimal: str) -> pa.ChunkedArray:
    if pa.types.is_duration(values.type):
        raise DataRejected(
            f"{name} stores {shown(column)} as durations ({values.type}), which are no numbers until a unit is chosen. "
            f"Store it as numbers, for example of seconds; in pandas: table[{column!r}].dt.total_seconds()"
        )
    try:
        text = pc.fill_null(pc.cast(values, pa.large_string()), "")
    except pa.ArrowException:
        raise DataRejected(
            f"{name} stores {shown(column)} as {str(values.type)[:60]}, which cannot be read as numbers or text. "
            "Store one number or one text per row."
        ) from None
    if decimal == "," and (pa.types.is_floating(values.type) or pa.types.is_decimal(values.type)):
        return pc.replace_substring(text, ".", ",")
    return text


def _whole_where_it_can(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers without ".0": a missing value turns a column of integers into floats."""
    if not pa.types.is_floating(values.type):
        return values
    numbers = pc.cast(values, pa.float64())
    is_whole = pc.and_(pc.equal(numbers, pc.round(numbers)), pc.less(pc.abs(numbers), EXACT_FLOATS))
    whole = pc.cast(pc.if_else(is_whole, numbers, None), pa.int64())
    return pc.coalesce(pc.cast(whole, pa.large_string()), pc.cast(values, pa.large_string()))
