"""Turns a column's text into numbers. How a file writes numbers is decided once, from its first rows.

Each column of each file has its own decimal mark. If its values do not show it, the study's `decimal` decides, else the
file's other columns. A comma is a decimal mark only if it cannot separate thousands ("1,5" and "0,031", not "1,031"). A
predictor that says only true and false is read as 1 and 0, as are true and false in an outcome of 0 and 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tasks.rows.counted_values import is_zero_or_one
from tasks.rows.numbers import (
    PLAIN,
    NumberStyle,
    as_arrow,
    has_too_many_digits,
    is_missing,
    parse_numbers,
    without_affixes,
)
from tasks.stats.records import Floats
from tasks.study.model import Study

HEAD_ROWS = 5_000  # first rows of a file, which show how it writes numbers
SURE_SHARE = 0.1  # least share of a column's numbers with a mark that must show which mark it is
TRUTH = {
    spelled: value for word, value in (("true", 1.0), ("false", 0.0)) for spelled in (word, word.upper(), word.title())
}
ONE_GROUP = r"^[+-]?[1-9]\d{0,2}[.,]\d{3}$"  # as 1,031, which is a fraction or a thousand and 31


@dataclass(frozen=True)
class ColumnReading:
    """How one column of one file becomes numbers: as dates of a format; else as words by `codes`, then as numbers."""

    style: NumberStyle = PLAIN
    codes: Mapping[str, float] = field(default_factory=dict)
    date_format: str = ""
    missing: tuple[str, ...] = ()


def how_read(head: pd.DataFrame, study: Study) -> dict[str, ColumnReading]:
    """The reading of each of the study's numeric columns, from the text of a file's first rows."""
    styles = number_styles({name: head[name] for name in study.numeric_columns if name not in study.dates}, study)
    readings = {}
    for name in study.numeric_columns:
        reading = ColumnReading(
            style=styles.get(name, PLAIN),
            codes=study.codes.get(name, {}),
            date_format=study.dates.get(name, ""),
            missing=study.missing,
        )
        if not reading.codes and not reading.date_format and _says_truth(name, head[name], study, reading):
            reading = replace(reading, codes=TRUTH)
        readings[name] = reading
    return readings


def _says_truth(name: str, text: pd.Series, study: Study, reading: ColumnReading) -> bool:
    """Whether true and false are numbers here: in an outcome of 0 and 1, and in predictors of nothing else."""
    return is_zero_or_one(name, study) or (name in study.predictors and is_truth(text, reading))


def numbers_of(text: pd.Series, reading: ColumnReading) -> Floats:
    """(N,) numbers; NaN for what is missing and for what is no number, which `why_none` tells apart."""
    if reading.date_format:
        numbers = _days(text, reading.date_format)
    else:
        numbers = parse_numbers(text, reading.style)
        if reading.codes:
            numbers = np.where(np.isnan(coded := _coded(text, reading.codes)), numbers, coded)
    if reading.missing:
        numbers = np.where(is_missing(text, reading.missing, reading.style), np.nan, numbers)
    return numbers


def why_none(text: pd.Series, reading: ColumnReading) -> np.ndarray:
    """(N,) the rule broken by values of which `numbers_of` made no number."""
    what = "not a date" if reading.date_format else "not a number"
    too_long = has_too_many_digits(text, reading.style) & (not reading.date_format)
    why = np.where(too_long, "more digits than can be kept", what)
    return np.where(is_missing(text, reading.missing, reading.style), "missing", why)


def is_truth(text: pd.Series, reading: ColumnReading) -> bool:
    """Whether there is a value, and every value that is not missing is true or false."""
    filled = text[~is_missing(text, reading.missing)]
    return len(filled) > 0 and not np.isnan(_coded(filled, TRUTH)).any()


def number_styles(columns: Mapping[str, pd.Series], study: Study | None = None) -> dict[str, NumberStyle]:
    """How each column of a file writes numbers, by name."""
    base = NumberStyle(
        decimal=(study.decimal if study else None) or ".",
        thousands=(study.thousands if study else None) or "",
        affixes=study.affixes if study else (),
    )
    if base.thousands in (".", ","):
        return dict.fromkeys(columns, replace(base, decimal="," if base.thousands == "." else "."))
    if base.decimal == "." and not any(_has_comma(text) for text in columns.values()):
        return dict.fromkeys(columns, base)
    shown = {name: _marks_shown(text, base) for name, text in columns.items()}
    fallback = (study.decimal if study else None) or _mark(*np.sum(list(shown.values()), axis=0)) or "."
    return {name: replace(base, decimal=_mark(*shown[name]) or fallback) for name in columns}


def _marks_shown(text: pd.Series, base: NumberStyle) -> tuple[int, int, int]:
    """How many values show a decimal comma, how many a point, and how many have a comma that may be either."""
    trimmed = without_affixes(pc.utf8_trim_whitespace(as_arrow(text)), base.affixes)
    has_comma = np.array(pc.match_substring(trimmed, ","), dtype=bool)
    is_open = np.array(pc.match_substring_regex(trimmed, ONE_GROUP), dtype=bool)
    reads = {mark: np.isfinite(parse_numbers(text, replace(base, decimal=mark))) for mark in (".", ",")}
    n_point = int((reads["."] & ~reads[","] & ~is_open).sum())
    if not has_comma.any():
        return 0, n_point, 0
    return int((reads[","] & has_comma & ~is_open).sum()), n_point, int((has_comma & is_open).sum())


def _has_comma(text: pd.Series) -> bool:
    return bool(pc.any(pc.match_substring(as_arrow(text), ",")).as_py())


def _mark(n_comma: int, n_point: int, n_open: int) -> str:
    """The decimal mark that these counts show; empty if they show none."""
    if n_comma > n_point and n_comma >= SURE_SHARE * (n_comma + n_open):
        return ","
    return "." if n_point else ""


def _coded(text: pd.Series, codes: Mapping[str, float]) -> Floats:
    """(N,) the number of each code; NaN for what is no code."""
    at = pc.index_in(pc.utf8_trim_whitespace(as_arrow(text)), pa.array(list(codes), pa.large_string()))
    values = np.array([*codes.values(), np.nan])
    return values[np.array(pc.fill_null(at, len(codes)), dtype=np.int64)]


def _days(text: pd.Series, date_format: str) -> Floats:
    """(N,) days since 1970-01-01; NaN for what is no date of this format."""
    moments = pd.to_datetime(text.str.strip(), format=date_format, errors="coerce", utc=True)
    return np.asarray((moments - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1), dtype=np.float64)
