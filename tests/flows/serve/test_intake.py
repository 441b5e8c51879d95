"""Folders against the ledger, without Prefect: what is asked for, when, and what is not."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import flows.serve.intake
from flows.serve.intake import Intake, NotYet, Poll
from tasks.opening.studies import OpenedStudy
from tasks.reports.holding import RunningRun
from tasks.reports.ledger import Arrival, Ledger
from tasks.reports.run_lock import only_run
from tasks.rows.sources.source import Source
from tests.waiting import until

STUDY = 'title = "t"\noutcome = "y"\ngroup = "g"\n[trigger]\nstable_seconds = 0.2\n'


class Asked:
    """Stands in for Prefect; notes what it was asked."""

    def __init__(self) -> None:
        self.requests: list[list[str]] = []
        self.healed: list[str] = []
        self.is_down = False

    def request(self, opened: OpenedStudy, waiting: Sequence[Arrival]) -> None:
        if self.is_down:
            raise ConnectionError("no server")
        self.requests.append(sorted(Path(each.name).name for each in waiting))

    def heal(self, ledger: Ledger, dead: RunningRun, opened: OpenedStudy) -> None:
        self.healed.append(dead.run_id)
        ledger.release(dead.run_id, "died")


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "visits"
    (folder / "incoming").mkdir(parents=True)
    (folder / "study.toml").write_text(STUDY)
    (folder / "first.csv").write_text("g,y\na,1\n")
    return folder


@pytest.fixture
def intake(tmp_path: Path, study: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> Intake:
    """However long the test takes, what was asked for may still be about to begin."""
    monkeypatch.setattr(flows.serve.intake, "REQUEST_SECONDS", float("inf"))
    return Intake(tmp_path / "reports", [study], asked.request, asked.heal)


def drop(study: Path, name: str, text: str, age: float = 10.0) -> Path:
    path = study / "incoming" / name
    path.write_text(text)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def look_until(intake: Intake, holds: Callable[[], bool]) -> None:
    def looked() -> bool:
        intake.look()
        return holds()

    until(looked)


def settle(intake: Intake, run_id: str, digests: Sequence[str]) -> None:
    intake.ledger.take("visits", run_id, digests)
    intake.ledger.count(run_id)


def test_new_files_ask_for_one_run_together(intake: Intake, study: Path, asked: Asked) -> None:
    os.utime(study / "first.csv", (0, 0))
    for k in range(100):
        drop(study, f"{k}.csv", f"g,y\nb,{k}\n")
    intake.look()
    intake.look()
    assert len(asked.requests) == 1
    assert len(asked.requests[0]) == 101


def test_nothing_new_asks_for_nothing(intake: Intake, study: Path, asked: Asked) -> None:
    look_until(intake, lambda: len(asked.requests) == 1)
    settle(intake, "r", [row.sha256 for row in intake.ledger.rows()])
    for _ in range(3):
        intake.look()
    assert len(asked.requests) == 1


def test_renamed_and_repeated_contents_ask_for_nothing(intake: Intake, study: Path, asked: Asked) -> None:
    look_until(intake, lambda: len(asked.requests) == 1)
    settle(intake, "r", [row.sha256 for row in intake.ledger.rows()])
    (study / "first.csv").rename(study / "renamed.csv")
    drop(study, "again.csv", "g,y\na,1\n")
    intake.look()
    assert len(asked.requests) == 1


def test_file_being_written_waits_until_it_is_stable(intake: Intake, study: Path, asked: Asked) -> None:
    (study / "study.toml").write_text(STUDY.replace("0.2", "3600"))
    os.utime(study / "first.csv", (0, 0))
    path = study / "incoming" / "slow.csv"
    for k in range(5):
        with path.open("a") as file:
            file.write(f"a,{k}\n")
        intake.look()
    assert asked.requests == [["first.csv"]]
    settle(intake, "r", [row.sha256 for row in intake.ledger.rows()])
    os.utime(path, (time.time() - 3601, time.time() - 3601))
    intake.look()
    assert asked.requests[1:] == [["slow.csv"]]


def test_file_from_the_future_is_stable_once_it_stands_still(intake: Intake, study: Path, asked: Asked) -> None:
    look_until(intake, lambda: len(asked.requests) == 1)
    settle(intake, "r", [row.sha256 for row in intake.ledger.rows()])
    drop(study, "early.csv", "g,y\nb,1\n", age=-3600)
    look_until(intake, lambda: len(asked.requests) == 2)
    assert asked.requests[1] == ["early.csv"]


def test_appended_source_file_asks_again(intake: Intake, study: Path, asked: Asked) -> None:
    look_until(intake, lambda: len(asked.requests) == 1)
    settle(intake, "r", [row.sha256 for row in intake.ledger.rows()])
    with (study / "first.csv").open("a") as file:
        file.write("a,2\n")
    look_until(intake, lambda: len(asked.requests) == 2)


def test_study_that_is_running_is_left_alone(intake: Intake, study: Path, asked: Asked, tmp_path: Path) -> None:
    os.utime(study / "first.csv", (0, 0))
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with only_run(tmp_path / "reports", "visits"):
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        intake.look()
        assert asked.requests == []
    finally:
        done.set()
        thread.join()
    intake.look()
    assert len(asked.requests) == 1


def test_prefect_away_is_asked_again(intake: Intake, study: Path, asked: Asked) -> None:
    os.utime(study / "first.csv", (0, 0))
    asked.is_down = True
    intake.look()
    asked.is_down = False
    intake.look()
    assert asked.requests == [["first.csv"]]


def test_files_of_a_dead_run_are_asked_for_again(intake: Intake, study: Path, asked: Asked, tmp_path: Path) -> None:
    os.utime(study / "first.csv", (0, 0))
    intake.look()
    (digest,) = [row.sha256 for row in intake.ledger.rows()]
    intake.ledger.take("visits", "dead", [digest])
    (tmp_path / "reports" / "visits").mkdir(exist_ok=True)
    (tmp_path / "reports" / "visits" / ".running").write_text('{"run_id": "dead", "flow_run_id": "", "pid": 1}')
    intake._studies[0].asked_at = float("-inf")
    intake.look()
    assert asked.healed == ["dead"]
    assert len(asked.requests) == 2


def test_broken_study_does_not_stop_the_others(tmp_path: Path, study: Path, asked: Asked) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "study.toml").write_text("title = ")
    os.utime(study / "first.csv", (0, 0))
    Intake(tmp_path / "reports", [broken, study], asked.request, asked.heal).look()
    assert asked.requests == [["first.csv"]]


class Heard:
    """What keeps studies from running, as it is now; and how often anything was reported."""

    def __init__(self) -> None:
        self.now: dict[str, str] = {}

    def __call__(self, subject: Path | str, reason: str) -> None:
        self.now = {**self.now, Path(subject).name: reason}

    def troubles(self) -> dict[str, str]:
        return {subject: reason for subject, reason in self.now.items() if reason}


def test_a_study_that_breaks_is_reported_until_it_is_mended(tmp_path: Path, study: Path, asked: Asked) -> None:
    heard = Heard()
    intake = Intake(tmp_path / "reports", [study], asked.request, asked.heal, report=heard)
    intake.look()
    assert heard.troubles() == {}
    (study / "study.toml").write_text(STUDY + '[schedule]\ncron = "61 * * * *"\n')
    intake.look()
    assert "61 * * * *" in heard.troubles()["visits"]
    (study / "study.toml").unlink()
    intake.look()
    assert "has no study.toml" in heard.troubles()["visits"]
    (study / "study.toml").write_text(STUDY)
    intake.look()
    assert heard.troubles() == {}


def test_prefect_away_is_reported_until_it_answers(tmp_path: Path, study: Path, asked: Asked) -> None:
    heard = Heard()
    intake = Intake(tmp_path / "reports", [study], asked.request, asked.heal, report=heard)
    os.utime(study / "first.csv", (0, 0))
    asked.is_down = True
    intake.look()
    assert "no answer to asking for a run of visits" in heard.troubles()["Prefect"]
    asked.is_down = False
    intake.look()
    assert heard.troubles() == {}


def test_a_study_that_prefect_does_not_know_yet_is_no_trouble(tmp_path: Path, study: Path, asked: Asked) -> None:
    def unknown(opened: OpenedStudy, waiting: Sequence[Arrival]) -> None:
        raise NotYet("not yet")

    heard = Heard()
    os.utime(study / "first.csv", (0, 0))
    Intake(tmp_path / "reports", [study], unknown, asked.heal, report=heard).look()
    assert heard.troubles() == {}


def test_the_same_trouble_is_logged_once(tmp_path: Path, study: Path, asked: Asked, caplog: Any) -> None:
    asked.is_down = True
    os.utime(study / "first.csv", (0, 0))
    intake = Intake(tmp_path / "reports", [study], asked.request, asked.heal)
    for _ in range(20):
        intake.look()
    assert len([record for record in caplog.records if "no answer" in record.getMessage()]) == 1


def test_watching_sees_a_drop(intake: Intake, study: Path, asked: Asked) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=intake.keep_looking, args=(stop,))
    thread.start()
    try:
        until(lambda: bool(asked.requests))
        settle(intake, "r", [row.sha256 for row in intake.ledger.rows()])
        (study / "incoming" / "new.csv").write_text("g,y\nc,1\n")
        until(lambda: len(asked.requests) == 2)
    finally:
        stop.set()
        thread.join()
    assert asked.requests[-1] == ["new.csv"]


def is_asked_for(asked: Asked, name: str) -> bool:
    return any(name in request for request in asked.requests)


def test_partitions_of_a_database_are_asked_for_now_and_then(
    tmp_path: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows.serve.intake, "REQUEST_SECONDS", 0.2)  # no run ever takes what waits
    folder = tmp_path / "visits"
    folder.mkdir()
    warehouse = folder / "warehouse.db"
    with sqlite3.connect(warehouse) as database:
        database.execute("create table visits (g text, y real, week text)")
    source = '[source]\nsql = "select * from visits"\ndatabase = "sqlite:///warehouse.db"\npartition = "week"\n'
    (folder / "study.toml").write_text(f"{STUDY}poll_seconds = 1.0\n{source}")
    intake = Intake(tmp_path / "reports", [folder], asked.request, asked.heal)
    for week in ("2026-W01", "2026-W02"):
        with sqlite3.connect(warehouse) as database:
            database.execute("insert into visits values ('a', 1.0, ?)", (week,))
        look_until(intake, partial(is_asked_for, asked, f"week={week}"))
    (folder / "incoming").mkdir(exist_ok=True)
    drop(folder, "late.csv", "g,y\na,1\n")
    look_until(intake, partial(is_asked_for, asked, "late.csv"))
    assert asked.requests[0] == ["week=2026-W01"]
    assert asked.requests[-1] == ["late.csv", "week=2026-W01", "week=2026-W02"]


def test_what_waits_is_not_forgotten_before_a_database_has_answered(tmp_path: Path, asked: Asked) -> None:
    folder = tmp_path / "visits"
    folder.mkdir()
    source = '[source]\nsql = "select * from visits"\ndatabase = "sqlite:///no-such-folder/warehouse.db"\n'
    (folder / "study.toml").write_text(f"{STUDY}{source}")
    intake = Intake(tmp_path / "reports", [folder], asked.request, asked.heal)
    intake.ledger.arrivals("visits", {"query": "0" * 64})
    for _ in range(20):
        intake.look()
        time.sleep(0.02)
    assert [row.state for row in intake.ledger.rows("visits")] == ["waiting"]


def test_a_source_is_asked_as_this_thread_would_ask_it() -> None:
    """Which Prefect server holds a study's secrets is said by the context."""
    server: ContextVar[str] = ContextVar("server", default="none")
    poll, source = Poll(), SimpleNamespace(parts=lambda: {"query": server.get()})
    server.set("ours")
    until(lambda: poll.parts(cast(Source, source), 60.0) is not None)
    assert poll.parts(cast(Source, source), 60.0) == {"query": "ours"}
