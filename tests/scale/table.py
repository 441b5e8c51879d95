"""One table: what was measured, its figure, a ratio, the target; and whether the target is met."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def clocked(function: Callable[[], T]) -> tuple[float, T]:
    """Seconds of wall clock, and the result."""
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result


def head() -> None:
    print(f"{'what':64}{'figure':>18}{'ratio':>9}  target")


def line(what: str, figure: str, ratio: float | None = None, target: str = "") -> None:
    shown = "" if ratio is None else f"{ratio:.2f}"
    print(f"{what:64}{figure:>18}{shown:>9}  {target}", flush=True)
