"""Trouble with a disk that may pass, and trying again: in flow runs by Prefect, elsewhere here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

R = TypeVar("R")

DELAYS = (1, 5)  # seconds before the second and the third try
LASTING = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


def may_pass(error: BaseException) -> bool:
    """Whether another try may help: yes for an unreachable network disk, no for a missing or forbidden file."""
    causes = (error, error.__cause__)
    return any(isinstance(cause, OSError) and not isinstance(cause, LASTING) for cause in causes)


def tried_again(call: Callable[[], R]) -> R:
    """What the call returns, at the third try at the latest. Raises what cannot pass, or did not."""
    for delay in DELAYS:
        try:
            return call()
        except Exception as error:
            if not may_pass(error):
                raise
            time.sleep(delay)
    return call()
