"""What intake asks of a Prefect server, which is a real one."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from prefect import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.states import Completed, Scheduled

from flows.cli.__main__ import command
from flows.serve.requests import request_run
from tasks.opening.studies import read_study
from tasks.reports.ledger import Arrival


def waiting(digest: str) -> list[Arrival]:
    return [Arrival("asked_for", digest, f"{digest}.csv", "waiting", None, 0, "2026-01-01", None, "")]


@pytest.fixture
def deployment(prefect_server: None, tmp_path: Path) -> UUID:
    """Of a study in a pool that has no workers."""
    with get_client(sync_client=True) as client, suppress(ObjectAlreadyExists):
        client.create_work_pool(WorkPoolCreate(name="without-workers", type="process"))
    with get_client(sync_client=True) as client, suppress(ObjectNotFound):
        client.delete_deployment(client.read_deployment_by_name("pooling-report/asked_for").id)
    (tmp_path / "asked_for").mkdir()
    (tmp_path / "asked_for" / "study.toml").write_text('title = "T"\noutcome = "y"\ngroup = "g"\n')
    asked = ["deploy", str(tmp_path / "asked_for"), "--pool", "without-workers", "--out", str(tmp_path / "reports")]
    assert command(asked) == 0
    with get_client(sync_client=True) as client:
        return client.read_deployment_by_name("pooling-report/asked_for").id


def test_one_run_waits_however_often_it_is_asked_for(deployment: UUID, tmp_path: Path) -> None:
    opened = read_study(tmp_path / "asked_for")
    for digest in ("a", "b", "c"):
        request_run(opened, waiting(digest))
    (run,) = runs_of(deployment)
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run, Completed(), force=True)
    request_run(opened, waiting("d"))
    assert len(runs_of(deployment)) == 2


def test_a_run_of_the_schedule_that_is_not_due_yet_is_not_waited_for(deployment: UUID, tmp_path: Path) -> None:

    with get_client(sync_client=True) as client:
        client.create_flow_run_from_deployment(
            deployment, state=Scheduled(scheduled_time=datetime.now(UTC) + timedelta(days=1))
        )
    request_run(read_study(tmp_path / "asked_for"), waiting("e"))
    assert len(runs_of(deployment)) == 2


def runs_of(deployment: UUID) -> list[UUID]:
    mine = DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
    with get_client(sync_client=True) as client:
        return [run.id for run in client.read_flow_runs(deployment_filter=mine)]
