"""Tests wait for events. Patience only ends what hangs: no machine is so busy that a test runs out of it."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_SECONDS = 300.0


def until(holds: Callable[[], object]) -> None:
    """Wait until it holds; fails when patience has run out."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < ends, f"it did not hold within {PATIENCE_SECONDS:.0f} s"
        time.sleep(0.1)
