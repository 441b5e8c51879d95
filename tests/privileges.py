"""Root may read and write everything; these tests want a system that refuses."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

CAPABILITY_VERSION_3 = 0x20080522
MAY_IGNORE_PERMISSIONS = 0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


@contextmanager
def held_to_permissions() -> Iterator[None]:
    """Root's rights over others' files are off meanwhile, in this thread and those it starts. Linux."""
    if os.geteuid() != 0:
        yield
        return
    if sys.platform != "linux":
        pytest.skip("root is refused nothing here")
    before = _capabilities()
    _set_capabilities([before[0] & ~MAY_IGNORE_PERMISSIONS, *before[1:]])
    try:
        yield
    finally:
        _set_capabilities(before)


def _capabilities() -> list[int]:
    """Effective, permitted and inheritable sets, twice 32 bits."""
    header, data = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capget(header, data) != 0:
        pytest.skip("this system tells no capabilities")
    return list(data)


def _set_capabilities(wanted: list[int]) -> None:
    header, data = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)(*wanted)
    if ctypes.CDLL(None, use_errno=True).capset(header, data) != 0:
        pytest.skip("this system changes no capabilities")
