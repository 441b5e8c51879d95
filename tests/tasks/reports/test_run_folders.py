"""Run ids sort by time; reading back is tested with the catalogue and with publishing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tasks.reports.run_folders import new_run_id


def test_run_ids_sort_by_time_and_never_repeat() -> None:
    start = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
    ids = [new_run_id(start + timedelta(microseconds=step), "f") for step in (0, 1, 999_999, 1_000_000)]
    assert ids == sorted(ids)
    assert ids[0].startswith("20261122T101500.000000Z-")
    assert len({new_run_id(start, "f") for _ in range(200)}) == 200


def test_run_ids_are_in_utc() -> None:
    moment = datetime.fromisoformat("2026-11-22T01:00:00+02:00")
    assert new_run_id(moment, "f").startswith("20261121T230000")
