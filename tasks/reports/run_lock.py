"""One run of a study at a time, and runs whose process died found out.

Who holds the lock writes down which run it is. The system drops the lock when the process ends, however
it ends; a note without a holder is therefore a dead run's.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from tasks.disk.atomic import explained
from tasks.disk.layout import folder_of, running_note
from tasks.disk.leftovers import undone_if_cut_short
from tasks.disk.locks import try_lock
from tasks.study.errors import PoolwiseError


@dataclass(frozen=True)
class RunningRun:
    """`flow_run_id` is Prefect's; empty when the run was not Prefect's."""

    run_id: str
    flow_run_id: str
    pid: int


class Hold:
    """A held study. `left_behind` is the run that died holding it before, if one did."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.left_behind = _read(file)

    def note(self, run_id: str, flow_run_id: str) -> None:
        """Write down which run holds the study, for others to find if this process dies."""
        self._file.truncate(0)
        self._file.write(json.dumps(asdict(RunningRun(run_id, flow_run_id, os.getpid()))))
        self._file.flush()


@contextmanager
def only_run(reports: Path, study_name: str, patience_seconds: float = 3600.0) -> Iterator[Hold]:
    """Wait until no other process runs the study, then hold it.

    Raises PoolwiseError when that takes longer than `patience_seconds`.
    """
    folder = folder_of(reports, study_name)
    with explained("keep runs apart", folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = running_note(folder).open("a+", encoding="utf-8")
    with file:
        _wait_for_lock(file, study_name, patience_seconds)
        with undone_if_cut_short(lambda: file.truncate(0)):
            try:
                yield Hold(file)
            finally:
                file.truncate(0)


def _note(reports: Path, study_name: str) -> Path:
    """Where the run that holds the study is noted."""
    return running_note(folder_of(reports, study_name))


def is_noted(reports: Path, study_name: str) -> bool:
    """Whether a run goes on, or died and has not been cleaned up after."""
    try:
        return _note(reports, study_name).stat().st_size > 0
    except OSError:
        return False


def is_running(reports: Path, study_name: str) -> bool:
    """Whether a living process holds the study."""
    with _opened(_note(reports, study_name)) as file:
        return file is not None and not _try_lock(file)


@contextmanager
def dead_run(reports: Path, study_name: str) -> Iterator[RunningRun | None]:
    """The run that died holding the study, or None. Its note is cleared when the block ends without an error."""
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
