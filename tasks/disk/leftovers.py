"""Registers how to undo what must not outlive a run that is cut short: files, folders, child processes.

A run that ends in order undoes its own things, each where it was made. A run that has to end at once, while it is busy
elsewhere, has `undo_all` called from another thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count

_UNDO: dict[int, Callable[[], object]] = {}
_KEYS = count()
_UNDOING = threading.Lock()


@contextmanager
def undone_if_cut_short(undo: Callable[[], object]) -> Iterator[None]:
    """`undo` is called if the process has to end inside of this block, or soon after an interrupt inside of it.

    It may be called from any thread, and a second time.
    """
    key = next(_KEYS)
    _UNDO[key] = undo
    try:
        yield
    except Exception:
        _UNDO.pop(key, None)
        raise
    _UNDO.pop(key, None)


def undo_at_the_end(undo: Callable[[], object]) -> None:
    """Register `undo` for something that lasts as long as the process."""
    _UNDO[next(_KEYS)] = undo


def undo_all() -> None:
    """Undo everything, newest first; an undo that fails does not stop the others.

    Where another thread does so already, waits until it has: whoever returns first ends the process.
    """
    with _UNDOING:
        while _UNDO:
            _, undo = _UNDO.popitem()
            with suppress(Exception):
                undo()
