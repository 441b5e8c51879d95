"""A study as a Prefect deployment: its schedule, and the event by which others may ask for a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from prefect import get_client
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions
from prefect.deployments.runner import DeploymentApplyError, RunnerDeployment
from prefect.events import DeploymentEventTrigger
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.flows import EntrypointType
from prefect.schedules import Cron, Interval, RRule
from prefect.schedules import Schedule as PrefectSchedule
from prefect.settings import PREFECT_API_URL

from flows.report import pooling_report
from flows.serve.requests import crash_silent_runs
from flows.steps.events import RUN_REQUESTED, study_resource
from tasks.engines.engines import EngineName
from tasks.opening.origin import under_its_name
from tasks.opening.reports_folder import place_of_reports
from tasks.opening.studies import OpenedStudy, read_study
from tasks.opening.studies_elsewhere import reference_of
from tasks.study.errors import PoolwiseError
from tasks.study.settings import Schedule
from tasks.view.words.text import markdown


def deployment_of(opened: OpenedStudy, reports: Path, engine: EngineName = "auto") -> RunnerDeployment:
    """The deployment of a study, with its schedule and the event that starts it.

    Each run reads the study file anew, so only a changed schedule, name or title needs a new deployment.
    """
    opened = under_its_name(opened, reports)
    study = opened.study
    schedule: dict[str, Any] = {"schedule": prefect_schedule(study.schedule)} if study.schedule else {}
    deployment = pooling_report.to_deployment(
        name=study.name,
        description=markdown(study.title),
        tags=["poolwise", study.name],
        parameters={"study": reference_of(opened.folder), "reports": place_of_reports(reports), "engine": engine},
        triggers=[run_on_request(study.name)],
        entrypoint_type=EntrypointType.MODULE_PATH,
        **schedule,
    )
    assert isinstance(deployment, RunnerDeployment)  # a coroutine only inside an event loop
    return deployment


def one_at_a_time(deployment: RunnerDeployment) -> RunnerDeployment:
    """A run that comes while another of its study goes on waits in Prefect, where it takes no worker's place."""
    waits = ConcurrencyOptions(collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)
    return deployment.model_copy(update={"concurrency_limit": 1, "concurrency_options": waits})


def prefect_schedule(schedule: Schedule) -> PrefectSchedule:
    """The study's schedule as Prefect's; exactly one of its three kinds is given."""
    if schedule.cron:
        return Cron(schedule.cron, timezone=schedule.timezone)
    if schedule.rrule:
        return RRule(schedule.rrule, timezone=schedule.timezone)
    return Interval(timedelta(minutes=schedule.interval_minutes or 0), timezone=schedule.timezone)


def run_on_request(study_name: str) -> DeploymentEventTrigger:
    """A trigger that starts a run when anyone emits this event for the study's resource, such as a webhook."""
    return DeploymentEventTrigger(
        name=f"poolwise-run-{study_name}",
        expect={RUN_REQUESTED},
        match={"prefect.resource.id": study_resource(study_name)},
    )


def register(
    folders: Sequence[Path], pool: str, reports: Path, engine: EngineName, failed: Callable[[Path, str], None]
) -> list[str]:
    """Register the studies for the workers of `pool`; returns the deployments' names.

    Calls `failed` with the folder and the reason for each study that cannot be registered. Raises PoolwiseError when no
    server is configured or there is no such pool.
    """
    if not PREFECT_API_URL.value():
        raise PoolwiseError(
            "No Prefect server is configured, so there is nowhere to register deployments. Set PREFECT_API_URL, or use "
            "`poolwise serve`, which brings a server of its own."
        )
    _require_pool(pool)
    registered = []
    for folder in folders:
        try:
            deployment = one_at_a_time(deployment_of(read_study(folder), reports, engine))
            deployment.apply(work_pool_name=pool)
        except (PoolwiseError, OSError) as error:
            failed(folder, str(error))
        except (DeploymentApplyError, PrefectHTTPStatusError, ValueError) as error:
            failed(folder, f"Prefect does not take it: {error}")
        else:
            registered.append(f"{deployment.flow_name}/{deployment.name}")
    crash_silent_runs()
    return registered


def _require_pool(pool: str) -> None:
    """Raises PoolwiseError when Prefect has no work pool of this name."""
    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(pool)
        except ObjectNotFound as error:
            raise PoolwiseError(
                f"The work pool {pool!r} cannot take the deployments: there is none of that name. Make it with "
                f"`prefect work-pool create {pool} --type process`."
            ) from error
