"""Machines whose clocks are minutes apart share a database and a reports folder: nothing is lost or counted twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.reports import leases
from tasks.reports.ledger import Ledger
from tasks.reports.run_lock import only_run
from tests.parts.clocks import ClockAhead
from tests.parts.postgres import new_database
from tests.stopping import write_rows

AHEAD, BEHIND = 7.0, -6.0
STUDY = 'title = "T"\noutcome = "y"\ngroup = "g"\npredictors = ["x"]\n[sampler]\nwarmup = 300\ndraws = 300\n'


@dataclass
class Machines:
    study: Path
    reports: Path
    clock_ahead: ClockAhead

    @contextmanager
    def run(self, minutes: float) -> Iterator[subprocess.Popen[str]]:
        """`poolwise run` on a machine whose clock is so many minutes ahead."""
        with self.process(minutes, "-m", "flows.cli", "run", str(self.study), "--out", str(self.reports)) as process:
            yield process

    def process(self, minutes: float, *arguments: str) -> subprocess.Popen[str]:
        environment = {**os.environ, **self.clock_ahead(minutes)}
        command = [sys.executable, *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)

    def ran(self, minutes: float) -> str:
        with self.run(minutes) as process:
            said, _ = process.communicate(timeout=240)
        assert process.returncode == 0, said
        return said

    def summaries(self) -> list[dict[str, Any]]:
        """Of all runs, as they sort by their ids."""
        return [json.loads(path.read_text("utf-8")) for path in sorted(self.reports.glob("study/2*/summary.json"))]

    def states(self) -> list[tuple[str, int]]:
        return [(row.state, row.attempts) for row in Ledger(self.reports).rows()]


@pytest.fixture
def machines(
    clock_ahead: ClockAhead, postgres: int, prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Machines:
    monkeypatch.setenv("POOLWISE_DATABASE_URL", new_database(postgres))
    (tmp_path / "study").mkdir()
    write_rows(tmp_path / "study" / "a.csv", 240)
    (tmp_path / "study" / "study.toml").write_text(STUDY)
    return Machines(tmp_path / "study", tmp_path / "reports", clock_ahead)


def test_a_report_of_a_slow_clock_comes_after_the_earlier_one_of_a_fast_clock(machines: Machines) -> None:
    machines.ran(AHEAD)
    write_rows(machines.study / "b.csv", 120)
    machines.ran(BEHIND)
    first, second = machines.summaries()
    assert (first["run"]["n_rows"], second["run"]["n_rows"]) == (240, 360)
    assert second["changes"]["previous"]["id"] == first["run"]["id"]
    assert first["run"]["started_at"] <= second["run"]["started_at"]
    assert (machines.reports / "study" / "latest").resolve().name == second["run"]["id"]
    assert machines.states() == [("counted", 1), ("counted", 1)]
    assert "Nothing has changed since" in machines.ran(AHEAD)
    assert "Nothing has changed since" in machines.ran(BEHIND)
    made = datetime.fromisoformat(first["run"]["started_at"]) - datetime.now(UTC)
    assert made > timedelta(0), "the first machine's clock was right"


def test_two_at_once_publish_one_report(machines: Machines) -> None:
    with machines.run(AHEAD) as one, machines.run(BEHIND) as other:
        said = [process.communicate(timeout=240)[0] for process in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0), said
    assert len(machines.summaries()) == 1
    assert [state for state, _ in machines.states()] == ["counted"]
    assert sum("Nothing has changed since" in each for each in said) == 1


# Says, over three lengths of a lease, whether the study of that name is held by a living process or left by a dead one.
WATCHED = """
import sys, time
from pathlib import Path
from tasks.reports.run_lock import dead_run, is_running

reports, ends = Path(sys.argv[1]), time.monotonic() + 6.0
while time.monotonic() < ends:
    with dead_run(reports, "visits") as dead:
        print("dead" if dead else "living" if is_running(reports, "visits") else "free", flush=True)
    time.sleep(0.1)
"""
HELD = """
import sys, time
from pathlib import Path
from tasks.reports import leases
from tasks.reports.run_lock import only_run

leases.LEASE_SECONDS = 2.0
with only_run(Path(sys.argv[1]), "visits") as hold:
    hold.note("run 1", "flow 1")
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize(("holder", "other"), [(BEHIND, AHEAD), (AHEAD, BEHIND)])
def test_a_living_lease_is_not_stolen_and_a_dead_one_is_found(
    machines: Machines, monkeypatch: pytest.MonkeyPatch, holder: float, other: float
) -> None:
    with machines.process(holder, "-c", HELD, str(machines.reports)) as held:
        assert held.stdout is not None
        assert held.stdout.readline() == "held\n"
        with machines.process(other, "-c", WATCHED, str(machines.reports)) as watching:
            said = set(watching.communicate(timeout=120)[0].split())
        held.send_signal(signal.SIGKILL)
    assert said == {"living"}
    monkeypatch.setattr(leases, "SECONDS_BETWEEN_TRIES", 0.05)
    with only_run(machines.reports, "visits", 60.0) as hold:  # raises if it takes longer
        assert hold.left_behind is not None
        assert hold.left_behind.run_id == "run 1"
