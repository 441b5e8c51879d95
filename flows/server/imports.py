"""Imports without a search for garbage: what they make stays, and Prefect's server makes a million objects."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Collect nothing inside of this block, nor ever what it made. A fifth of the time of Prefect's imports."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
