"""What a flow run asks of Prefect, besides running it: tasks, its page, its state.

Imported by flow runs only: importing Prefect takes two seconds, and calling it without a server starts one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from prefect import Task, get_client
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, StateType, TaskRun
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Crashed
from prefect.utilities.urls import url_for

from flows.steps.passing import DELAYS, may_pass

P = ParamSpec("P")
R = TypeVar("R")


def task_of(run: Callable[P, R], name: str, disk: bool) -> Task[P, R]:
    """The function as a task that is never cached; with `disk`, tried again after an error that may pass."""
    retries: dict[str, Any] = {}
    if disk:
        retries = {
            "retries": len(DELAYS),
            "retry_delay_seconds": list(DELAYS),
            "retry_condition_fn": failed_in_passing,
        }
    return Task(run, name=name, task_run_name=name, cache_policy=NO_CACHE, persist_result=False, **retries)


def failed_in_passing(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """`may_pass` of the error in which a task's run ended."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, BaseException) and may_pass(error)


def id_of_this_run() -> str:
    """Prefect's id of the flow run; empty outside of one."""
    return flow_run.get_id() or ""


def link_of_this_run() -> str:
    """The address of the run's page in Prefect; empty outside of a flow run."""
    context = FlowRunContext.get()
    return url_for(context.flow_run) or "" if context and context.flow_run else ""


def mark_crashed(flow_run_id: str, why: str) -> None:
    """Set the state of a run that Prefect still takes for running; others, and unknown ones, are left as they are."""
    with get_client(sync_client=True) as client:
        try:
            known = client.read_flow_run(UUID(flow_run_id))
        except (ObjectNotFound, ValueError):
            return  # another server's run, or one that has been deleted
        if known.state and known.state.type in (StateType.RUNNING, StateType.PENDING, StateType.CANCELLING):
            client.set_flow_run_state(known.id, Crashed(message=why), force=True)
