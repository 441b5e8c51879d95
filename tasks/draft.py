"""Drafts a `study.toml` for a data file: guesses which columns play which part, and says so.

Guesses read at most SAMPLE_ROWS rows. A group is a column whose values repeat and are names rather than
measurements; the outcome is the numeric column that varies most freely, the later the likelier.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.csv_files import find_delimiter, read_columns
from tasks.load import SUFFIXES, is_parquet, text_columns, text_frame
from tasks.numbers import is_missing, parse_numbers
from tasks.stats.errors import DataRejected, StudyError
from tasks.stats.plain_text import listed
from tasks.stats.records import Floats
from tasks.stats.study import RESERVED_COLUMNS, RESERVED_TERMS
from tasks.toml_text import toml_key, toml_value

SAMPLE_ROWS = 20_000
NUMERIC_SHARE = 0.9  # of a column's non-empty values
MOST_PREDICTORS = 3
ENCODINGS = ("utf-8-sig", "cp1252", "latin-1")


LABEL_NAMES = re.compile(
    r"(^|[ _.-])(id|code|no|nr|number)$|subject|patient|person|group|county|region|site|school|store"
)
OUTCOME_NAMES = re.compile(r"^(y|outcome|response|result|score|value|target)$")
DATE = re.compile(r"\s*\d{4}-\d{2}-\d{2}|\s*\d{1,2}[./]\d{1,2}[./]\d{2,4}")


@dataclass(frozen=True)
class Column:
    """What a sample shows of one column. `numbers` is None unless nearly all values are numbers."""

    name: str
    position: int
    n_rows: int
    n_distinct: int
    is_date: bool
    numbers: Floats | None

    @property
    def is_whole(self) -> bool:
        return self.numbers is not None and bool(np.all(self.numbers == np.rint(self.numbers)))

    @property
    def is_named_as_label(self) -> bool:
        return LABEL_NAMES.search(self.name.lower()) is not None

    @property
    def is_row_number(self) -> bool:
        return self.numbers is not None and self.is_whole and bool(np.all(np.diff(self.numbers) == 1))

    @property
    def rows_per_value(self) -> float:
        return self.n_rows / max(self.n_distinct, 1)


@dataclass(frozen=True)
class Sample:
    columns: tuple[Column, ...]
    encoding: str
    decimal: str


def draft_study(file: Path | str) -> str:
    """The text of a commented `study.toml` that stands beside `file` and validates.

    Raises StudyError if there is no such file, DataRejected if no two columns can be made out in it.
    """
    file = Path(file)
    if not file.is_file() or file.suffix.lower() not in SUFFIXES:
        raise StudyError(
            f"There is no data file at {file}. Give the path of a file that ends in {', '.join(SUFFIXES)}."
        )
    sample = _sampled(file)
    usable = [column for column in sample.columns if _is_usable(column)]
    outcome = _outcome(usable)
    group = _group([column for column in usable if column is not outcome])
    if outcome is None or group is None:
        raise DataRejected(_no_guess(file, sample, outcome))
    predictors = _predictors(usable, outcome, group)
    return "\n".join(_lines(file, sample, outcome, group, predictors)) + "\n"


def _sampled(file: Path) -> Sample:
    frame, encoding = _parquet_head(file) if is_parquet(file) else _csv_head(file)
    n_numeric = {mark: sum(_numbers(frame[name], mark) is not None for name in frame) for mark in (".", ",")}
    decimal = "," if n_numeric[","] > n_numeric["."] else "."
    return Sample(tuple(_column(frame[name], i, decimal) for i, name in enumerate(frame)), encoding, decimal)


def _column(text: pd.Series, position: int, decimal: str) -> Column:
    filled = text[~is_missing(text)].str.strip()
    return Column(
        name=str(text.name),
        position=position,
        n_rows=len(filled),
        n_distinct=filled.nunique(),
        is_date=bool(len(filled)) and all(DATE.match(value) for value in filled.iloc[:100]),
        numbers=_numbers(filled, decimal),
    )


def _numbers(text: pd.Series, decimal: str) -> Floats | None:
    filled = text[~is_missing(text)]
    numbers = parse_numbers(filled, decimal)
    finite = numbers[np.isfinite(numbers)]
    return finite if len(filled) and finite.size >= NUMERIC_SHARE * len(filled) else None


def _csv_head(file: Path) -> tuple[pd.DataFrame, str]:
    for encoding in ENCODINGS:
        try:
            delimiter, header = find_delimiter(file, file.name, encoding, ())
            positions = range(len(header))
            columns = read_columns(file, file.name, encoding, delimiter, positions, SAMPLE_ROWS)
        except DataRejected as error:
            if encoding == ENCODINGS[-1] or not isinstance(error.__cause__, UnicodeError):
                raise
        else:
            return text_frame(_named_once(header, columns)), encoding
    raise AssertionError("the last encoding reads or raises")


def _parquet_head(file: Path) -> tuple[pd.DataFrame, str]:
    try:
        with pq.ParquetFile(file) as parquet:
            batch = next(parquet.iter_batches(SAMPLE_ROWS), None)
            table = pa.Table.from_batches([batch] if batch else [], parquet.schema_arrow)
        header = [name.strip() for name in table.column_names]
        return text_frame(_named_once(header, list(text_columns(table, ".").values()))), ENCODINGS[0]
    except (pa.ArrowException, OSError) as error:
        raise DataRejected(f"{file.name} cannot be read as Parquet: {error}.") from None


def _named_once(header: Sequence[str], columns: Sequence[pa.ChunkedArray]) -> dict[str, pa.ChunkedArray]:
    return {name: column for name, column in zip(header, columns, strict=True) if header.count(name) == 1}


def _is_usable(column: Column) -> bool:
    is_free = column.name not in ("", *RESERVED_COLUMNS, *RESERVED_TERMS) and len(column.name) <= 200
    return is_free and column.n_distinct > 1 and not column.is_row_number and not column.is_date


def _outcome(columns: Sequence[Column]) -> Column | None:
    numeric = [column for column in columns if column.numbers is not None and not column.is_named_as_label]
    return max(numeric, key=_likeness_to_outcome, default=None)


def _likeness_to_outcome(column: Column) -> tuple[bool, bool, bool, int]:
    is_named_so = OUTCOME_NAMES.search(column.name.lower()) is not None
    return is_named_so, not column.is_whole, column.n_distinct > 10, column.position


def _group(columns: Sequence[Column]) -> Column | None:
    repeating = [column for column in columns if column.rows_per_value >= 2 and _is_label(column)]
    return max(
        repeating,
        key=lambda column: (column.numbers is None, column.is_named_as_label, column.n_distinct),
        default=None,
    )


def _is_label(column: Column) -> bool:
    return column.numbers is None or column.is_whole


def _predictors(columns: Sequence[Column], outcome: Column, group: Column) -> list[Column]:
    rest = [column for column in columns if column not in (outcome, group)]
    return [column for column in rest if column.numbers is not None and not column.is_named_as_label]


def _lines(file: Path, sample: Sample, outcome: Column, group: Column, others: Sequence[Column]) -> list[str]:
    predictors = others[:MOST_PREDICTORS]
    names = toml_value([column.name for column in predictors])
    return [
        "# Drafted by `poolwise new`. What follows `guess:` was guessed from the data: check it.",
        f"title = {toml_value(_title(outcome, group, predictors))}",
        f"source = {toml_value(file.name)} # a file in this folder, or several: {toml_value('*' + file.suffix)}",
        *_how_to_read(sample),
        "",
        f"outcome = {toml_value(outcome.name)} # guess: numbers, {outcome.n_distinct} different values",
        '# outcome_unit = "" # shown beside every estimate',
        f"group = {toml_value(group.name)} # guess: {_occurrence(group)}",
        f"predictors = {names} # guess: {'other columns of numbers' if predictors else 'none found'}",
        *_further_line(others[MOST_PREDICTORS:]),
        f"# varying = {names} # predictors whose slope may differ by group; default: all",
        "",
        *_unit_lines(predictors),
        "[rules]",
        "max_rejected_share = 0.05 # when more rows than this are bad, the run stops",
        f"# unique = [{toml_value(group.name)}, ...] # columns that together occur once",
        "",
        "# What is possible, not only what was seen. Rows outside are rejected.",
        "# [rules.ranges]",
        *[_range_line(column) for column in (outcome, *predictors)],
    ]


def _title(outcome: Column, group: Column, predictors: Sequence[Column]) -> str:
    if not predictors:
        return f"How does {outcome.name} differ by {group.name}?"[:300]
    return f"Does {' or '.join(column.name for column in predictors)} change {outcome.name}?"[:300]


def _how_to_read(sample: Sample) -> list[str]:
    lines = []
    if sample.encoding != ENCODINGS[0]:
        lines.append(f"encoding = {toml_value(sample.encoding)} # guess: the file is not UTF-8")
    if sample.decimal != ".":
        lines.append(f"decimal = {toml_value(sample.decimal)} # guess: numbers are written with a comma")
    return lines


def _occurrence(group: Column) -> str:
    return f"{group.n_distinct} different values, about {group.rows_per_value:.0f} rows each"


def _further_line(columns: Sequence[Column]) -> list[str]:
    return [f"# further columns of numbers: {toml_value([column.name for column in columns])}"] if columns else []


def _unit_lines(predictors: Sequence[Column]) -> list[str]:
    lines = [f'# {toml_key(column.name)} = ""' for column in predictors]
    return ["# [predictor_units]", *lines, ""] if lines else []


def _range_line(column: Column) -> str:
    least, most = (0.0, 0.0) if column.numbers is None else (column.numbers.min(), column.numbers.max())
    return f"# {toml_key(column.name)} = {{ min = {least:.15g}, max = {most:.15g} }} # as seen"


def _no_guess(file: Path, sample: Sample, outcome: Column | None) -> str:
    names = listed(column.name for column in sample.columns) or "none"
    lacking = (
        "a column of numbers that could be the outcome"
        if outcome is None
        else "a column whose values repeat, for the groups"
    )
    return (
        f"{file.name} seems to lack {lacking} (its columns: {names}). If the columns look wrong, check the file's "
        "first line and its delimiter; if they are right, write the study by hand or name the columns: poolwise run "
        f"{file.name} --outcome Y --group G --predictor X"
    )
