"""What is said when SQLite's file of the ledger cannot be used."""

from __future__ import annotations

import sqlite3

from tasks.disk.atomic import ELSEWHERE


def trouble(error: BaseException | None, busy_seconds: float) -> str:
    """Why the ledger cannot be used, and what to do next."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code; the other bits only add detail
    if code == sqlite3.SQLITE_FULL:
        return "the disk is full. Make room there and run again."
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return f"writing there is not allowed. Change its permissions{ELSEWHERE}."
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return "it is damaged. Delete it: files are then counted anew, and no report changes."
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"another process has held it for {busy_seconds:.0f} seconds. Wait for it to end, then run again."
    return f"{error}. Nothing was published."
