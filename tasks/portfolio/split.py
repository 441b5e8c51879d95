"""Splits a study's rows by the values of a column, once: a CSV file per value and part.

    <reports>/.segments/<study>/<column>/parts.json               which parts are split, by content
    <reports>/.segments/<study>/<column>/<member>/<part>.csv      the rows of one part that have one value

A part that has not changed is not read again, and a file whose rows have not changed stays as it is: its study then has
nothing new to report. Where reports go to an object store, these files do too, so that other machines read them there.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.disk.atomic import explained, write_whole
from tasks.disk.leftovers import undone_if_cut_short
from tasks.disk.mirror import Mirror, mirror_of
from tasks.opening.studies import OpenedStudy
from tasks.portfolio.member import Member, member_of_value, names_of
from tasks.rows import csv_files
from tasks.rows.row_reader import csv_layout
from tasks.rows.sources.of_study import source_of
from tasks.rows.sources.source import FileRows
from tasks.rows.store import identify
from tasks.rows.study_files import is_parquet
from tasks.rows.typed_columns import text_columns
from tasks.study.errors import DataRejected, StudyError
from tasks.study.plain_text import brief, listed, shown
from tasks.study.settings import Query, clean_label

FORMAT = 1
MOST_VALUES = 20_000


@dataclass(frozen=True)
class Split:
    """`n_unassigned` rows have no value, or are wrong as a whole: they belong to no study."""

    members: tuple[Member, ...]
    n_unassigned: int


@dataclass
class Pieces:
    """What came of one part: rows by member, and rows that belong to none."""

    content: str
    rows: dict[str, int] = field(default_factory=dict)  # by value
    n_unassigned: int = 0


def split_by(
    opened: OpenedStudy, column: str, reports: Path, progress: Callable[[float], None] = lambda share: None
) -> Split:
    """The studies of each value of `column`, their rows in files of their own.

    Raises StudyError for a column that cannot split the study, DataRejected for rows that cannot be read.
    """
    _require_splitting(opened, column)
    name = opened.study.name
    folder = reports / ".segments" / name / (names_of("by", [column])[column])
    mirror = mirror_of(reports)
    parts = identify(opened, reports)
    with explained("split the rows", folder):
        folder.mkdir(parents=True, exist_ok=True)
        known = _known(folder, mirror)
        done: dict[str, Pieces] = {}
        for at, (part, content) in enumerate(parts.items()):
            before = known.get(part)
            kept = before is not None and before.content == content
            done[part] = before if kept and before else _split_part(opened, column, folder, part, content, mirror)
            _drop(folder, name, before, done[part], part, mirror)
            progress((at + 1) / len(parts))
        for part in known.keys() - parts.keys():
            _drop(folder, name, known[part], Pieces(""), part, mirror)
        _remember(folder, done, mirror)
    values = sorted({value for pieces in done.values() for value in pieces.rows})
    if not values:
        raise DataRejected(f"{column} has no value in any row of {name}. Name a column that tells the studies apart.")
    members = [_member(opened, column, value, folder, mirror) for value in values]
    return Split(tuple(members), sum(pieces.n_unassigned for pieces in done.values()))


def _require_splitting(opened: OpenedStudy, column: str) -> None:
    study = opened.study
    if isinstance(study.source, Query):
        raise StudyError(
            "--by splits files and objects; this study's rows come from a query. Make a folder per value, whose query "
            "asks for that value, and run the folder of these as a portfolio."
        )
    if column in (study.outcome, study.group, study.order, study.size_column):
        raise StudyError(
            f"--by {shown(column)} is the study's own outcome, group, order or size: no study would be left in it. "
            "Name another column."
        )
    if column in study.predictors:
        raise StudyError(
            f"--by {shown(column)} is a predictor of the study, which has one value in each part. Take it out of "
            "predictors, or name another column."
        )


def _member(opened: OpenedStudy, column: str, value: str, folder: Path, mirror: Mirror | None) -> Member:
    name = names_of(opened.study.name, [value])[value]
    own = folder / name
    source = f"{mirror.address_of(own)}/*.csv" if mirror else "*.csv"
    look = opened.look_folder
    if look is not None and not mirror and not (own / str(opened.study.report.look)).exists():
        (own / str(opened.study.report.look)).symlink_to(look, target_is_directory=True)
    return member_of_value(opened, column, value, name, source, own)


def _split_part(
    opened: OpenedStudy, column: str, folder: Path, part: str, content: str, mirror: Mirror | None
) -> Pieces:
    pieces, beside = Pieces(content), folder / ".splitting"
    rmtree(beside, ignore_errors=True)
    with undone_if_cut_short(lambda: rmtree(beside, ignore_errors=True)):
        try:
            beside.mkdir()
            counts: Counter[str] = Counter()
            with source_of(opened).rows(part, content) as rows:
                assert isinstance(rows, FileRows)
                for header, table, n_wrong in _tables(rows, column, opened):
                    pieces.n_unassigned += n_wrong + _write(header, table, column, beside, counts)
            pieces.rows = dict(counts)
            for value in counts:
                _place(beside, folder, opened.study.name, value, part, mirror)
        finally:
            rmtree(beside, ignore_errors=True)
    return pieces


def _tables(rows: FileRows, column: str, opened: OpenedStudy) -> Iterator[tuple[list[str], list[np.ndarray], int]]:
    """Chunks of a part: its column names, its columns as text, and how many rows are wrong as a whole."""
    if is_parquet(rows.path):
        try:
            with pq.ParquetFile(rows.path) as file:
                header = list(file.schema_arrow.names)
                _require_column(header, column, rows.name)
                for batch in file.iter_batches(csv_files.CHUNK_ROWS):
                    texts = text_columns(pa.Table.from_batches([batch]), rows.name)
                    yield header, [texts[name].to_numpy(zero_copy_only=False) for name in header], 0
        except pa.ArrowException as error:
            raise DataRejected(f"{rows.name} cannot be read as Parquet: {str(error).splitlines()[0]}.") from None
        return
    layout = csv_layout(rows.path, rows.name, opened.study)
    header = list(layout.header)
    _require_column(header, column, rows.name)
    for chunk in csv_files.read_chunks(rows.path, rows.name, layout, range(len(header))):
        good = np.ones(len(chunk.columns[0]), dtype=bool)
        good[[*chunk.problems]] = False
        yield (
            header,
            [np.asarray(each.to_numpy(zero_copy_only=False))[good] for each in chunk.columns],
            int((~good).sum()),
        )


def _require_column(header: list[str], column: str, name: str) -> None:
    labels = [clean_label(each) for each in header]
    if labels.count(clean_label(column)) != 1:
        raise DataRejected(
            f"{name} has no one column {shown(column)}, by which it is to be split. It has "
            f"{brief(listed(labels), 300)}."
        )


def _write(header: list[str], columns: list[np.ndarray], column: str, folder: Path, counts: Counter[str]) -> int:
    """Append the rows to a file per value; returns how many rows have none. Raises DataRejected for too many values."""
    at = [clean_label(each) for each in header].index(clean_label(column))
    codes, values = pd.factorize(np.array([clean_label(str(value)) for value in columns[at]], dtype=object))
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(len(values)), side="right")
    n_unassigned, start = 0, 0
    for code, end in enumerate(ends):
        rows, start = order[start:end], end
        value = str(values[code])
        if not value:
            n_unassigned += len(rows)
            continue
        is_new = value not in counts
        counts[value] += len(rows)
        if len(counts) > MOST_VALUES:
            raise DataRejected(f"{column} has more than {MOST_VALUES:,} values, too many for a portfolio.")
        with (folder / _file_of(value)).open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow(header)
            writer.writerows(zip(*(each[rows] for each in columns), strict=True))
    return n_unassigned


def _place(beside: Path, folder: Path, study: str, value: str, part: str, mirror: Mirror | None) -> None:
    """Put the piece where its study reads it, unless it has the same rows as the one that is there."""
    piece, target = beside / _file_of(value), _path_of(folder, study, value, part)
    target.parent.mkdir(exist_ok=True)
    with suppress(OSError):
        if target.read_bytes() == piece.read_bytes():
            return
    piece.replace(target)
    if mirror:
        mirror.push(target)


def _drop(folder: Path, study: str, before: Pieces | None, now: Pieces, part: str, mirror: Mirror | None) -> None:
    """Remove the pieces of values that the part had before and has no more."""
    for value in (before.rows.keys() if before else set()) - now.rows.keys():
        path = _path_of(folder, study, value, part)
        path.unlink(missing_ok=True)
        if mirror:
            mirror.remove(path)


def _path_of(folder: Path, study: str, value: str, part: str) -> Path:
    stem = "".join(each if each.isalnum() else "-" for each in Path(part).stem)[:40]
    return folder / names_of(study, [value])[value] / f"{stem}-{hashlib.sha256(part.encode()).hexdigest()[:8]}.csv"


def _file_of(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _known(folder: Path, mirror: Mirror | None) -> dict[str, Pieces]:
    """What earlier splits made of each part; nothing where that is not known."""
    path = folder / "parts.json"
    if mirror:
        mirror.fetch(path)
    with suppress(OSError, ValueError, TypeError, KeyError):
        told: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if told["format"] == FORMAT:
            return {part: Pieces(**each) for part, each in told["parts"].items()}
    return {}


def _remember(folder: Path, parts: dict[str, Pieces], mirror: Mirror | None) -> None:
    path = folder / "parts.json"
    write_whole(path, json.dumps({"format": FORMAT, "parts": {part: vars(each) for part, each in parts.items()}}))
    if mirror:
        mirror.push(path)
