"""Tests wait for events. Patience only ends what hangs: no machine is so busy that a test runs out of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 300.0

T = TypeVar("T")


def until(holds: Callable[[], T]) -> T:
    """What holds at last; fails when patience has run out before."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while not (found := holds()):
        assert time.monotonic() < ends, f"it did not hold within {PATIENCE_SECONDS:.0f} s"
        time.sleep(0.1)
    return found
