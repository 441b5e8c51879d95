"""Child processes: Prefect's servers, and the runner of deployments.

They end when this process ends, however it ends. This module imports nothing of Prefect, so that a server can start
while Prefect is being imported here.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from tasks.study.errors import PoolwiseError
from tasks.view.words.text import clean

STARTUP_SECONDS, SHUTDOWN_SECONDS = 90.0, 15.0
# Starts and ends longer ago than this are forgotten.
MEMORY_SECONDS = 120.0
AGAIN_AND_AGAIN = 3
KEPT_LINES, LINE_BYTES = 6, 400
PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """A process that can be restarted when it has ended, after pauses that double; keeps the last lines it wrote."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    clock: Callable[[], float] = time.monotonic
    process: subprocess.Popen[bytes] | None = None
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    _started_at: list[float] = field(default_factory=list)
    _ended_at: list[float] = field(default_factory=list)
    _said: tuple[object, ...] = ()
    _reader: threading.Thread | None = None

    def start(self) -> None:
        self._started_at.append(self.clock())
        self.last_lines.clear()
        self.process = subprocess.Popen(
            self.command,
            env=dict(self.environment),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=_keep, args=(self.process.stdout, self.last_lines), daemon=True)
        self._reader.start()

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def keep_alive(self) -> str:
        """Restart the process if it has ended; returns a sentence about its end if that is news, else an empty text."""
        if self.is_alive:
            return ""
        now, news = self.clock(), ""
        self._started_at = [moment for moment in self._started_at if now - moment < MEMORY_SECONDS]
        if self.process is not None:
            news = self._note_end(self.process.returncode, now)
        if not self._started_at or now - self._started_at[-1] > 2.0 ** len(self._started_at):
            self.start()
        return news

    def _note_end(self, code: int, now: float) -> str:
        """A sentence about this end; empty if the same was said before.

        It is said once more when the process has ended AGAIN_AND_AGAIN times.
        """
        self.process = None
        self._ended_at = [*(moment for moment in self._ended_at if now - moment < MEMORY_SECONDS), now]
        n = len(self._ended_at)
        lines = self.last_words()
        saying = (code, re.sub(r"[0-9a-f]*\d[0-9a-f]*", "", lines), n >= AGAIN_AND_AGAIN)
        if n > 1 and saying == self._said:
            return ""
        self._said = saying
        often = f" {n} times in {now - self._ended_at[0]:.0f} s" if n > 1 else ""
        return f"{_capital(self.name)} ended ({_status(code)}){often} and is started again{lines}"

    def last_words(self) -> str:
        """The last lines it wrote, as the end of a sentence."""
        if self._reader:
            self._reader.join(1.0)  # not for ever: its own children may hold the pipe open
        lines = " | ".join(line for line in self.last_lines if line)
        return f". Its last lines: {lines}" if lines else ", without a word."

    def stop(self, patience: float = SHUTDOWN_SECONDS) -> None:
        """Send SIGTERM to the process and all that it started, and SIGKILL after `patience` seconds."""
        if self.process is None:
            return
        for sign, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        self.process = None


def _keep(pipe: IO[bytes], lines: deque[str]) -> None:
    """Read the pipe to its end, so that the process never waits for a full one; keep the last lines."""
    with pipe:
        for line in iter(lambda: pipe.readline(LINE_BYTES), b""):
            lines.append(clean(line.decode("utf-8", "replace")))


def _status(code: int) -> str:
    return f"exit {code}" if code >= 0 else f"killed by signal {-code}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _end_with_parent() -> None:
    """Linux: have the system send SIGTERM to this process when its parent ends, even by SIGKILL."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def supervise(
    children: Sequence[Child], stop: threading.Event, say: Callable[[str], None], listen: Callable[[], None]
) -> None:
    """Until `stop` is set, once a second: call `listen`, restart children that have ended, and `say` what is new."""
    while not stop.wait(1.0):
        listen()
        for child in children:
            if (news := child.keep_alive()) and not stop.is_set():
                say(news)


def free_port(wanted: int = 0) -> int:
    """`wanted` if nobody listens there, else any free port. Raises PoolwiseError if there is none."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise PoolwiseError("No free port was found on 127.0.0.1 for Prefect's server.")


def wait_until_up(api_url: str, should_wait: Callable[[], bool], last_words: Callable[[], str]) -> None:
    """Return when the server answers.

    Raises PoolwiseError after STARTUP_SECONDS, or as soon as `should_wait` returns False; `last_words` ends its
    message.
    """
    ends = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < ends and should_wait():
        if _answers(f"{api_url}/health"):
            return
        time.sleep(0.05)
    raise PoolwiseError(
        f"Prefect's server did not come up at {api_url} within {STARTUP_SECONDS:.0f} seconds. A busy machine may need "
        f"another try; a server that others run can be named by PREFECT_API_URL{last_words()}"
    )


def _answers(address: str) -> bool:
    """Whether there is an answer with status 200."""
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
