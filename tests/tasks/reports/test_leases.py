"""Where machines share a database, a study is held by a lease: one holder, dead ones found, lost ones told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from tasks.reports import leases
from tasks.reports.database import MIGRATIONS
from tasks.reports.ledger import Ledger
from tasks.reports.run_lock import dead_run, is_noted, is_running, only_run
from tasks.study.errors import PoolwiseError, StudyError
from tests.parts.postgres import PASSWORD, new_database


@pytest.fixture(autouse=True)
def shared(postgres: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWISE_DATABASE_URL", new_database(postgres))
    monkeypatch.setattr(leases, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(leases, "SECONDS_BETWEEN_TRIES", 0.02)


def machine(name: str, tmp_path: Path) -> Path:
    """A reports folder that no other machine sees."""
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    return folder


def test_one_machine_at_a_time_runs_a_study_and_another_study_meanwhile(tmp_path: Path) -> None:
    here, there = machine("a", tmp_path), machine("b", tmp_path)
    with only_run(here, "visits"):
        assert is_running(there, "visits")
        assert is_noted(there, "visits")
        with (
            pytest.raises(PoolwiseError, match="Another run of visits has been going on"),
            only_run(there, "visits", 0),
        ):
            pytest.fail("held twice")
        with only_run(there, "patients", 0):
            pass
    assert not is_running(there, "visits")
    assert not is_noted(there, "visits")


def test_of_many_that_ask_at_once_one_goes_first(tmp_path: Path) -> None:
    inside, most = threading.Semaphore(0), []

    def run(k: int) -> None:
        with only_run(machine(str(k), tmp_path), "visits"):
            inside.release()
            most.append(inside._value)
            time.sleep(0.05)
            inside.acquire()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(8)))
    assert most == [1] * 8


def test_a_lease_is_renewed_as_long_as_it_is_held(tmp_path: Path) -> None:
    with only_run(machine("a", tmp_path), "visits") as hold:
        time.sleep(2.5)
        assert is_running(machine("b", tmp_path), "visits")
        hold.require()


KILLED = """
    import sys, time
    from pathlib import Path
    from tasks.reports import leases
    from tasks.reports.run_lock import only_run

    leases.LEASE_SECONDS = 1.0
    with only_run(Path(sys.argv[1]), "visits") as hold:
        hold.note("run 1", "flow 1")
        print("held", flush=True)
        time.sleep(600)
"""


def test_a_machine_that_dies_blocks_nobody_for_long_and_is_found(tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(machine("a", tmp_path))]
    there = machine("b", tmp_path)
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with dead_run(there, "visits") as dead:
            assert dead is None
        process.send_signal(signal.SIGKILL)
    with pytest.raises(ZeroDivisionError):
        until_dead(there)
    with only_run(there, "visits", 60.0) as hold:  # the one that failed to clean up left it to be found
        assert hold.left_behind is not None
        assert (hold.left_behind.run_id, hold.left_behind.flow_run_id) == ("run 1", "flow 1")
    with dead_run(there, "visits") as dead:
        assert dead is None


def until_dead(reports: Path) -> None:
    """Find the dead run, and fail to clean up after it."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with dead_run(reports, "visits") as dead:
            if dead:
                raise ZeroDivisionError
        time.sleep(0.05)


def test_whoever_was_away_too_long_may_not_publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_keep", lambda lease, stopped: None)  # as a machine that stands still
    here, there = machine("a", tmp_path), machine("b", tmp_path)
    ledgers = Ledger(here), Ledger(there)
    with only_run(here, "visits") as slow:
        slow.note("slow", "")
        ledgers[0].take("visits", "slow", ["1" * 64])
        with only_run(there, "visits", 60.0) as other:
            assert other.left_behind is not None
            other.note("other", "")
            ledgers[1].take("visits", "other", ["1" * 64])
            with pytest.raises(PoolwiseError, match="Another process has taken over visits"):
                slow.require()
            ledgers[0].release("slow", "lost")
            ledgers[1].count("other")
            other.require()
    assert [(row.state, row.run_id) for row in ledgers[0].rows()] == [("counted", "other")]


def test_a_process_makes_the_tables_once(tmp_path: Path) -> None:
    """Intake asks twice a second for each study; every later version looks once a process."""
    Ledger(tmp_path)
    engine = create_engine(os.environ["POOLWISE_DATABASE_URL"], poolclass=NullPool)
    with engine.begin() as connection:
        assert connection.execute(text("select max(number) from version")).scalar() == len(MIGRATIONS)
        connection.execute(text("drop table version"))
    assert not is_running(tmp_path, "visits")
    with engine.begin() as connection:
        assert connection.execute(text("select to_regclass('version')")).scalar() is None


def test_no_password_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = os.environ["POOLWISE_DATABASE_URL"]
    name = address.rpartition("/")[2]
    monkeypatch.setenv("POOLWISE_DATABASE_URL", address.replace(name, "no_such_database"))
    with pytest.raises(PoolwiseError, match="no_such_database") as caught:
        Ledger(tmp_path)
    assert PASSWORD not in str(caught.value)
    for wrong in ("mysql://u:secret@h/d", "nothing", "oracle+x://u:secret@h/d"):
        monkeypatch.setenv("POOLWISE_DATABASE_URL", wrong)
        with pytest.raises(StudyError, match="POOLWISE_DATABASE_URL is no address of a PostgreSQL") as told:
            Ledger(tmp_path)
        assert "secret" not in str(told.value)
