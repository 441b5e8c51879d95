"""Machines that share an object store and a database, and no disk: one history, and nothing read twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from s3fs import S3FileSystem

from flows.cli.__main__ import command
from flows.outcome import Outcome
from flows.report import pooling_report
from tasks.disk.mirror import mirror_of
from tasks.opening.reports_folder import folder_of_reports
from tasks.reports.ledger import Ledger
from tests.parts.object_store import BUCKET, KEY, SECRET, ObjectStore
from tests.parts.postgres import PASSWORD, new_database
from tests.tasks.rows.sources.places import frame, set_environment

STUDY = f"""
title = "T"
name = "visits"
source = "s3://{BUCKET}/of-machines/*.csv"
outcome = "y"
group = "g"
predictors = ["x"]
[sampler]
warmup = 300
draws = 300
"""
REPORTS = f"s3://{BUCKET}/of-machines-reports"


@pytest.fixture
def place(
    prefect_server: None, postgres: int, object_store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder per machine, each with the study in it."""
    set_environment(monkeypatch, {**object_store.environment, "POOLWISE_DATABASE_URL": new_database(postgres)})
    S3FileSystem.clear_instance_cache()
    for machine in ("one", "other"):
        (tmp_path / machine / "data" / "visits").mkdir(parents=True)
        (tmp_path / machine / "data" / "visits" / "study.toml").write_text(STUDY)
    return tmp_path


def put(store: ObjectStore, name: str, seed: int) -> None:
    rows = frame()[:120].assign(y=lambda rows: rows["y"] + seed)
    store.files.pipe(f"{BUCKET}/of-machines/{name}", rows.to_csv(index=False).encode())


def run_on(machine: Path, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """As a worker of this machine runs a deployment."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(machine / "cache"))
    monkeypatch.setenv("POOLWISE_STUDIES", str(machine / "data"))
    return pooling_report(Path("visits"), REPORTS)


def summary(outcome: Outcome) -> dict[str, Any]:
    return json.loads((outcome.folder / "summary.json").read_text("utf-8"))


def test_two_machines_go_on_with_each_others_work(
    place: Path, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    put(object_store, "a.csv", 0)
    first = run_on(place / "one", monkeypatch)
    assert first.is_new
    again = run_on(place / "other", monkeypatch)
    assert not again.is_new
    assert again.folder.name == first.folder.name
    assert again.verdict == first.verdict

    put(object_store, "b.csv", 1)
    copied: list[str] = []
    get = S3FileSystem._get_file

    async def copy(self: S3FileSystem, key: str, *to: Any, **more: Any) -> None:
        copied.append(key)
        await get(self, key, *to, **more)

    monkeypatch.setattr(S3FileSystem, "_get_file", copy)
    S3FileSystem.clear_instance_cache()
    second = run_on(place / "other", monkeypatch)
    assert [key for key in copied if key.endswith(".csv")] == [f"s3://{BUCKET}/of-machines/b.csv"]  # a.csv was digested
    told = summary(second)
    assert told["run"]["n_rows"] == 240
    assert first.folder.name in json.dumps(told["changes"])

    states = [row.state for row in Ledger(folder_of_reports(REPORTS)).rows("visits")]
    assert states == ["counted", "counted"]
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "third"))
    assert command(["reports", "--out", REPORTS]) == 0
    assert [line.split("\t")[1] for line in capfd.readouterr().out.splitlines()] == ["visits", "visits"]

    everything = [object_store.files.cat(name) for name in object_store.files.find(REPORTS)]
    here = [path.read_bytes() for path in place.rglob("*") if path.is_file()]
    for secret in (KEY, SECRET, PASSWORD):
        assert not any(secret.encode() in content for content in everything + here)
    assert mirror_of(second.folder.parent.parent) is not None
    assert not list(place.rglob(".ledger.sqlite"))


def test_a_report_of_a_slow_clock_comes_after_the_earlier_one_of_a_fast_clock(
    place: Path, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(object_store, "clocks.csv", 5)
    with monkeypatch.context() as patch:
        patch.setattr("tasks.reports.run_record.now_after", lambda run_id: datetime.now(UTC) + timedelta(minutes=7))
        first = run_on(place / "one", monkeypatch)
    put(object_store, "clocks-too.csv", 6)
    second = run_on(place / "other", monkeypatch)
    assert first.folder.name < second.folder.name
    assert summary(second)["changes"]["previous"]["id"] == first.folder.name
