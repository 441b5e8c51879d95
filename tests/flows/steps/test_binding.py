"""Steps are timed, tell what they found, and try again only where that may help."""

from __future__ import annotations

import errno
from types import SimpleNamespace
from typing import Any, cast

import pytest

from flows.steps import passing
from flows.steps.binding import RunLog, logged, of_this_run, run_log, step
from flows.steps.in_prefect import failed_in_passing
from flows.steps.passing import may_pass
from tasks.study.errors import DataRejected, PoolwiseError


def state_of(error: BaseException) -> Any:
    return SimpleNamespace(result=lambda raise_on_failure: error)


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (OSError(errno.ESTALE, "a network disk went away"), True),
        (TimeoutError("no answer"), True),
        (caused(PoolwiseError("Cannot publish the report."), OSError(errno.EIO, "input/output error")), True),
        (FileNotFoundError("rows.csv"), False),
        (PermissionError("rows.csv"), False),
        (caused(PoolwiseError("Cannot publish the report."), PermissionError("reports")), False),
        (DataRejected("Too many rows were rejected.", ()), False),
        (ValueError("a program's mistake"), False),
    ],
)
def test_only_trouble_that_may_pass_is_tried_again(error: Exception, passes: bool) -> None:
    assert may_pass(error) is passes
    assert failed_in_passing(cast(Any, None), cast(Any, None), state_of(error)) is passes


def test_only_steps_that_touch_a_disk_are_tried_again() -> None:
    assert step(len, "count").task.retries == 0
    on_disk = step(len, "count", disk=True)
    assert on_disk.task.retries == 2
    assert on_disk.task.retry_condition_fn is failed_in_passing


@pytest.mark.parametrize(("disk", "n_failures", "is_done"), [(True, 2, True), (True, 3, False), (False, 1, False)])
def test_without_prefect_too(monkeypatch: pytest.MonkeyPatch, disk: bool, n_failures: int, is_done: bool) -> None:
    monkeypatch.setattr(passing, "DELAYS", (0.0, 0.0))
    errors = [OSError(errno.ESTALE, "a network disk went away")] * n_failures

    def unlucky() -> str:
        if errors:
            raise errors.pop()
        return "done"

    with logged(RunLog(is_flow_run=False)):
        if is_done:
            assert step(unlucky, "try", disk=disk)() == "done"
        else:
            with pytest.raises(OSError, match="went away"):
                step(unlucky, "try", disk=disk).submit().result()


class Heard:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def began(self, step: str) -> None:
        self.told.append(("began", step))

    def advanced(self, step: str, share: float) -> None:
        raise AssertionError("this step says nothing on its way")

    def ended(self, step: str, seconds: float, found: str) -> None:
        self.told.append((step, found))


def test_a_step_says_what_it_found_and_is_timed() -> None:
    heard = Heard()
    with logged(RunLog(heard)) as log:
        counted = step(len, "count", lambda n: f"{n} things").task.fn([1, 2, 3])
    assert counted == 3
    assert heard.told == [("began", "count"), ("count", "3 things")]
    assert set(log.seconds()) == {"count", "total"}


def test_a_step_that_fails_is_timed_and_tells_nothing() -> None:
    heard = Heard()
    with logged(RunLog(heard)) as log, pytest.raises(TypeError):
        step(len, "count").task.fn(3)
    assert heard.told == [("began", "count")]
    assert "count" in log.timings


def test_steps_of_one_name_share_an_entry() -> None:
    log = RunLog()
    for _ in range(2):
        with log.timed("read"):
            pass
    assert list(log.timings) == ["read"]


def test_outside_a_run_nobody_listens() -> None:
    assert run_log() is not run_log()


def test_a_run_has_one_log_even_if_nobody_opened_it() -> None:
    with of_this_run() as log:
        assert run_log() is log
    with logged(RunLog()) as opened, of_this_run() as log:
        assert log is opened
