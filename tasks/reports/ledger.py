"""The intake ledger: which file contents have arrived, and which report has counted each.

One SQLite file beside the reports, one row per study and content (sha256), whatever its names. Intake
rests on the folder and this ledger: `arrivals` compares the two, so nothing is lost when a notification
or a server is. A row goes

    waiting ──a run takes it──▶ taken ──its report is published──▶ counted
       ▲                          ├──the rows were refused──────▶ refused
       └──the run died, or failed and may succeed next time──┘ └─▶ failed, after MOST_ATTEMPTS

and never back from counted. All changes are single transactions; several processes may share the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from tasks.disk.atomic import ELSEWHERE, explained
from tasks.disk.layout import ledger_file
from tasks.study.errors import PoolwiseError

# Attempts are runs that died or failed for a passing cause; a restart of the worker also ends a run.
MOST_ATTEMPTS = 10
BUSY_SECONDS = 30.0

State = Literal["waiting", "taken", "counted", "refused", "failed"]

SCHEMA = """
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
) strict;
"""


@dataclass(frozen=True)
class Arrival:
    study: str
    sha256: str
    name: str
    state: State
    run_id: str | None
    attempts: int
    arrived_at: str
    settled_at: str | None
    reason: str


class Ledger:
    """Every method is one transaction and may be called from several processes."""

    def __init__(self, reports: Path) -> None:
        with explained("keep its intake ledger", reports):
            reports.mkdir(parents=True, exist_ok=True)
        self._path = ledger_file(reports)
        with self._transaction() as ledger:
            ledger.execute("pragma journal_mode = wal")
            ledger.executescript(SCHEMA)

    def arrivals(self, study: str, files: Mapping[str, str]) -> list[Arrival]:
        """Note contents never seen before; returns those that wait for a run and are still there.

        `files` are the study's files now: sha256 by name. A waiting content that is gone is forgotten.
        """
        now = _now()
        names = {digest: name for name, digest in reversed(list(files.items()))}
        with self._transaction() as ledger:
            ledger.executemany(
                "insert or ignore into arrival (study, sha256, name, state, arrived_at) values (?, ?, ?, 'waiting', ?)",
                [(study, digest, name, now) for digest, name in names.items()],
            )
            waiting = _select(ledger, "study = ? and state = 'waiting'", (study,))
            gone = [(study, each.sha256) for each in waiting if each.sha256 not in names]
            ledger.executemany("delete from arrival where study = ? and sha256 = ?", gone)
        return [each for each in waiting if each.sha256 in names]

    def take(self, study: str, run_id: str, digests: Iterable[str]) -> None:
        """Note that a run has begun to read these contents; it will settle those not counted yet."""
        with self._transaction() as ledger:
            ledger.executemany(
                "insert into arrival (study, sha256, name, state, run_id, attempts, arrived_at) "
                "values (?1, ?2, ?2, 'taken', ?3, 1, ?4) on conflict do update set "
                "state = 'taken', run_id = ?3, attempts = attempts + 1 where state <> 'counted'",
                [(study, digest, run_id, _now()) for digest in digests],
            )

    def count(self, run_id: str) -> None:
        """Count what the run took: its report is published."""
        self._settle(run_id, "counted", "")

    def refuse(self, run_id: str, reason: str) -> None:
        """Refuse what the run took: its rows themselves stopped it, so that another try would change nothing."""
        self._settle(run_id, "refused", reason)

    def release(self, run_id: str, reason: str) -> None:
        """Let what the run took wait again, as it died or failed for another cause; at most MOST_ATTEMPTS times."""
        with self._transaction() as ledger:
            ledger.execute(
                "update arrival set state = iif(attempts >= ?, 'failed', 'waiting'), reason = ?, settled_at = ? "
                "where run_id = ? and state = 'taken'",
                (MOST_ATTEMPTS, reason, _now(), run_id),
            )

    def rows(self, study: str | None = None) -> list[Arrival]:
        """Every row, of one study or all, by arrival."""
        with self._transaction() as ledger:
            return _select(ledger, "?1 is null or study = ?1", (study,))

    def _settle(self, run_id: str, state: State, reason: str) -> None:
        with self._transaction() as ledger:
            ledger.execute(
                "update arrival set state = ?, reason = ?, settled_at = ? where run_id = ? and state = 'taken'",
                (state, reason, _now(), run_id),
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS)) as connection, connection:
                yield connection
        except sqlite3.DatabaseError as error:
            raise PoolwiseError(f"The intake ledger {self._path} cannot be used: {_trouble(error)}") from error


def _trouble(error: sqlite3.DatabaseError) -> str:
    """Why the ledger cannot be used, and what to do next."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code; the other bits only add detail
    if code == sqlite3.SQLITE_FULL:
        return "the disk is full. Make room there and run again."
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return f"writing there is not allowed. Change its permissions{ELSEWHERE}."
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return "it is damaged. Delete it: files are then counted anew, and no report changes."
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"another process has held it for {BUSY_SECONDS:.0f} seconds. Wait for it to end, then run again."
    return f"{error}. Nothing was published."


def _select(ledger: sqlite3.Connection, where: str, values: tuple[object, ...]) -> list[Arrival]:
    columns = ", ".join(Arrival.__dataclass_fields__)
    found = ledger.execute(f"select {columns} from arrival where {where} order by arrived_at, sha256", values)
    return [Arrival(*row) for row in found]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
