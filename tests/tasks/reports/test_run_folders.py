"""Run ids sort by time; reading back is tested with the catalogue and with publishing."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.reports.publish import keep_rejections
from tasks.reports.run_folders import new_run_id, newest_run_id, now_after, run_folders
from tests.run_folders import add_run


def test_run_ids_sort_by_time_and_never_repeat() -> None:
    start = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
    ids = [new_run_id(start + timedelta(microseconds=step), "f") for step in (0, 1, 999_999, 1_000_000)]
    assert ids == sorted(ids)
    assert ids[0].startswith("20261122T101500.000000Z-")
    assert len({new_run_id(start, "f") for _ in range(200)}) == 200


def test_run_ids_are_in_utc() -> None:
    moment = datetime.fromisoformat("2026-11-22T01:00:00+02:00")
    assert new_run_id(moment, "f").startswith("20261121T230000")


def test_the_newest_run_may_have_left_rejected_rows_only(tmp_path: Path) -> None:
    assert newest_run_id(tmp_path / "visits") == ""
    ids = [new_run_id(datetime(2026, 11, 22, hour, tzinfo=UTC), "f") for hour in (8, 9, 10)]
    add_run(tmp_path, "visits", ids[1])
    keep_rejections(tmp_path, "visits", ids[0], "row\n")
    assert newest_run_id(tmp_path / "visits") == ids[1]
    keep_rejections(tmp_path, "visits", ids[2], "row\n")
    assert newest_run_id(tmp_path / "visits") == ids[2]


def test_a_run_after_one_of_a_clock_ahead_is_the_newest(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    add_run(tmp_path, "visits", new_run_id(ahead, "f"))
    for expected in range(2, 5):
        newest = newest_run_id(tmp_path / "visits")
        with caplog.at_level(logging.WARNING, "poolwise"):
            later = new_run_id(now_after(newest), "f")
        assert f"behind that of run {newest}" in caplog.messages[-1]
        add_run(tmp_path, "visits", later)
        runs = run_folders(tmp_path / "visits")
        assert (runs[0].name, len(runs)) == (later, expected)


@pytest.mark.parametrize("name", ["", "r1", "2026", "99991231T235959.999999Z-1a2b3c"])
def test_a_folder_that_names_no_moment_changes_nothing(name: str) -> None:
    before = datetime.now(UTC)
    assert before <= now_after(name) <= datetime.now(UTC)
