"""Rows that a database gives: one part per value of a column of the query, or one in all.

A part's content is an order-independent hash of its rows, computed by the database where it can (PostgreSQL, DuckDB),
so that only what has changed is read. Hash and rows are of one snapshot: a part is never half-read. Rows come as the
database gives them; a study whose rows follow one another names the column of their order.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, CursorResult, Engine, NullPool, TextClause, create_engine, text
from sqlalchemy.engine import URL

from tasks.disk.reaching import reaching
from tasks.opening.filled import EMBEDDED, filled_url
from tasks.opening.studies import OpenedStudy
from tasks.rows import csv_files
from tasks.rows.parquet_files import at_least_one
from tasks.rows.sources.source import Rows
from tasks.rows.typed_columns import TypedColumns
from tasks.stats.rows.cut_short import CutShort
from tasks.study.errors import DataRejected, PoolwiseError
from tasks.study.model import Study
from tasks.study.plain_text import listed, shown, visible
from tasks.study.settings import Query

WHOLE = "query"  # the name of the only part of a query without partitions
# Of all rows, sums of hashes of each as the database has it; two, so that 128 bits tell contents apart.
HASHES = {
    "postgresql": "sum(hashtextextended(q::text, 0)::numeric), sum(hashtextextended(q::text, 1)::numeric)",
    "duckdb": "sum(hash(q)::hugeint), sum(hash(q, 1)::hugeint)",
}
# Reads of one transaction see one state of the database.
SNAPSHOT: dict[str, dict[str, Any]] = {
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
    "mysql": {"isolation_level": "REPEATABLE READ"},
}
READ_ONLY: dict[str, dict[str, Any]] = {"duckdb": {"read_only": True}}
DRIVERS = {"postgresql": "postgres", "duckdb": "duckdb"}  # extras of Poolwise's
BIND = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")  # what SQLAlchemy would take for a parameter
ADVICE = "Check source.database and source.sql, and that this process may read there."


Given = dict[str, Any]  # parameters of a query


@dataclass(frozen=True)
class _Part:
    name: str
    content: str


class Queried:
    """`asked` is the study's `source`."""

    def __init__(self, opened: OpenedStudy, asked: Query) -> None:
        self._study, self._asked, self._folder = opened.study, asked, opened.folder

    def parts(self) -> dict[str, str]:
        with self._connected() as connection:
            found = self._found(connection)
        if len({part.name for part in found}) < len(found):
            raise DataRejected(
                f"source.partition: two values of {shown(self._asked.partition or '')} are written alike, so that "
                "their rows could not be told apart. Give the partition another column, or cast it in source.sql."
            )
        names = {part.content: part.name for part in reversed(found)}
        if not names:
            raise DataRejected("The query of source.sql gives no rows. Correct it, or see that its tables are filled.")
        return {name: content for content, name in reversed(names.items())}

    @contextmanager
    def rows(self, name: str, content: str) -> Iterator[Rows]:
        with self._connected() as connection:
            where, given = self._only(connection, name)
            found = self._found(connection, where, given)
            if [part.content for part in found] != [content]:
                raise PoolwiseError(f"{name} changed since it was listed. Run again.")
            with reaching(self._place, ADVICE, self._secrets):
                result = _streamed(connection, self._text(where), given)
            yield _QueriedRows(result, name, self._study)

    def path_of(self, name: str) -> Path | None:
        return None

    def newest(self) -> datetime | None:
        return None

    def goes_on_without(self, name: str, problem: DataRejected) -> bool:
        return False

    @cached_property
    def _url(self) -> URL:
        return filled_url(self._asked.database, self._folder)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A connection that sees one state of the database until the block ends."""
        engine = self._engine()
        try:
            with reaching(self._place, ADVICE, self._secrets):
                connection = engine.connect()
            with connection:
                if engine.dialect.name == "sqlite":  # its driver begins no transaction to read in
                    connection.exec_driver_sql("BEGIN")
                yield connection
        finally:
            engine.dispose()

    def _engine(self) -> Engine:
        backend = self._url.get_backend_name()
        if backend in EMBEDDED and not Path(self._url.database or "").is_file():  # SQLite would make an empty one
            raise DataRejected(f"source.database: there is no file {self._url.database or ''}. Correct its path.")
        with reaching(self._place, ADVICE, self._secrets):
            try:
                return create_engine(
                    self._url,
                    poolclass=NullPool,
                    connect_args=READ_ONLY.get(backend, {}),
                    execution_options=SNAPSHOT.get(backend, {}),
                )
            except ImportError as missing:
                extra = DRIVERS.get(backend)
                how = f"make extra EXTRA={extra}" if extra else str(missing)
                raise PoolwiseError(f"{backend} needs another package: {how}") from None

    @property
    def _place(self) -> str:
        """The database as it may be shown."""
        host = f"{self._url.host}/" if self._url.host else ""
        return f"The {self._url.get_backend_name()} database {host}{self._url.database or ''}"

    @property
    def _secrets(self) -> tuple[str, ...]:
        told = [self._url.password, self._url.username, *self._url.query.values()]
        return tuple(each for each in told if isinstance(each, str))

    def _found(self, connection: Connection, where: str = "", given: Given | None = None) -> list[_Part]:
        """Every part with the id of its content, in the order of the partition's values."""
        with reaching(self._place, ADVICE, self._secrets):
            names = list(connection.execute(self._text("where 1 = 0")).keys())
            self._require_partition(names)
            if hashes := HASHES.get(connection.dialect.name):
                found = self._hashed_there(connection, hashes, where, given or {})
            else:
                found = self._hashed_here(connection, names, where, given or {})
        return [
            _Part(self._named(value), _sha256([names, list(map(str, numbers))]))
            for value, *numbers in found
            if numbers[0]
        ]

    def _hashed_there(self, connection: Connection, hashes: str, where: str, given: Given) -> list[Sequence[Any]]:
        column = self._column(connection)
        value, by = (column, f"group by {column} order by {column}") if column else ("null", "")
        query = self._text(f"{where} {by}", select=f"{value}, count(*), {hashes}")
        return list(map(tuple, connection.execute(query, given)))

    def _hashed_here(
        self, connection: Connection, names: Sequence[str], where: str, given: Given
    ) -> list[Sequence[Any]]:
        """For a database that has no such hash: its rows are read for it, and dropped."""
        at = names.index(self._asked.partition) if self._asked.partition else None
        sums: dict[Any, list[int]] = defaultdict(lambda: [0, 0, 0])
        for rows in _streamed(connection, self._text(where), given).partitions(csv_files.CHUNK_ROWS):
            for row in rows:
                digest = hashlib.blake2b(repr(tuple(row)).encode(), digest_size=16).digest()
                parts = (1, int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big"))
                total = sums[None if at is None else row[at]]
                total[:] = map(sum, zip(total, parts, strict=True))
        return [(value, *sums[value]) for value in sorted(sums, key=lambda value: (value is not None, str(value)))]

    def _only(self, connection: Connection, name: str) -> tuple[str, Given]:
        """The condition that only rows of this part fulfil, and its parameters."""
        column = self._column(connection)
        if column is None:
            return "", {}
        with reaching(self._place, ADVICE, self._secrets):
            values = connection.execute(self._text(f"group by {column}", select=column)).scalars().all()
        value = next((each for each in values if self._named(each) == name), None)
        return (f"where {column} is null", {}) if value is None else (f"where {column} = :value", {"value": value})

    def _require_partition(self, names: Sequence[str]) -> None:
        if self._asked.partition and self._asked.partition not in names:
            raise DataRejected(
                f"source.partition: the query has no column {shown(self._asked.partition)}; its columns are "
                f"{listed(names)}."
            )

    def _text(self, clauses: str = "", select: str = "q.*") -> TextClause:
        query = BIND.sub(r"\\:\1", self._asked.sql)
        return text(f"select {select} from (\n{query}\n) as q {clauses}")

    def _column(self, connection: Connection) -> str | None:
        if self._asked.partition is None:
            return None
        return f"q.{connection.dialect.identifier_preparer.quote(self._asked.partition)}"

    def _named(self, value: Any) -> str:
        partition = self._asked.partition
        if partition is None:
            return WHOLE
        return f"{partition} is null" if value is None else f"{partition}={visible(str(value))}"


@dataclass(frozen=True)
class _QueriedRows:
    result: CursorResult[Any]
    name: str
    study: Study

    def chunks(self) -> Iterator[pd.DataFrame]:
        columns, n_read = TypedColumns.of(names := list(self.result.keys()), self.study, self.name), 0
        tables = (_table(names, rows) for rows in self._partitions())
        for table in at_least_one(tables, _table(names, [])):
            yield columns.frame(table).assign(_file=self.name, _row=range(n_read + 1, n_read + table.num_rows + 1))
            n_read += table.num_rows

    def _partitions(self) -> Iterator[Sequence[Sequence[Any]]]:
        partitions = self.result.partitions(csv_files.CHUNK_ROWS)
        while True:
            with reaching(self.name, ADVICE):
                rows = next(partitions, None)
            if rows is None:
                return
            yield rows

    def cut_short(self) -> CutShort | None:
        return None


def _streamed(connection: Connection, query: TextClause, given: Given) -> CursorResult[Any]:
    """Its rows, no more than a chunk of them in memory, by a cursor on the server where there is one."""
    options = {"stream_results": True, "yield_per": csv_files.CHUNK_ROWS}
    return connection.execute(query, given, execution_options=options)


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return pa.Table.from_arrays([_column(values) for values in columns], names=list(names))


def _column(values: Sequence[Any]) -> pa.Array:
    """Typed where all values are of one type that Arrow knows, else text."""
    try:
        return pa.array(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return pa.array([None if value is None else str(value) for value in values], pa.large_string())


def _sha256(about: object) -> str:
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()
