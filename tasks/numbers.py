"""Numbers written as text, whole columns at once.

A number is an optional sign, digits with at most one decimal mark, and an optional exponent; or
infinity (`inf`, `-Infinity`). Not supported, and so not numbers: thousands separators, units, percent
signs, digits outside ASCII.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tasks.stats.records import Floats

MISSING = ("", "na", "n/a", "#n/a", "nan", "null", "none")


def parse_numbers(text: pd.Series, decimal: str = ".") -> Floats:
    """(N,) exactly the doubles that the text says, read correctly rounded; NaN for anything else."""
    trimmed = pc.utf8_trim_whitespace(as_arrow(text))
    mark = "," if decimal == "," else r"\."
    number = rf"^[+-]?(?:(?:\d+(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?|(?i:inf|infinity))$"
    is_number = pc.match_substring_regex(trimmed, number)
    kept = pc.if_else(is_number, trimmed, pa.scalar(None, pa.large_string()))
    if decimal == ",":
        kept = pc.replace_substring(kept, ",", ".")
    return np.array(pc.fill_null(pc.cast(kept, pa.float64()), np.nan), dtype=np.float64)


def is_missing(text: pd.Series) -> np.ndarray:
    """(N,) whether a number is left out: empty, or one of the usual words for it in any case."""
    lowered = pc.utf8_lower(pc.utf8_trim_whitespace(as_arrow(text)))
    return np.array(pc.is_in(lowered, pa.array(MISSING, pa.large_string())), dtype=bool)


def as_arrow(text: pd.Series) -> pa.ChunkedArray:
    array = pa.array(text, from_pandas=True)
    chunked = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
    return pc.fill_null(pc.cast(chunked, pa.large_string()), "")
