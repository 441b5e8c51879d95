"""`poolwise serve --no-runner` watches and serves; a worker of a pool runs what it asks for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prefect import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId

from flows.cli.__main__ import command
from flows.server.processes import free_port
from tasks.reports.ledger import Ledger
from tests.stopping import write_rows
from tests.waiting import until

STUDY = 'title = "T"\noutcome = "y"\ngroup = "g"\npredictors = ["x"]\n[trigger]\nstable_seconds = 0.3\n'
POOL = "elsewhere"


@contextmanager
def going_on(*arguments: str, folder: Path) -> Iterator[None]:
    """A process and all that it starts, ended with the block."""
    with (folder / f"{Path(arguments[0]).name}.txt").open("wb") as said:
        process = subprocess.Popen(arguments, stdout=said, stderr=said, cwd=folder, start_new_session=True)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@pytest.fixture
def study(prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PREFECT_WORKER_QUERY_SECONDS", "1")
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    folder = tmp_path / "of_a_pool"
    (folder / "incoming").mkdir(parents=True)
    (folder / "study.toml").write_text(STUDY)
    assert command(["deploy", str(folder), "--pool", POOL, "--out", str(tmp_path / "reports")]) == 0
    return folder


def test_a_worker_runs_what_intake_asks_for_and_again_what_was_killed(study: Path, tmp_path: Path) -> None:
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name("pooling-report/of_a_pool")
    assert deployment.global_concurrency_limit is not None
    assert deployment.global_concurrency_limit.limit == 1
    reports, programs = tmp_path / "reports", Path(sys.executable).parent
    serve = [sys.executable, "-m", "flows.cli", "serve", str(study), "--out", str(reports), "--no-runner"]

    def states() -> list[str]:
        return [row.state for row in Ledger(reports).rows()]

    def ended() -> list[str]:
        with get_client(sync_client=True) as client:
            mine = DeploymentFilter(id=DeploymentFilterId(any_=[deployment.id]))
            return sorted(str(run.state_type.value) for run in client.read_flow_runs(deployment_filter=mine))

    with (
        going_on(str(programs / "prefect"), "worker", "start", "--pool", POOL, folder=tmp_path),
        going_on(*serve, "--port", str(free_port(8765)), folder=tmp_path),
    ):
        write_rows(study / "incoming" / "first.csv", 240)
        until(lambda: states() == ["taken"])
        note = json.loads((reports / "of_a_pool" / ".running").read_text())
        os.kill(note["pid"], signal.SIGKILL)
        until(lambda: states() == ["counted"])
        write_rows(study / "incoming" / "second.csv", 120)
        until(lambda: states() == ["counted", "counted"])
        until(lambda: ended() == ["COMPLETED", "COMPLETED", "CRASHED"])
    runs = sorted(reports.glob("of_a_pool/2*/summary.json"))
    assert [json.loads(run.read_text("utf-8"))["run"]["n_rows"] for run in runs] == [240, 360]


def test_without_a_server_that_has_workers_it_says_that_nobody_would_run_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    (tmp_path / "study.toml").write_text(STUDY)
    asked = [sys.executable, "-m", "flows.cli", "serve", str(tmp_path), "--out", str(tmp_path / "r"), "--no-runner"]
    environment = {**os.environ, "PREFECT_HOME": str(tmp_path / "home")}
    told = subprocess.run(asked, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert told.returncode == 1
    assert "nobody runs the studies" in told.stderr
