"""Checks the rows of one file against their study: good rows become `GroupedData`, bad ones are kept with the reason.

A row fails for a missing value, a number that is none, infinite or too large to be squared, a value out
of range, a count that is none (`tasks.rows.counted_values`), an unknown group, or as a whole (more fields than the
header). A failed row is dropped; every reason against it is kept. Group labels are clean text (see
`stats.study.clean_label`). Allowed groups and keys are compared as the study joins labels (see `stats.labels`).
Elsewhere: rows that repeat an earlier one (`tasks.rows.row_keys`), and what stops the run although no row can be blamed
for it, such as one group only or a constant predictor (`tasks.rows.structure`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, fields
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pyarrow.compute as pc

from tasks.rows.category_columns import level_texts
from tasks.rows.counted_values import count_checks, limits_of, size_of, too_many_events
from tasks.rows.csv_files import shortened
from tasks.rows.numbers import as_arrow, parse_numbers
from tasks.rows.structure import rule_kind
from tasks.rows.values import ColumnReading, numbers_of, why_none
from tasks.stats.labels import is_allowed, joined_key
from tasks.stats.records import GroupedData
from tasks.stats.rows.coding import Coding, Levels
from tasks.stats.rows.spreadsheet import cell
from tasks.study.errors import Rejection
from tasks.study.model import Study
from tasks.study.settings import SURROUNDING, Range

KEY_SEPARATOR = ", "
EVERY_COLUMN = "every column"  # named as the column when a row is a copy of another
LARGEST = 1e50  # products of squares of numbers up to this one, summed over many, are still finite
LONGEST_LABEL = 1_000  # characters

Readings = Mapping[str, ColumnReading]


def schema_of(study: Study, readings: Readings) -> pandera.DataFrameSchema:
    """What parsed columns must satisfy. Uniqueness is not in it, as only good rows are compared."""
    numeric = {
        column: pandera.Column(
            float, [*count_checks(column, study), *_number_checks(limits_of(column, study))], nullable=False
        )
        for column in readings
    }
    short = pandera.Check.str_length(max_value=LONGEST_LABEL, error=f"longer than {LONGEST_LABEL:,} characters")
    text = {column: pandera.Column(str, short, nullable=False) for column in study.columns if column not in numeric}
    if study.rules.groups is not None:
        known = pandera.Check(lambda labels: _of_each(labels, partial(is_allowed, study=study)), error="unknown group")
        text[study.group] = pandera.Column(str, [short, known], nullable=False)
    return pandera.DataFrameSchema({**numeric, **text})


def split_rows(frame: pd.DataFrame, study: Study, readings: Readings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Good rows, parsed, indexed by their position in `frame`; and a line `at`, `column`, `rule` per failure.

    The rows are of one file, which `readings` suit. They are checked by every rule but uniqueness, which needs all
    files.
    """
    parsed = _parsed(frame, study, readings)
    failures = _row_failures(parsed, frame, study, readings)
    return parsed.drop(index=pd.Index(failures["at"].unique())), failures


def rejections_frame(rejections: Iterable[Rejection]) -> pd.DataFrame:
    """One line per reason, for rejected.csv.

    Texts are as in their file, but an apostrophe precedes what a spreadsheet would take for a formula.
    """
    columns = [field.name for field in fields(Rejection)]
    frame = pd.DataFrame.from_records([astuple(rejection) for rejection in rejections], columns=columns)
    return frame.assign(**{name: frame[name].map(cell) for name in columns if name != "row"})


def count_by_rule(rejections: Iterable[Rejection]) -> dict[str, int]:
    """How many rows each "column: rule" rejected, most frequent first; duplicates count as one rule."""
    counts = Counter(f"{each.column or ('row' if each.row else 'file')}: {rule_kind(each.rule)}" for each in rejections)
    return dict(counts.most_common())


def _number_checks(limits: Range | None) -> list[pandera.Check]:
    checks = [
        pandera.Check(np.isfinite, error="infinite"),
        pandera.Check(_can_be_squared, error=f"beyond ±{LARGEST:g}"),
    ]
    if limits is not None and limits.min is not None:
        checks.append(_limit(np.less, limits.min, "below"))
    if limits is not None and limits.max is not None:
        checks.append(_limit(np.greater, limits.max, "above"))
    return checks


def _can_be_squared(values: pd.Series) -> pd.Series:
    """Whether each value is small enough. Infinite values pass: another rule rejects them."""
    return (values.abs() <= LARGEST) | np.isinf(values)


def _limit(is_beyond: Callable[..., pd.Series], limit: float, word: str) -> pandera.Check:
    """A check that no value is beyond the limit. Infinite values pass: another rule rejects them."""
    return pandera.Check(lambda values: ~is_beyond(values, limit) | np.isinf(values), error=f"{word} {limit:.15g}")


def _parsed(frame: pd.DataFrame, study: Study, readings: Readings) -> pd.DataFrame:
    """The study's columns as numbers (NaN for what is none) and stripped text (null for what is missing)."""

    def parsed(column: str) -> pd.Series | np.ndarray:
        if column in readings:
            return numbers_of(frame[column], readings[column])
        text = _clean(frame[column], study.missing)
        return level_texts(text) if column in study.predictors else text

    return pd.DataFrame({column: parsed(column) for column in study.columns})


