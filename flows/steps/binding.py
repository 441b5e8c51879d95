"""Makes steps of plain functions: timed, tried again where that may help, their progress told to a listener.

In a flow run of Prefect's they are its tasks; elsewhere they are called, and Prefect is never imported.
A run's log travels in a context variable, which Prefect copies into its tasks' threads: several runs may share a
process.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, ParamSpec, Protocol, TypeVar

from flows.steps.passing import tried_again

if TYPE_CHECKING:
    from prefect import Task

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Listener(Protocol):
    """Hears of the progress of a run, from any thread."""

    def began(self, step: str) -> None: ...

    def advanced(self, step: str, share: float) -> None: ...

    def ended(self, step: str, seconds: float, found: str) -> None: ...


class Silence:
    """A listener that does nothing, for runs without a terminal."""

    def began(self, step: str) -> None:
        pass

    def advanced(self, step: str, share: float) -> None:
        pass

    def ended(self, step: str, seconds: float, found: str) -> None:
        pass


@dataclass
class RunLog:
    """A run's seconds per step since `started` (a `time.perf_counter` value), and who is listening."""

    listener: Listener = field(default_factory=Silence)
    started: float = field(default_factory=time.perf_counter)
    is_flow_run: bool = True  # whether the run is a flow run of Prefect's, and its steps are tasks
    one_of_many: bool = False  # whether it is one study of a portfolio
    timings: dict[str, float] = field(default_factory=dict)

    def began_running(self) -> None:
        """Book the time until now as "start": imports, mostly."""
        self.timings["start"] = time.perf_counter() - self.started
        self.listener.ended("start", self.timings["start"], "")

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the seconds spent inside to the step's: steps of one name, such as a retry, share an entry."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.timings[step] = self.timings.get(step, 0.0) + time.perf_counter() - started

    def seconds(self) -> dict[str, float]:
        """Seconds per step, and in total so far. Steps run side by side, so they may add up to more than the total."""
        return {**self.timings, "total": time.perf_counter() - self.started}


_LOG: ContextVar[RunLog | None] = ContextVar("poolwise_run_log", default=None)


def run_log() -> RunLog:
    """The log of the run that this thread works for; outside of a run, a new one."""
    return _LOG.get() or RunLog()


@contextmanager
def logged(log: RunLog) -> Iterator[RunLog]:
    """Inside of the block, `run_log` returns this log."""
    token = _LOG.set(log)
    try:
        yield log
    finally:
        _LOG.reset(token)


@contextmanager
def of_this_run() -> Iterator[RunLog]:
    """Inside of the block, the log that somebody has opened for this run, else a new one."""
    with logged(run_log()) as log:
        yield log


class Result(Protocol[R_co]):
    def result(self) -> R_co:
        """Wait for it, and return it or raise what it raised."""
        ...


class Step(Generic[P, R]):
    """A function that is a task of Prefect's in a flow run, and called plainly elsewhere.

    With `disk`, it is tried again twice after an error that may pass.
    """

    def __init__(self, run: Callable[P, R], name: str, disk: bool) -> None:
        self._run, self._name, self._disk = run, name, disk

    @functools.cached_property
    def task(self) -> Task[P, R]:
        from flows.steps.in_prefect import task_of

        return task_of(self._run, self._name, self._disk)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if run_log().is_flow_run:
            return self.task(*args, **kwargs)
        return tried_again(lambda: self._run(*args, **kwargs)) if self._disk else self._run(*args, **kwargs)

    def submit(self, *args: P.args, **kwargs: P.kwargs) -> Result[R]:
        """Begin it in a thread: in a flow run, of Prefect's."""
        if run_log().is_flow_run:
            return self.task.submit(*args, **kwargs)
        thread = ThreadPoolExecutor(1)
        begun = thread.submit(copy_context().run, lambda: self(*args, **kwargs))
        thread.shutdown(wait=False)
        return begun


def step(
    function: Callable[P, R], name: str, found: Callable[[R], str] = lambda result: "", disk: bool = False
) -> Step[P, R]:
    """A step that calls the function, named `name`. `found` puts its result in a few words; for `disk`, see `Step`."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        log, started = run_log(), time.perf_counter()
        log.listener.began(name)
        with log.timed(name):
            result = function(*args, **kwargs)
        log.listener.ended(name, time.perf_counter() - started, found(result))
        return result

    return Step(run, name, disk)
