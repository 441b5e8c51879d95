"""What a run has under way that must not outlive it, and how each is undone when the run is cut short.

A run that ends in order undoes its own things, each where it was made. A run that has to end at once, while
it is busy elsewhere, calls `undo_all` from another thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count

_UNDO: dict[int, Callable[[], object]] = {}
_KEYS = count()


@contextmanager
def undone_if_cut_short(undo: Callable[[], object]) -> Iterator[None]:
    """`undo` is called when the process has to end inside of this block, or soon after an interrupt inside of it.

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
    """For what lasts as long as the process."""
    _UNDO[next(_KEYS)] = undo


def undo_all() -> None:
    """Undo everything, newest first; what cannot be undone stops nothing."""
    while True:
        try:
            _, undo = _UNDO.popitem()
        except KeyError:
            return
        with suppress(Exception):
            undo()
