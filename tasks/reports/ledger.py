"""The intake ledger: which file contents have arrived, and which report has counted each.

One row per study and content, whatever its names, in a database (`tasks.reports.database`). Intake rests on what there
is and this ledger: `arrivals` compares the two, so nothing is lost when a notification or a server is. A row goes

    waiting ──a run takes it──▶ taken ──its report is published──▶ counted
       ▲                          ├──the rows were refused──────▶ refused
       └──the run died, or failed and may succeed next time──┘ └─▶ failed, after MOST_ATTEMPTS

and never back from counted. All changes are single transactions; several processes may share the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, text

from tasks.reports.database import Database

# Attempts are runs that died or failed for a passing cause; a restart of the worker also ends a run.
MOST_ATTEMPTS = 10

State = Literal["waiting", "taken", "counted", "refused", "failed"]


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
        self._database = Database(reports)

    def arrivals(self, study: str, files: Mapping[str, str]) -> list[Arrival]:
        """Note contents never seen before; returns those that wait for a run and are still there.

        `files` are the study's files now: sha256 by name. A waiting content that is gone is forgotten.
        """
        now = _now()
        names = {digest: name for name, digest in reversed(list(files.items()))}
        with self._database.transaction() as ledger:
            _each(
                ledger,
                "insert into arrival (study, sha256, name, state, arrived_at) "
                "values (:study, :sha256, :name, 'waiting', :now) on conflict do nothing",
                [{"study": study, "sha256": digest, "name": name, "now": now} for digest, name in names.items()],
            )
            waiting = _select(ledger, "study = :study and state = 'waiting'", {"study": study})
            gone = [{"study": study, "sha256": each.sha256} for each in waiting if each.sha256 not in names]
            _each(ledger, "delete from arrival where study = :study and sha256 = :sha256 and state = 'waiting'", gone)
        return [each for each in waiting if each.sha256 in names]

    def take(self, study: str, run_id: str, digests: Iterable[str]) -> None:
        """Note that a run has begun to read these contents; it will settle those not counted yet."""
        with self._database.transaction() as ledger:
            _each(
                ledger,
                "insert into arrival (study, sha256, name, state, run_id, attempts, arrived_at) "
                "values (:study, :sha256, :sha256, 'taken', :run_id, 1, :now) on conflict (study, sha256) do update "
                "set state = 'taken', run_id = :run_id, attempts = arrival.attempts + 1 "
                "where arrival.state <> 'counted'",
                [{"study": study, "sha256": digest, "run_id": run_id, "now": _now()} for digest in sorted(digests)],
            )

    def count(self, run_id: str) -> None:
        """Count what the run took: its report is published."""
        self._settle(run_id, "counted", "")

    def refuse(self, run_id: str, reason: str) -> None:
        """Refuse what the run took: its rows themselves stopped it, so that another try would change nothing."""
        self._settle(run_id, "refused", reason)

    def release(self, run_id: str, reason: str) -> None:
        """Let what the run took wait again, as it died or failed for another cause; at most MOST_ATTEMPTS times."""
        with self._database.transaction() as ledger:
            ledger.execute(
                text(
                    "update arrival set state = case when attempts >= :most then 'failed' else 'waiting' end, "
                    "reason = :reason, settled_at = :now where run_id = :run_id and state = 'taken'"
                ),
                {"most": MOST_ATTEMPTS, "reason": reason, "now": _now(), "run_id": run_id},
            )

    def rows(self, study: str | None = None) -> list[Arrival]:
        """Every row, of one study or all, by arrival."""
        with self._database.transaction() as ledger:
            return _select(ledger, "study = :study" if study is not None else "true", {"study": study})

    def _settle(self, run_id: str, state: State, reason: str) -> None:
        with self._database.transaction() as ledger:
            ledger.execute(
                text(
                    "update arrival set state = :state, reason = :reason, settled_at = :now "
                    "where run_id = :run_id and state = 'taken'"
                ),
                {"state": state, "reason": reason, "now": _now(), "run_id": run_id},
            )


def _each(ledger: Connection, statement: str, values: list[dict[str, Any]]) -> None:
    if values:
        ledger.execute(text(statement), values)


def _select(ledger: Connection, where: str, values: dict[str, Any]) -> list[Arrival]:
    columns = ", ".join(Arrival.__dataclass_fields__)
    found = ledger.execute(
        text(f"select {columns} from arrival where {where} order by arrived_at, sha256"),
        {name: value for name, value in values.items() if value is not None},
    )
    return [Arrival(*row) for row in found]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
