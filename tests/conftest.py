"""For all tests: properties are tried on new examples at a desk, and on the same ones in CI; runs that many read."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.shelf import Shelf

# However slow the machine is just now.
settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("desk"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Published runs, each made when first asked for; shared with the other processes of this test run."""
    own = tmp_path_factory.getbasetemp()
    return Shelf((own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shelf")
