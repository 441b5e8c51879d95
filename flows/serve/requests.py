"""What intake asks of Prefect: a run of a study, and an automation that marks dead runs as crashed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from prefect import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.deployments import run_deployment
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound

from flows.serve.intake import REQUEST_SECONDS, NotYet
from flows.steps.events import say_arrived
from tasks.opening.studies import OpenedStudy
from tasks.reports.ledger import Arrival

FLOW = "pooling-report"
DEAD_RUNS = "poolwise: runs without a heartbeat have crashed"
SILENCE = timedelta(seconds=90)


def request_run(opened: OpenedStudy, waiting: Sequence[Arrival]) -> None:
    """Ask for one run that will count everything waiting, unless one is due already.

    Raises NotYet when Prefect does not know the study, and an error of Prefect's when it does not answer.
    """
    name = opened.study.name
    if _is_due(name):
        return
    try:
        run_deployment(
            name=f"{FLOW}/{name}",
            idempotency_key=_key(name, waiting),
            timeout=0,
            as_subflow=False,
        )
    except ObjectNotFound as error:
        raise NotYet(f"Prefect does not know the study {name} yet.") from error
    say_arrived(name, waiting)


def _is_due(name: str) -> bool:
    """Whether a run of the study waits in Prefect, for a worker or for another run of the study to end."""
    with get_client(sync_client=True) as client:
        return bool(
            client.read_flow_runs(
                flow_filter=FlowFilter(name=FlowFilterName(any_=[FLOW])),
                deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[name])),
                flow_run_filter=FlowRunFilter(
                    state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
                    expected_start_time=FlowRunFilterExpectedStartTime.model_validate({"before_": datetime.now(UTC)}),
                ),
                limit=1,
            )
        )


def _key(name: str, waiting: Sequence[Arrival]) -> str:
    """Equal for the same files within REQUEST_SECONDS, so that two askers start one run."""
    contents = "".join(sorted(f"{each.sha256}{each.attempts}" for each in waiting))
    period = int(time.time() // REQUEST_SECONDS)
    return f"{name}:{hashlib.sha256(contents.encode()).hexdigest()}:{period}"


def crash_silent_runs() -> None:
    """Create the automation that marks runs whose heartbeat stopped as crashed, unless the server has it."""
    automation = AutomationCore(
        name=DEAD_RUNS,
        description="A run's process that dies tells nobody; its heartbeats stop.",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.*"},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=SILENCE,
        ),
        actions=[
            ChangeFlowRunState(state=StateType.CRASHED, name="Crashed", message="Its heartbeats stopped.", force=False)
        ],
    )
    with get_client(sync_client=True) as client:
        if not client.read_automations_by_name(DEAD_RUNS):
            client.create_automation(automation)
