"""The intake ledger: every content once, nothing lost, whatever happens to the run that took it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tasks.reports.ledger import MOST_ATTEMPTS, Ledger
from tasks.study.errors import PoolwiseError
from tests.parts.postgres import new_database
from tests.privileges import held_to_permissions


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


@pytest.fixture(params=["beside the reports", "shared"])
def any_ledger(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    if request.param == "shared":
        port = request.getfixturevalue("postgres")
        monkeypatch.setenv("POOLWISE_DATABASE_URL", new_database(port))
    return Ledger(tmp_path)


def states(ledger: Ledger) -> dict[str, str]:
    return {row.sha256: row.state for row in ledger.rows()}


def test_new_contents_wait(any_ledger: Ledger) -> None:
    waiting = any_ledger.arrivals("s", {"a.csv": "1", "b.csv": "2"})
    assert [(each.name, each.sha256) for each in waiting] == [("a.csv", "1"), ("b.csv", "2")]


def test_same_content_under_two_names_is_one_arrival(any_ledger: Ledger) -> None:
    assert len(any_ledger.arrivals("s", {"a.csv": "1", "copy.csv": "1"})) == 1
    assert len(any_ledger.rows()) == 1


def test_counted_content_never_waits_again(any_ledger: Ledger) -> None:
    any_ledger.arrivals("s", {"a.csv": "1"})
    any_ledger.take("s", "run", ["1"])
    any_ledger.count("run")
    assert any_ledger.arrivals("s", {"renamed.csv": "1"}) == []
    any_ledger.take("s", "later", ["1"])
    any_ledger.release("later", "died")
    assert states(any_ledger) == {"1": "counted"}
    assert any_ledger.rows()[0].run_id == "run"


def test_taken_content_does_not_wait(any_ledger: Ledger) -> None:
    any_ledger.arrivals("s", {"a.csv": "1"})
    any_ledger.take("s", "run", ["1"])
    assert any_ledger.arrivals("s", {"a.csv": "1"}) == []


def test_content_of_a_dead_run_waits_until_attempts_are_spent(any_ledger: Ledger) -> None:
    for attempt in range(1, MOST_ATTEMPTS + 1):
        (waiting,) = any_ledger.arrivals("s", {"a.csv": "1"})
        assert waiting.attempts == attempt - 1
        any_ledger.take("s", f"run {attempt}", ["1"])
        any_ledger.release(f"run {attempt}", "died")
    assert any_ledger.arrivals("s", {"a.csv": "1"}) == []
    assert states(any_ledger) == {"1": "failed"}
    any_ledger.take("s", "by hand", ["1"])
    any_ledger.count("by hand")
    assert states(any_ledger) == {"1": "counted"}


def test_refused_content_waits_no_more_but_a_run_by_hand_counts_it(any_ledger: Ledger) -> None:
    any_ledger.arrivals("s", {"a.csv": "1"})
    any_ledger.take("s", "run", ["1"])
    any_ledger.refuse("run", "no rows")
    assert any_ledger.arrivals("s", {"a.csv": "1"}) == []
    assert any_ledger.rows()[0].reason == "no rows"
    any_ledger.take("s", "by hand", ["1"])
    any_ledger.count("by hand")
    assert states(any_ledger) == {"1": "counted"}


def test_waiting_content_that_is_gone_is_forgotten(any_ledger: Ledger) -> None:
    any_ledger.arrivals("s", {"half.csv": "1"})
    assert any_ledger.arrivals("s", {"half.csv": "2"})[0].sha256 == "2"
    assert states(any_ledger) == {"2": "waiting"}


def test_studies_do_not_mix(any_ledger: Ledger) -> None:
    any_ledger.arrivals("s", {"a.csv": "1"})
    any_ledger.take("s", "run", ["1"])
    any_ledger.count("run")
    assert len(any_ledger.arrivals("t", {"a.csv": "1"})) == 1


def test_settling_another_run_changes_nothing(any_ledger: Ledger) -> None:
    any_ledger.take("s", "mine", ["1"])
    any_ledger.count("other")
    any_ledger.release("another", "died")
    assert states(any_ledger) == {"1": "taken"}


def test_many_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)

    def arrive(k: int) -> None:
        mine = Ledger(tmp_path)
        for i in range(20):
            mine.arrivals(f"s{k}", {f"{i}.csv": f"{k}-{i}", **{f"{n}.csv": f"{k}-{n}" for n in range(i)}})

    threads = [threading.Thread(target=arrive, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger.rows()) == 6 * 20


class AnyHistory(RuleBasedStateMachine):
    """Drops, runs, deaths and refusals in any order, against a plain model of what must hold."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.ledger = Ledger(Path(self.folder.name))
        self.dropped: set[str] = set()
        self.counted: dict[str, str] = {}
        self.run = 0
        self.taken: set[str] = set()

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(content=st.sampled_from("abcdef"))
    def drop(self, content: str) -> None:
        self.dropped.add(content)
        self.ledger.arrivals("s", {f"{c}.csv": c for c in self.dropped})

    @rule()
    def begin(self) -> None:
        if not self.taken and self.dropped:
            self.run += 1
            self.taken = set(self.dropped)
            self.ledger.take("s", str(self.run), sorted(self.taken))

    @rule(ends=st.sampled_from(["count", "release"]))
    def end(self, ends: str) -> None:
        if not self.taken:
            return
        if ends == "count":
            self.ledger.count(str(self.run))
            for content in self.taken:
                self.counted.setdefault(content, str(self.run))
        else:
            self.ledger.release(str(self.run), "died")
        self.taken = set()

    @invariant()
    def each_content_is_counted_once_and_none_is_lost(self) -> None:
        rows = {row.sha256: row for row in self.ledger.rows("s")}
        assert set(rows) == self.dropped
        assert {c: row.run_id for c, row in rows.items() if row.state == "counted"} == self.counted
        if not self.taken:
            waiting = {row.sha256 for row in self.ledger.arrivals("s", {f"{c}.csv": c for c in self.dropped})}
            assert waiting == self.dropped - set(self.counted)


