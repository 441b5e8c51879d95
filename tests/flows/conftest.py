"""One Prefect server for all flow tests; starting one takes seconds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.server.quiet import set_defaults

set_defaults()
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120), pytest.MonkeyPatch.context() as patch:
        from prefect.settings import PREFECT_API_URL

        patch.setenv("PREFECT_API_URL", str(PREFECT_API_URL.value()))
        yield


@pytest.fixture(scope="session")
def bounce_rates() -> Path:
    return REPOSITORY / "data" / "bounce_rates"


@pytest.fixture(scope="session")
def sleepstudy() -> Path:
    return REPOSITORY / "data" / "sleepstudy"
