"""Two processes that share a reports folder and a database, and no lock of the system's: each content counts once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tasks.reports.ledger import Ledger
from tests.parts.postgres import PASSWORD, new_database
from tests.stopping import write_rows
from tests.waiting import until

# As the program, with leases that run out sooner.
PROGRAM = (
    "import tasks.reports.leases as leases; leases.LEASE_SECONDS = 4.0; from flows.cli.__main__ import main; main()"
)


@dataclass
class Machines:
    study: Path
    reports: Path

    @contextmanager
    def run(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        """`poolwise run` on a machine of its own."""
        command = [sys.executable, "-c", PROGRAM, "run", str(self.study), "--out", str(self.reports), *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            yield process

    def published(self) -> list[Path]:
        return sorted(self.reports.glob("study/2*/summary.json"))

    def states(self) -> list[tuple[str, int]]:
        return [(row.state, row.attempts) for row in Ledger(self.reports).rows()]


@pytest.fixture
def machines(postgres: int, prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machines:
    monkeypatch.setenv("POOLWISE_DATABASE_URL", new_database(postgres))
    study = tmp_path / "study"
    study.mkdir()
    write_rows(study / "rows.csv", 240)
    (study / "study.toml").write_text('title = "T"\noutcome = "y"\ngroup = "g"\npredictors = ["x"]\n')
    return Machines(study, tmp_path / "reports")


def test_two_at_once_publish_one_report(machines: Machines) -> None:
    with machines.run() as one, machines.run() as other:
        said = [process.communicate(timeout=240)[0] for process in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0), said
    assert len(machines.published()) == 1
    assert [state for state, _ in machines.states()] == ["counted"]
    assert not (machines.reports / ".ledger.sqlite").exists()
    assert sum("Nothing has changed since" in each for each in said) == 1


def test_what_a_killed_one_had_taken_another_counts(machines: Machines) -> None:
    with (machines.study / "study.toml").open("a") as study:
        study.write("[sampler]\nwarmup = 20000\ndraws = 20000\n")
    with machines.run() as killed:
        until(lambda: machines.states() == [("taken", 1)])
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
    text = (machines.study / "study.toml").read_text()
    (machines.study / "study.toml").write_text(text.replace("20000", "500"))
    with machines.run() as other:
        said, _ = other.communicate(timeout=240)
    assert other.returncode == 0, said
    (report,) = machines.published()
    assert machines.states() == [("counted", 2)]
    assert json.loads(report.read_text("utf-8"))["run"]["n_rows"] == 240


def test_nothing_of_the_address_is_in_what_is_published(machines: Machines) -> None:
    with machines.run() as process:
        said, _ = process.communicate(timeout=240)
    assert process.returncode == 0, said
    as_in_an_address = quote(PASSWORD, safe="")
    assert as_in_an_address in os.environ["POOLWISE_DATABASE_URL"]
    files = [path for path in machines.reports.rglob("*") if path.is_file()]
    for secret in (PASSWORD, as_in_an_address):
        assert [str(path) for path in files if secret.encode() in path.read_bytes()] == []
        assert secret not in said
