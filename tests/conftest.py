"""For all tests: properties are tried on new examples at a desk, and on the same ones in CI; runs that many read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.shelf import Shelf

settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Published runs, each made when first asked for."""
    return Shelf(Path(tmp_path_factory.mktemp("shelf")))