AnyHistory.TestCase.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
TestAnyHistory = AnyHistory.TestCase


CONNECT = sqlite3.connect


def of_a_full_disk(path: Path, **settings: float) -> sqlite3.Connection:
    connection = CONNECT(path, **settings)
    connection.execute("pragma max_page_count = 4")
    return connection


def test_a_full_disk_is_said(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3.dbapi2, "connect", of_a_full_disk)
    with pytest.raises(PoolwiseError, match=r"\.ledger\.sqlite cannot be used: the disk is full"):
        ledger.arrivals("s", {f"{i}.csv": f"{i}" * 1000 for i in range(1000)})


def test_a_ledger_that_may_not_be_written_is_said(ledger: Ledger, tmp_path: Path) -> None:
    for path in tmp_path.iterdir():
        path.chmod(0o444)
    with held_to_permissions(), pytest.raises(PoolwiseError, match=r"not allowed. Change its permissions.*--out"):
        ledger.take("s", "run", ["1"])


def test_what_is_no_ledger_is_said_with_what_deleting_it_would_cost(tmp_path: Path) -> None:
    (tmp_path / ".ledger.sqlite").write_text("something else, and long enough to be taken for a header" * 100)
    with pytest.raises(PoolwiseError, match=r"it is damaged\. Delete it: files are then counted anew"):
        Ledger(tmp_path)


def test_a_ledger_that_another_process_keeps_is_said(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.reports.database.BUSY_SECONDS", 0.0)
    with closing(CONNECT(tmp_path / ".ledger.sqlite", isolation_level=None)) as other:
        other.execute("begin exclusive")
        with pytest.raises(PoolwiseError, match="another process has held it"):
            ledger.take("s", "run", ["1"])


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PoolwiseError, match="in the way"):
        Ledger(tmp_path / "file" / "below")