def _clean(text: pd.Series, missing: Sequence[str]) -> pd.Series:
    """`stats.study.clean_label` of a whole column; null for what is missing: an empty text, or a word for it."""
    values = as_arrow(text)
    if not pc.all(pc.string_is_ascii(values)).as_py():
        values = pc.utf8_normalize(values, form="NFC")
    trimmed = pc.utf8_trim(values, characters=SURROUNDING)
    words = ["", *(word for word in missing if np.isnan(parse_numbers(pd.Series([word], dtype="str"))[0]))]
    is_null = pc.is_in(trimmed, pa.array(words, pa.large_string()))
    return pd.Series(pd.array(pc.if_else(is_null, None, trimmed), dtype="str"))


def _row_failures(parsed: pd.DataFrame, frame: pd.DataFrame, study: Study, readings: Readings) -> pd.DataFrame:
    """One line per reason: `at` (position of the row), `column` ("" for the whole row), `rule`."""
    values = _value_failures(parsed, frame, study, readings)
    if "_rule" not in frame:
        return values
    whole = _whole_rows(frame["_rule"].fillna(""))
    return pd.concat([whole, values[~values["at"].isin(whole["at"])]])


def _whole_rows(rules: pd.Series) -> pd.DataFrame:
    """The failures of whole rows."""
    at = np.flatnonzero(rules != "")
    return pd.DataFrame({"at": at, "column": "", "rule": rules.iloc[at].to_numpy(dtype=object)})


def _value_failures(parsed: pd.DataFrame, frame: pd.DataFrame, study: Study, readings: Readings) -> pd.DataFrame:
    """The failures of single values, and of events beside their trials."""
    failures = _column_failures(parsed, frame, study, readings)
    return pd.concat([failures, too_many_events(parsed, study, failures)])


def _column_failures(parsed: pd.DataFrame, frame: pd.DataFrame, study: Study, readings: Readings) -> pd.DataFrame:
    try:
        schema_of(study, readings).validate(parsed, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
    else:
        return pd.DataFrame({"at": np.empty(0, int), "column": [], "rule": []})
    failures = pd.DataFrame({"at": cases["index"].astype(int), "column": cases["column"], "rule": cases["check"]})
    return pd.concat([_null_named(part, frame, readings) for _, part in failures.groupby("column", sort=False)])


def _null_named(failures: pd.DataFrame, frame: pd.DataFrame, readings: Readings) -> pd.DataFrame:
    """The failures of one column, in which null is named "missing" or, if something stands there, "not a number"."""
    column = str(failures["column"].iat[0])
    is_null = (failures["rule"] == "not_nullable").to_numpy()
    names = np.full(len(failures), "missing", dtype=object)
    if column in readings and is_null.any():
        names[is_null] = why_none(frame[column].iloc[failures["at"][is_null]], readings[column])
    return failures.assign(rule=np.where(is_null, names, failures["rule"]))


def key_columns(good: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The columns in `rules.unique`, labels spelled as the study joins them."""
    columns = good[list(study.rules.unique)]
    if study.group not in columns or not (study.labels.join or study.labels.pad):
        return columns
    keyed = _of_each(columns[study.group], lambda labels: [joined_key(label, study.labels) for label in labels])
    return columns.assign(**{study.group: keyed.astype("str")})


def _of_each(labels: pd.Series, of: Callable[[list[str]], list[Any]]) -> pd.Series:
    """`of` applied to the labels that differ, then spread to every row."""
    codes, found = pd.factorize(labels)
    return pd.Series(np.array(of([str(label) for label in found]))[codes] if len(labels) else [], index=labels.index)


def rejections_of(failures: pd.DataFrame, frame: pd.DataFrame, study: Study) -> tuple[Rejection, ...]:
    """The failures as rejections, in the order of the rows and, within a row, of the study's columns."""
    rank = {column: i for i, column in enumerate(study.columns)}
    order = np.lexsort((failures["column"].map(rank).fillna(len(rank)), failures["at"]))
    failures = failures.iloc[order].reset_index(drop=True)
    rows = frame.loc[failures["at"], ["_file", "_row"]]
    columns, values = failures["column"].tolist(), _values(failures, frame, study)
    return tuple(map(Rejection, rows["_file"], rows["_row"].tolist(), columns, values, failures["rule"]))


def _values(failures: pd.DataFrame, frame: pd.DataFrame, study: Study) -> list[str]:
    """For each failure, what the file says there."""
    values = np.empty(len(failures), dtype=object)
    for column, part in failures.groupby("column", sort=False):
        several = study.columns if column == EVERY_COLUMN else study.rules.unique
        names = [column or "_record"] if (column or "_record") in frame else list(several)
        texts = [frame[name].iloc[part["at"]].tolist() for name in names]
        values[part.index] = [shortened(KEY_SEPARATOR.join(each)) for each in zip(*texts, strict=True)]
    return values.tolist()


def levels_of(good: pd.DataFrame, study: Study, readings: Readings) -> Levels:
    """The levels that the good rows have of each category, in order of their text."""
    return {
        name: tuple(sorted(map(str, good[name].unique())))
        for name in study.predictors
        if name not in readings and len(good)
    }


def grouped(good: pd.DataFrame, coding: Coding, study: Study) -> GroupedData:
    """The good rows as arrays; labels in the order in which they occur."""
    codes, index = pd.factorize(good[study.group])
    columns = [
        np.eye(len(levels))[pd.Categorical(good[name], categories=list(levels)).codes]
        if (levels := coding.levels.get(name))
        else good[name].to_numpy(dtype=np.float64)[:, None]
        for name in study.predictors
    ]
    return GroupedData(
        y=good[study.outcome].to_numpy(dtype=np.float64),
        x=np.hstack([np.empty((len(good), 0)), *columns]),
        group_index=codes.astype(np.int64),
        labels=tuple(map(str, index)),
        terms=coding.terms,
        size=size_of(good, study),
    )
