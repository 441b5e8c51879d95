"""What people have been told already, so that a notice that is sent once is not sent twice, by no machine."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from tasks.reports.database import Database


def was_told(reports: Path, study_name: str, kind: str, matter: str) -> bool:
    """Whether the last notice of this kind was about this matter. Raises PoolwiseError."""
    query = text("select matter from told where study = :study and kind = :kind")
    with Database(reports).transaction() as database:
        return database.execute(query, {"study": study_name, "kind": kind}).scalar() == matter


def remember_told(reports: Path, study_name: str, kind: str, matter: str) -> None:
    """Note that a notice of this kind was about this matter. Raises PoolwiseError."""
    noted = text(
        "insert into told (study, kind, matter) values (:study, :kind, :matter) "
        "on conflict (study, kind) do update set matter = excluded.matter"
    )
    with Database(reports).transaction() as database:
        database.execute(noted, {"study": study_name, "kind": kind, "matter": matter})
