"""Starts runs for new files: compares the studies' folders with the ledger.

That is done when the system reports a change, and every half second anyway, so that a missed notification loses
nothing. It is cheap: a file is hashed once and then recognised by its stamp. Object stores and databases report no
change; they are asked every `trigger.poll_seconds`, aside, so that a slow one holds up nobody. A study that is running
is left alone; what arrived meanwhile makes one more run afterwards, so a hundred files at once make one or two runs.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path

from watchfiles import watch

from flows.serve.troubles import one_line
from tasks.opening.origin import under_its_name
from tasks.opening.studies import OpenedStudy, read_study
from tasks.reports.holding import RunningRun
from tasks.reports.ledger import Arrival, Ledger
from tasks.reports.run_lock import dead_run, is_running
from tasks.rows.file_stamps import FileStamp, is_settled, stamp_of
from tasks.rows.sources.of_study import source_elsewhere
from tasks.rows.sources.source import Source
from tasks.rows.study_files import file_name, hash_file, source_files
from tasks.study.errors import PoolwiseError

SECONDS_BETWEEN_LOOKS = 0.5
# A run that was asked for and has not begun after this time is asked for again.
REQUEST_SECONDS = 30.0

log = logging.getLogger("poolwise")

Request = Callable[[OpenedStudy, Sequence[Arrival]], None]
Heal = Callable[[Ledger, RunningRun, OpenedStudy], None]
# Called with a subject, and the reason why it cannot run; an empty reason when it can.
Report = Callable[[Path | str, str], None]
PREFECT = "Prefect"


class Poll:
    """Asks a source for its parts now and then, in a thread."""

    def __init__(self) -> None:
        self._known: dict[str, str] | None = None
        self._going_on: Future[dict[str, str]] | None = None
        self._asked_at = float("-inf")

    def parts(self, source: Source, seconds: float) -> dict[str, str] | None:
        """What was there when the source answered last, None before; it is asked again every `seconds`.

        Raises, once, what asking it raised.
        """
        if self._going_on is None and time.monotonic() - self._asked_at >= seconds:
            self._going_on, self._asked_at = _aside(source.parts), time.monotonic()
        if self._going_on is not None and self._going_on.done():
            answer, self._going_on = self._going_on, None
            self._known = answer.result()
        return self._known


def _aside(question: Callable[[], dict[str, str]]) -> Future[dict[str, str]]:
    """The answer to come, from a thread that holds up nobody, not even the end of this process.

    It is asked in this thread's context, which says which Prefect server is ours.
    """
    answer: Future[dict[str, str]] = Future()

    def ask() -> None:
        try:
            answer.set_result(question())
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=copy_context().run, args=(ask,), name="poolwise-poll", daemon=True).start()
    return answer


@dataclass
class Watched:
    """One study under watch, and what is remembered about its files between looks."""

    folder: Path
    known: dict[Path, tuple[FileStamp, str]] = field(default_factory=dict)
    unchanged_since: dict[Path, tuple[FileStamp, float]] = field(default_factory=dict)
    asked_for: frozenset[str] = frozenset()
    asked_at: float = float("-inf")
    elsewhere: Poll = field(default_factory=Poll)

    def settled_files(self, opened: OpenedStudy) -> dict[str, str] | None:
        """Contents by name: sha256 of files that have not changed for stable_seconds, ids of objects and partitions.

        None until these were listed for the first time. Raises PoolwiseError where they could not be.
        """
        digests = {path: self._digest(path, opened.study.trigger.stable_seconds) for path in source_files(opened)}
        files = {file_name(path, Path()): digest for path, digest in digests.items() if digest}
        source = source_elsewhere(opened)
        if source is None:
            return files
        parts = self.elsewhere.parts(source, opened.study.trigger.poll_seconds)
        return None if parts is None else parts | files

    def _digest(self, path: Path, stable_seconds: float) -> str:
        """The file's sha256; empty while it is being written, and when it is gone or cannot be opened."""
        stamp = stamp_of(path)
        if stamp is None or not is_settled(stamp, stable_seconds, self._watched_seconds(path, stamp)):
            return ""
        if self.known.get(path, (None, ""))[0] != stamp:
            try:
                digest = hash_file(path)
            except (OSError, PoolwiseError):
                return ""  # gone, or not to be opened: it says nothing about the other files
            if stamp_of(path) != stamp:
                return ""
            self.known[path] = (stamp, digest)
        return self.known[path][1]

    def _watched_seconds(self, path: Path, stamp: FileStamp) -> float:
        """For how long the file has been seen with this stamp."""
        if self.unchanged_since.get(path, (None, 0.0))[0] != stamp:
            self.unchanged_since[path] = (stamp, time.monotonic())
        return time.monotonic() - self.unchanged_since[path][1]

    def was_asked(self, waiting: Sequence[Arrival]) -> bool:
        """Whether a run for these files was asked for less than REQUEST_SECONDS ago and has not begun yet."""
        not_begun = self.asked_for.intersection(each.sha256 for each in waiting)
        return bool(not_begun) and time.monotonic() - self.asked_at < REQUEST_SECONDS


