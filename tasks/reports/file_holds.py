"""Holding a study on one machine: a lock on a file, in which its holder writes down which run it is.

The system drops the lock when the process ends, however it ends; a note without a holder is therefore a dead run's.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

from tasks.disk.atomic import explained
from tasks.disk.layout import folder_of, running_note
from tasks.disk.leftovers import undone_if_cut_short
from tasks.disk.locks import try_lock
from tasks.reports.holding import RunningRun
from tasks.study.errors import PoolwiseError


class FileHold:
    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.left_behind = _read(file)

    def note(self, run_id: str, flow_run_id: str) -> None:
        self._file.truncate(0)
        self._file.write(json.dumps(asdict(RunningRun(run_id, flow_run_id, os.getpid()))))
        self._file.flush()

    def require(self) -> None:
        """It is held until this process ends."""


@contextmanager
def only_run(reports: Path, study_name: str, patience_seconds: float) -> Iterator[FileHold]:
    folder = folder_of(reports, study_name)
    with explained("keep runs apart", folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = running_note(folder).open("a+", encoding="utf-8")
    with file:
        _wait_for_lock(file, study_name, patience_seconds)
        with undone_if_cut_short(lambda: file.truncate(0)):
            try:
                yield FileHold(file)
            finally:
                file.truncate(0)


def _note(reports: Path, study_name: str) -> Path:
    """Where the run that holds the study is noted."""
    return running_note(folder_of(reports, study_name))


def is_noted(reports: Path, study_name: str) -> bool:
    try:
        return _note(reports, study_name).stat().st_size > 0
    except OSError:
        return False


def is_running(reports: Path, study_name: str) -> bool:
    with _opened(_note(reports, study_name)) as file:
        return file is not None and not _try_lock(file)


@contextmanager
def dead_run(reports: Path, study_name: str) -> Iterator[RunningRun | None]:
    with _opened(_note(reports, study_name)) as file:
        if file is None or not _try_lock(file):
            yield None
            return
        yield _read(file)
        file.truncate(0)


def _read(file: IO[str]) -> RunningRun | None:
    """The run noted in this file; None if there is none that can be read."""
    file.seek(0)
    try:
        return RunningRun(**json.loads(file.read()))
    except (ValueError, TypeError):
        return None


@contextmanager
def _opened(path: Path) -> Iterator[IO[str] | None]:
    """The file, or None if there is none; not made."""
    try:
        file = path.open("a+", encoding="utf-8")
    except FileNotFoundError:
        yield None
        return
    with file:
        yield file


def _wait_for_lock(file: IO[str], study_name: str, patience_seconds: float) -> None:
    """Return with the lock. Raises PoolwiseError when `patience_seconds` are over."""
    ends = time.monotonic() + patience_seconds
    while not _try_lock(file):
        if time.monotonic() > ends:
            raise PoolwiseError(
                f"Another run of {study_name} has been going on for {patience_seconds:.0f} seconds, and two at once "
                "could count the same rows twice. Wait for it to end, or stop it, then run again."
            )
        time.sleep(0.1)


def _try_lock(file: IO[str]) -> bool:
    """Whether the lock is ours now. Raises PoolwiseError where the disk knows no locks."""
    try:
        return try_lock(file)
    except OSError as error:
        raise PoolwiseError(
            f"{file.name} cannot be locked: {error.strerror}. Without locks two runs could count the same rows twice. "
            "Choose a folder on a disk of this machine with --out."
        ) from error
