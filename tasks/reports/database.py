"""The database that keeps runs apart and counts what they read: SQLite beside the reports, or one that machines share.

`POOLWISE_DATABASE_URL` names a shared one, in SQLAlchemy's form; it belongs to one reports folder. What it lacks is
made when it is first used, and every later version of this program adds what that version needs (MIGRATIONS).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from tasks.disk.atomic import explained
from tasks.disk.layout import ledger_file
from tasks.opening.filled import address_of
from tasks.study.errors import PoolwiseError, StudyError

VARIABLE = "POOLWISE_DATABASE_URL"
BUSY_SECONDS = 30.0
EXAMPLE = "postgresql+psycopg://poolwise:…@host/poolwise"
# Seconds since 1970 by the database's own clock: those of the machines may differ.
NOW = {
    "postgresql": "extract(epoch from clock_timestamp())::double precision",
    "sqlite": "(julianday('now') - 2440587.5) * 86400.0",
}
# Any number, the same for all processes: who makes tables keeps others out meanwhile.
MIGRATING = 5_006_015
_MIGRATED: set[str] = set()  # addresses of shared databases that this process has found as they should be
MIGRATIONS = (
    (
        """
create table if not exists arrival (
    study text not null,
    sha256 text not null,
    name text not null,            -- as first seen
    state text not null check (state in ('waiting', 'taken', 'counted', 'refused', 'failed')),
    run_id text,                   -- the run that took it last
    attempts integer not null default 0,
    arrived_at text not null,
    settled_at text,
    reason text not null default '',
    primary key (study, sha256)
)
""",
    ),
    (
        """
create table if not exists lease (
    study text primary key,
    token text not null,           -- of the process that holds it
    host text not null,
    pid integer not null,
    run_id text not null,
    flow_run_id text not null,
    expires_at double precision not null
)
""",
    ),
    (
        """
create table if not exists told (
    study text not null,
    kind text not null,            -- of a notice that is sent once per matter
    matter text not null,          -- what the last one of this kind was about
    primary key (study, kind)
)
""",
    ),
)


def shared_address() -> str:
    """The shared database's address; empty where there is none."""
    return os.environ.get(VARIABLE, "").strip()


class Database:
    """Every block of `transaction` is one transaction; several processes, on several machines, may use it at once."""

    def __init__(self, reports: Path) -> None:
        address = shared_address()
        with explained("keep its intake ledger", reports):
            reports.mkdir(parents=True, exist_ok=True)
        self._engine = _shared(address) if address else _beside(ledger_file(reports))
        self.place = (
            f"The database {self._engine.url.render_as_string(hide_password=True)}"
            if address
            else f"The intake ledger {ledger_file(reports)}"
        )
        if not address:
            self._migrate()  # each time: the file may have been deleted, which is allowed
        elif address not in _MIGRATED:
            self._migrate()
            _MIGRATED.add(address)

    @property
    def now(self) -> str:
        """SQL for seconds since 1970 by its clock."""
        return NOW[self._engine.dialect.name]

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Raises PoolwiseError when the database cannot be used; then nothing of the block was done."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise PoolwiseError(f"{self.place} cannot be used: {self._trouble(error)}") from error

    def _migrate(self) -> None:
        with self.transaction() as connection:
            if self._engine.dialect.name == "postgresql":
                connection.execute(text("select pg_advisory_xact_lock(:id)"), {"id": MIGRATING})
            connection.execute(text("create table if not exists version (number integer not null)"))
            done = connection.execute(text("select max(number) from version")).scalar() or 0
            for number, statements in enumerate(MIGRATIONS[done:], start=done + 1):
                for statement in statements:
                    connection.execute(text(statement))
                connection.execute(text("insert into version (number) values (:number)"), {"number": number})

    def _trouble(self, error: DBAPIError) -> str:
        """Why the database cannot be used, and what to do next."""
        if self._engine.dialect.name == "sqlite":
            from tasks.reports.sqlite_troubles import trouble

            return trouble(error.orig, BUSY_SECONDS)
        said = " ".join(str(error.orig).split())
        return f"{said}. Check {VARIABLE} and that the server is up, then run again."


@cache
def _beside(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _(connection: Any, record: object) -> None:
        connection.execute(f"pragma busy_timeout = {1000 * BUSY_SECONDS:.0f}")
        connection.execute("pragma journal_mode = wal")

    return engine


@cache
def _shared(address: str) -> Engine:
    """Raises StudyError for an address that cannot be used."""
    try:
        url = address_of(address)
        if url.get_backend_name() not in NOW:
            raise ArgumentError
        return create_engine(url, pool_pre_ping=True, pool_size=2)
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise StudyError(f"{VARIABLE} is no address of a PostgreSQL database, as in: {EXAMPLE}") from None
    except ImportError:
        raise StudyError(f"{VARIABLE} needs another package: make extra EXTRA=postgres") from None
