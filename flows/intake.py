"""New files start runs: the folders and the ledger are compared, whatever was or was not noticed.

A look is cheap: a file is hashed once and then known by its size and time. Looks happen when the system
reports a change, and every few seconds anyway, so that what notifications miss is found. A study whose
run goes on is left alone until it has ended; what arrived meanwhile then makes one more run, so a
hundred files at once make one or two.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from watchfiles import watch

from tasks.ledger import Arrival, Ledger
from tasks.load import file_name, hash_file, source_files
from tasks.origin import under_its_name
from tasks.run_lock import RunningRun, dead_run, is_running
from tasks.stats.errors import PoolwiseError
from tasks.studies import OpenedStudy, read_study

SECONDS_BETWEEN_LOOKS = 0.5
# A run that was asked for takes the study within this time, or it is asked for again.
REQUEST_SECONDS = 30.0

log = logging.getLogger("poolwise")

Request = Callable[[OpenedStudy, Sequence[Arrival]], None]
Heal = Callable[[Ledger, RunningRun, OpenedStudy], None]
FileStamp = tuple[int, int]  # size, modification time in ns


@dataclass
class Watched:
    """One study under watch; `known` saves hashing a file again that has not changed."""

    folder: Path
    known: dict[Path, tuple[FileStamp, str]] = field(default_factory=dict)
    unchanged_since: dict[Path, tuple[FileStamp, float]] = field(default_factory=dict)
    asked_for: frozenset[str] = frozenset()
    asked_at: float = float("-inf")

    def settled_files(self, opened: OpenedStudy) -> dict[str, str]:
        """sha256 by path of the files that are complete: not changed for the study's stable_seconds."""
        digests = {path: self._digest(path, opened.study.trigger.stable_seconds) for path in source_files(opened)}
        return {file_name(path, Path()): digest for path, digest in digests.items() if digest}

    def _digest(self, path: Path, stable_seconds: float) -> str:
        """Empty while the file is being written, or when it is gone."""
        try:
            stamp = _stamp(path)
            if not self._is_settled(path, stamp, stable_seconds):
                return ""
            if self.known.get(path, (None, ""))[0] != stamp:
                digest = hash_file(path)
                if _stamp(path) != stamp:
                    return ""
                self.known[path] = (stamp, digest)
        except (OSError, PoolwiseError):
            return ""  # gone, or not to be opened: it says nothing about the other files
        return self.known[path][1]

    def _is_settled(self, path: Path, stamp: FileStamp, stable_seconds: float) -> bool:
        """By its own time, or, where that lies in the future, by how long we have seen it unchanged."""
        if self.unchanged_since.get(path, (None, 0.0))[0] != stamp:
            self.unchanged_since[path] = (stamp, time.monotonic())
        age = time.time() - stamp[1] / 1e9
        return max(age, time.monotonic() - self.unchanged_since[path][1]) >= stable_seconds

    def was_asked(self, waiting: Sequence[Arrival]) -> bool:
        """Whether the run that was asked for may still be about to begin."""
        not_begun = self.asked_for.intersection(each.sha256 for each in waiting)
        return bool(not_begun) and time.monotonic() - self.asked_at < REQUEST_SECONDS


def _stamp(path: Path) -> FileStamp:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


class Intake:
    """Compares folders with the ledger and asks for runs; `request`, `heal` and `once` talk to Prefect.

    `once` is tried at every look until it has succeeded.
    """

    def __init__(
        self,
        reports: Path,
        folders: Sequence[Path],
        request: Request,
        heal: Heal,
        once: Callable[[], None] | None = None,
    ) -> None:
        self.reports = reports
        self.ledger = Ledger(reports)
        self._studies = [Watched(folder) for folder in folders]
        self._request, self._heal, self._once = request, heal, once

    def look(self) -> None:
        """One comparison of every study. Trouble with one study, or with Prefect, waits for the next look."""
        if self._once and _succeeds("preparing Prefect", self._once):
            self._once = None
        for watched in self._studies:
            _succeeds(f"looking at {watched.folder}", lambda: self._look_at(watched))  # noqa: B023

    def _look_at(self, watched: Watched) -> None:
        opened = under_its_name(read_study(watched.folder), self.reports)
        name = opened.study.name
        with dead_run(self.reports, name) as dead:
            if dead:
                log.warning("the run %s of %s died; its files wait again", dead.run_id, name)
                self._heal(self.ledger, dead, opened)
        waiting = self.ledger.arrivals(name, watched.settled_files(opened))
        if not waiting or is_running(self.reports, name) or watched.was_asked(waiting):
            return
        self._request(opened, waiting)
        watched.asked_for, watched.asked_at = frozenset(each.sha256 for each in waiting), time.monotonic()

    def keep_looking(self, stop: threading.Event) -> None:
        """Until `stop` is set. Folders are made where they are missing, so that files can be dropped."""
        folders = [folder for watched in self._studies for folder in incoming_folders(watched.folder)]
        self.look()
        for _ in watch(
            *folders,
            stop_event=stop,
            rust_timeout=int(SECONDS_BETWEEN_LOOKS * 1000),
            yield_on_timeout=True,
            raise_interrupt=False,
            debounce=200,
        ):
            self.look()


def _succeeds(doing: str, function: Callable[[], None]) -> bool:
    """Whether it went well; trouble is logged and no reason to stop looking."""
    try:
        function()
    except PoolwiseError as error:
        log.warning("%s: %s", doing, error)
    except Exception as error:
        log.warning("%s failed and will be tried again: %s: %s", doing, type(error).__name__, error)
    else:
        return True
    return False


def incoming_folders(folder: Path) -> list[Path]:
    """The study's own folder, and its incoming folder, made if need be."""
    incoming = folder / read_study(folder).study.trigger.watch
    incoming.mkdir(parents=True, exist_ok=True)
    return [folder, incoming]
