"""For all tests: properties are tried on new examples at a desk, and on the same ones in CI; runs that many read."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import tasks as tasks  # before numpy: one BLAS thread, as in a run; two of each test process would wait for each other
from tests.parts.clocks import clock_ahead as clock_ahead
from tests.parts.dask_cluster import dask_cluster as dask_cluster
from tests.parts.object_store import object_store as object_store
from tests.parts.postgres import postgres as postgres
from tests.shelf import Shelf

# However slow the machine is just now.
settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("desk"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as in a shell's background, where what is started ignores it too
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Names that are not UTF-8 are logged by some tests; a report with one could not be sent to the first process."""
    return encodable((yield))


def encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {key: encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(encodable(item) for item in value)
    return value


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Published runs, each made when first asked for; shared with the other processes of this test run."""
    own = tmp_path_factory.getbasetemp()
    return Shelf((own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shelf")
