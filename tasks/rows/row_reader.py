"""Reads one file of rows: each value as the text the file holds, each row with its file and number, in chunks.

Values stay text until they are validated, so that a rejected row shows what its file said.
CSV is read by `tasks.rows.csv_files`, Parquet by `tasks.rows.parquet_files`. Not supported: compressed CSV.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa

from tasks.rows import csv_files
from tasks.rows.csv_files import Chunk
from tasks.rows.csv_head import Layout, find_layout, positions_of
from tasks.rows.encodings import find_encoding
from tasks.rows.other_columns import others_of, with_rest
from tasks.rows.parquet_files import at_least_one, parquet_chunks
from tasks.rows.study_files import is_parquet, readable
from tasks.rows.typed_columns import text_frame
from tasks.study.model import Study


def read_chunks(path: Path, study: Study, name: str | None = None) -> Iterator[pd.DataFrame]:
    """One file's rows: the study's columns as text, then `_file` (`name`), `_row`, `_rest` and `_others`.

    At most `csv_files.CHUNK_ROWS` rows at a time; one frame without rows if there are none.
    `_row` counts data rows from 1; neither the header nor blank lines are any.
    `_rest` is a hash of what the row says in the other columns, `_others` of their names (`tasks.rows.other_columns`).
    Where a row as a whole is wrong, `_rule` says why and `_record` holds what stands there; without such rows there
    are no such columns.
    """
    name, n_read = name or path.name, 0
    with readable(name):
        for frame in (parquet_chunks if is_parquet(path) else _csv_chunks)(path, study, name):
            frame["_file"] = name
            frame["_row"] = range(n_read + 1, n_read + len(frame) + 1)
            n_read += len(frame)
            yield frame


def csv_layout(path: Path, name: str, study: Study | None = None) -> Layout:
    """How a CSV file is read: as `study` and the file itself say, or for any columns."""
    if study is None:
        return find_layout(path, name, find_encoding(path, name))
    encoding = find_encoding(path, name, study.encoding, study.setting)
    return find_layout(path, name, encoding, study.columns, study.delimiter, study.comment)


def _csv_chunks(path: Path, study: Study, name: str) -> Iterator[pd.DataFrame]:
    layout = csv_layout(path, name, study)
    others = others_of(layout.header, study.columns)
    positions = positions_of(layout.header, study.columns, name)
    chunks = csv_files.read_chunks(path, name, layout, positions, others=[*others.values()])
    for chunk in at_least_one(chunks, Chunk([pa.array([], pa.large_string())] * len(study.columns))):
        frame = with_rest(text_frame(dict(zip(study.columns, chunk.columns, strict=True))), others, chunk.rest)
        yield _with_problems(frame, chunk.problems) if chunk.problems else frame


def _with_problems(frame: pd.DataFrame, problems: Mapping[int, tuple[str, str]]) -> pd.DataFrame:
    rules, records = [""] * len(frame), [""] * len(frame)
    for at, (rule, record) in problems.items():
        rules[at], records[at] = rule, record
    return frame.assign(_rule=pd.array(rules, dtype="str"), _record=pd.array(records, dtype="str"))
