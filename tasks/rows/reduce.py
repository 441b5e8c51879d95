"""Reads one part of a study's rows once, chunk by chunk, into a digest (`tasks.stats.rows.digest`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd

from tasks.disk.natural_order import natural_order
from tasks.rows.category_columns import category_columns, require_few_levels
from tasks.rows.row_keys import NO_KEYS, Dropped, Keys, Repeats, hash_rows, keys_of
from tasks.rows.sources.source import Rows
from tasks.rows.validate import (
    EVERY_COLUMN,
    KEY_SEPARATOR,
    Readings,
    grouped,
    key_columns,
    levels_of,
    rejections_of,
    split_rows,
)
from tasks.rows.values import HEAD_ROWS, ColumnReading, how_read
from tasks.stats.rows.coding import Coding
from tasks.stats.rows.digest import FileDigest, RowHashes, RowsRead, digest_of
from tasks.study.model import Study


def reduce_rows(rows: Rows, sha256: str, study: Study, dropped: Dropped | None = None) -> FileDigest:
    """Read the rows of the content `sha256` and add them up, without those `dropped`.

    If `dropped` is None, each row counts, and the digest has the rows' keys, from which repeats are found. Raises
    DataRejected when they cannot be read as the study asks.
    """
    head, frames = _with_head(rows.chunks())
    readings = readings_of(head, study)
    place = str(head["_file"].iloc[0]) if len(head) else ""
    checked = (_checked(frame.assign(_file=sha256), study, readings, dropped, place) for frame in frames)
    chunks = _few_levels(checked, study, place)
    return replace(digest_of(sha256, chunks, study.terms, study.family), cut_short=rows.cut_short())


def readings_of(head: pd.DataFrame, study: Study) -> dict[str, ColumnReading]:
    """How each column that holds numbers in a file of these first rows is read; other predictors are categories."""
    readings = how_read(head, study)
    categories = category_columns(head, study, readings)
    return {name: reading for name, reading in readings.items() if name not in categories}


def _few_levels(chunks: Iterator[RowsRead], study: Study, place: str) -> Iterator[RowsRead]:
    """The same chunks. Raises DataRejected when a category turns out to have too many levels in all of them."""
    seen: dict[str, set[str]] = defaultdict(set)
    for chunk in chunks:
        for name, levels in chunk.levels.items():
            seen[name] |= {*levels}
        require_few_levels(seen, study, place)
        yield chunk


def _with_head(frames: Iterator[pd.DataFrame]) -> tuple[pd.DataFrame, Iterator[pd.DataFrame]]:
    """A file's first HEAD_ROWS rows, and all of its frames."""
    begun = [next(frames)]
    while sum(map(len, begun)) < HEAD_ROWS and (frame := next(frames, None)) is not None:
        begun.append(frame)
    head = begun[0] if len(begun) == 1 else pd.concat(begun, ignore_index=True)
    return head.head(HEAD_ROWS), chain(begun, frames)


def _checked(frame: pd.DataFrame, study: Study, readings: Readings, dropped: Dropped | None, place: str) -> RowsRead:
    """The rows of one frame, split into good and rejected ones."""
    good, failures = split_rows(frame, study, readings)
    row = frame["_row"].to_numpy(dtype=np.int64)
    keys: Keys = NO_KEYS
    if study.rules.unique and dropped is None:
        keys = keys_of(key_columns(good, study), row[good.index])
    n_copies = 0
    if dropped is not None:
        first_row = int(row[0]) if row.size else 0
        copied = _as_failures(dropped.copies, first_row, row.size, "copy", EVERY_COLUMN)
        repeated = _as_failures(
            dropped.repeats, first_row, row.size, "duplicate", KEY_SEPARATOR.join(study.rules.unique)
        )
        good = good.drop(index=pd.Index([*copied["at"], *repeated["at"]]))
        failures, n_copies = pd.concat([failures, copied, repeated]), len(copied)
    rejections = rejections_of(failures, frame, study)
    whole = _hashes(good, frame, study, with_keys=study.rules.copies == "drop" and dropped is None)
    order = ranks(good[study.order]) if study.order else None
    levels = levels_of(good, study, readings)
    require_few_levels(levels, study, place)
    data = grouped(good, Coding(study.predictors, levels), study)
    return RowsRead(len(frame), data, row[good.index], rejections, keys, whole, n_copies, order, levels)


def ranks(values: pd.Series) -> np.ndarray:
    """(n,) the place of each value in order: of numbers by size, of text in natural order. Equal values share one."""
    if pd.api.types.is_numeric_dtype(values):
        return np.unique(values, return_inverse=True)[1]
    codes, distinct = pd.factorize(values)
    place = np.empty(len(distinct), dtype=np.int64)
    place[natural_order([str(value) for value in distinct])] = np.arange(len(distinct))
    return place[codes] if len(distinct) else np.empty(0, dtype=np.int64)


def _hashes(good: pd.DataFrame, frame: pd.DataFrame, study: Study, *, with_keys: bool) -> RowHashes:
    """Hashes of the good rows, and with `with_keys` their keys as whole rows."""
    columns, rest = good[list(study.columns)], frame["_rest"].to_numpy(dtype=np.uint64)[good.index]
    others = int(frame["_others"].to_numpy(dtype=np.uint64)[0]) if len(frame) else 0
    keys: Keys = NO_KEYS
    if with_keys:
        whole = columns.assign(_rest=rest, _others=np.uint64(others))
        keys = keys_of(whole, frame["_row"].to_numpy(dtype=np.int64)[good.index])
    return RowHashes(hash_rows(columns), rest, others, keys)


def _as_failures(repeats: Repeats, first_row: int, n_rows: int, word: str, column: str) -> pd.DataFrame:
    """Those of the repeats that are among `n_rows` rows from number `first_row`, as `validate.split_rows` has
    failures.
    """
    low, high = np.searchsorted(repeats.row, [first_row, first_row + n_rows])
    places = zip(repeats.first_row[low:high].tolist(), repeats.first_file[low:high], strict=True)
    return pd.DataFrame(
        {
            "at": repeats.row[low:high] - first_row,
            "column": column,
            "rule": [f"{word} of row {row} in {file}" for row, file in places],
        }
    )
