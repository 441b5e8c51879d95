"""Holding a study where machines share a database: a lease, which whoever holds it renews while it lives.

A machine that dies blocks nobody for longer than LEASE_SECONDS. One that was only slow finds, before it publishes, that
its study is held by another, and stops. Only the database's clock counts.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, text

from tasks.disk.leftovers import undone_if_cut_short
from tasks.reports.database import Database
from tasks.reports.holding import RunningRun
from tasks.study.errors import PoolwiseError

LEASE_SECONDS = 60.0
SECONDS_BETWEEN_TRIES = 0.5

log = logging.getLogger("poolwise")


@dataclass(frozen=True)
class Lease:
    """Ours as long as its row has our token and has not expired."""

    database: Database
    study: str
    token: str
    left_behind: RunningRun | None

    def note(self, run_id: str, flow_run_id: str) -> None:
        self._changed("run_id = :run_id, flow_run_id = :flow_run_id", run_id=run_id, flow_run_id=flow_run_id)

    def require(self) -> None:
        if not self.renewed():
            raise PoolwiseError(
                f"Another process has taken over {self.study}, as this one was not heard of for "
                f"{LEASE_SECONDS:.0f} seconds. Nothing was published; what it had taken is read by the other."
            )

    def renewed(self) -> bool:
        """Whether it is still ours, for LEASE_SECONDS from now."""
        return self._changed(f"expires_at = {self.database.now} + :seconds", seconds=LEASE_SECONDS)

    def end(self) -> None:
        """Give it up; if the database is away, it expires by itself."""
        with suppress(PoolwiseError), self.database.transaction() as connection:
            connection.execute(text("delete from lease where study = :study and token = :token"), self._own)

    def expire(self) -> None:
        """Leave it to be found: its run is dead and not cleaned up after."""
        with suppress(PoolwiseError):
            self._changed("expires_at = 0")

    @property
    def _own(self) -> dict[str, Any]:
        return {"study": self.study, "token": self.token}

    def _changed(self, what: str, **values: Any) -> bool:
        query = f"update lease set {what} where study = :study and token = :token"
        with self.database.transaction() as connection:
            return connection.execute(text(query), {**self._own, **values}).rowcount == 1


@contextmanager
def only_run(reports: Path, study_name: str, patience_seconds: float) -> Iterator[Lease]:
    database = Database(reports)
    lease = _waited_for(database, study_name, patience_seconds)
    stopped = threading.Event()
    threading.Thread(target=_keep, args=(lease, stopped), name="poolwise-lease", daemon=True).start()
    with undone_if_cut_short(lease.end):
        try:
            yield lease
        finally:
            stopped.set()
            lease.end()


def is_noted(reports: Path, study_name: str) -> bool:
    with Database(reports).transaction() as connection:
        return _row(connection, study_name) is not None


def is_running(reports: Path, study_name: str) -> bool:
    database = Database(reports)
    with database.transaction() as connection:
        row = _row(connection, study_name)
        return row is not None and not _is_over(database, connection, row)


@contextmanager
def dead_run(reports: Path, study_name: str) -> Iterator[RunningRun | None]:
    database = Database(reports)
    lease = _taken(database, study_name, only_if_dead=True)
    if lease is None:
        yield None
        return
    try:
        yield lease.left_behind
    except BaseException:
        lease.expire()
        raise
    lease.end()


def _keep(lease: Lease, stopped: threading.Event) -> None:
    """Renew the lease until it is given up or lost. While the database is away, it is tried again."""
    while not stopped.wait(LEASE_SECONDS / 4.0):
        try:
            if not lease.renewed():
                return
        except PoolwiseError as error:
            log.warning("the lease of %s could not be renewed: %s", lease.study, error)


def _waited_for(database: Database, study: str, patience_seconds: float) -> Lease:
    ends = time.monotonic() + patience_seconds
    while (lease := _taken(database, study)) is None:
        if time.monotonic() > ends:
            raise PoolwiseError(
                f"Another run of {study} has been going on for {patience_seconds:.0f} seconds, and two at once "
                "could count the same rows twice. Wait for it to end, or stop it, then run again."
            )
        time.sleep(SECONDS_BETWEEN_TRIES)
    return lease


def _taken(database: Database, study: str, *, only_if_dead: bool = False) -> Lease | None:
    """The lease if nobody has it, or its holder died; None otherwise."""
    with database.transaction() as connection:
        row = _row(connection, study)
        if row is None:
            return None if only_if_dead else _made(database, connection, study)
        return _taken_over(database, connection, row) if _is_over(database, connection, row) else None


def _made(database: Database, connection: Connection, study: str) -> Lease | None:
    """A new lease; None if another was faster."""
    ours = _ours(study)
    made = connection.execute(
        text(
            "insert into lease (study, token, host, pid, run_id, flow_run_id, expires_at) "
            f"values (:study, :token, :host, :pid, '', '', {database.now} + :seconds) on conflict do nothing"
        ),
        ours,
    )
    return Lease(database, study, ours["token"], None) if made.rowcount == 1 else None


def _taken_over(database: Database, connection: Connection, row: Row[Any]) -> Lease | None:
    """The lease of a dead holder, what it noted kept until `note`; None if another was faster."""
    ours = _ours(row.study)
    taken = connection.execute(
        text(
            "update lease set token = :token, host = :host, pid = :pid, "
            f"expires_at = {database.now} + :seconds where study = :study and token = :old"
        ),
        {**ours, "old": row.token},
    )
    dead = RunningRun(row.run_id, row.flow_run_id, row.pid, row.host) if row.run_id else None
    return Lease(database, row.study, ours["token"], dead) if taken.rowcount == 1 else None


def _ours(study: str) -> dict[str, Any]:
    return {
        "study": study,
        "token": secrets.token_hex(16),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "seconds": LEASE_SECONDS,
    }


def _row(connection: Connection, study: str) -> Row[Any] | None:
    return connection.execute(text("select * from lease where study = :study"), {"study": study}).one_or_none()


def _is_over(database: Database, connection: Connection, row: Row[Any]) -> bool:
    return bool(row.expires_at < connection.execute(text(f"select {database.now}")).scalar_one())
