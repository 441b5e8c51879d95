"""Calls that do not need one another, side by side where that is faster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

R = TypeVar("R")
Start = Callable[..., "Future[Any]"]

AT_ONCE = 2  # as each holds memory of its own
# With fewer groups, NumPy's calls are so short that threads wait for Python's lock rather than work.
FEWEST_GROUPS = 1000


@contextmanager
def side_by_side(n_groups: int) -> Iterator[Start]:
    """Inside of the block, `start(function, *arguments)` begins a call, in threads where there are many groups.

    Where there are not, the call is made at once. At the block's end all have ended.
    """
    if n_groups < FEWEST_GROUPS:
        yield _made
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield pool.submit


def _made(function: Callable[..., R], *arguments: Any) -> Future[R]:
    made: Future[R] = Future()
    made.set_result(function(*arguments))
    return made
