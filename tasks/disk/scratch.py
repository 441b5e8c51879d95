"""Temporary folders that are gone after use, also when the process is told to end."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from tasks.disk.leftovers import undone_if_cut_short


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder that only its owner can read."""
    folder = Path(tempfile.gettempdir(), f"poolwise-{secrets.token_hex(8)}")
    with undone_if_cut_short(lambda: _remove(folder)):  # before it is made: the signal may come in between
        try:
            folder.mkdir(mode=0o700)
            yield folder
        finally:
            _remove(folder)


def _remove(folder: Path) -> None:
    """Remove the folder: once more where another thread removes it too, or a dying process still writes."""
    for _ in range(20):
        rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.05)