class Intake:
    """Compares folders with the ledger and asks for runs; `request`, `heal` and `once` talk to Prefect.

    `once` is called at every look until it succeeds. `report` is called with a subject (a study's folder, or "Prefect")
    and what keeps it from running; with an empty reason when it is in order.
    """

    def __init__(
        self,
        reports: Path,
        folders: Sequence[Path],
        request: Request,
        heal: Heal,
        once: Callable[[], None] | None = None,
        report: Report = lambda subject, reason: None,
    ) -> None:
        self.reports = reports
        self.ledger = Ledger(reports)
        self._studies = [Watched(folder) for folder in folders]
        self._request, self._heal, self._once = request, heal, once
        self._report = report
        self._logged: dict[str, str] = {}
        self._unanswered: dict[str, str] = {}

    def look(self) -> None:
        """Compare every study once. Trouble with one study, or with Prefect, is met again at the next look."""
        if self._once and self._asked("preparing Prefect", self._once):
            self._once = None
        for watched in self._studies:
            try:
                self._look_at(watched)
            except (PoolwiseError, OSError) as error:
                self._log(f"looking at {watched.folder}", str(error))

    def _look_at(self, watched: Watched) -> None:
        """Clean up after a dead run, then ask for a run if files wait and none goes on. Raises PoolwiseError."""
        try:
            opened = under_its_name(read_study(watched.folder), self.reports)
        except (PoolwiseError, OSError) as error:
            self._report(watched.folder, str(error))
            return
        self._report(watched.folder, "")
        with dead_run(self.reports, opened.study.name) as dead:
            if dead:
                log.warning("the run %s of %s died; its files wait again", dead.run_id, opened.study.name)
                if not self._asked(
                    f"ending the dead run of {opened.study.name}", self._heal, self.ledger, dead, opened
                ):
                    raise NotYet("It is tried again.")
        files = watched.settled_files(opened)
        if files is None:
            return
        waiting = self.ledger.arrivals(opened.study.name, files)
        if not waiting or is_running(self.reports, opened.study.name) or watched.was_asked(waiting):
            return
        if self._asked(f"asking for a run of {opened.study.name}", self._request, opened, waiting):
            watched.asked_for, watched.asked_at = frozenset(each.sha256 for each in waiting), time.monotonic()

    def _asked(self, doing: str, question: Callable[..., None], *about: object) -> bool:
        """Ask Prefect something, `question(*about)`; returns whether it answered. If not, `report` is called."""
        try:
            question(*about)
        except NotYet as error:
            self._log(doing, str(error))
            return False
        except Exception as error:
            self._unanswered[doing] = f"no answer to {doing}, which is tried again: {type(error).__name__}: {error}"
            self._log(doing, self._unanswered[doing])
        else:
            self._unanswered.pop(doing, None)
        self._report(PREFECT, next(iter(self._unanswered.values()), ""))
        return doing not in self._unanswered

    def _log(self, doing: str, trouble: str) -> None:
        """Log trouble once, however often it is met in a row."""
        if self._logged.get(doing) != trouble:
            self._logged[doing] = trouble
            log.warning("%s: %s", doing, one_line(trouble))

    def keep_looking(self, stop: threading.Event) -> None:
        """Look again and again until `stop` is set."""
        self.look()
        for _ in _moments([folder for watched in self._studies for folder in _seen(watched.folder)], stop):
            self.look()


class NotYet(PoolwiseError):
    """Prefect answers but does not know the study yet; the runner, which registers it, says why."""


def _moments(folders: Sequence[Path], stop: threading.Event) -> Iterator[object]:
    """Yield whenever it is time to look: at changes, where the system reports them, and every SECONDS_BETWEEN_LOOKS."""
    try:
        yield from watch(
            *folders,
            stop_event=stop,
            rust_timeout=int(SECONDS_BETWEEN_LOOKS * 1000),
            yield_on_timeout=True,
            raise_interrupt=False,
            debounce=200,
        )
    except OSError as error:
        log.warning("changes are not reported (%s); looking every %s s", error, SECONDS_BETWEEN_LOOKS)
    while not stop.wait(SECONDS_BETWEEN_LOOKS):
        yield None


def _seen(folder: Path) -> list[Path]:
    """The folders of a study that can be watched; none of a study that cannot be read."""
    try:
        return [path for path in incoming_folders(folder) if os.access(path, os.R_OK | os.X_OK)]
    except (PoolwiseError, OSError):
        return []


def incoming_folders(folder: Path) -> list[Path]:
    """The study's folder and its incoming folder, which is made if it is missing. Raises StudyError."""
    incoming = folder / read_study(folder).study.trigger.watch
    incoming.mkdir(parents=True, exist_ok=True)
    return [folder, incoming]
