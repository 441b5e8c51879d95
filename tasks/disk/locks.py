"""Locks on open files and folders (flock): the system drops them when their process ends, however it ends.

Why not the library filelock: it locks files of its own. Of the locks here, two are on files that hold a note of who
has the lock, which the next holder reads, one is on a folder that is renamed while it is held, and the last is a line.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def try_lock(file: IO[str] | int) -> bool:
    """Lock an open file or folder, until it is closed; False if another process has the lock.

    Raises OSError where the disk knows no locks, as some network disks do.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait for the folder's lock and hold it. Raises OSError as `try_lock` does, or where there is no such folder."""
    with opened_folder(folder) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def opened_folder(folder: Path) -> Iterator[int]:
    """A descriptor of the folder, closed afterwards."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
