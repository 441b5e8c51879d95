"""Processes that we start and end: Prefect's servers, and the runner of deployments.

However this process ends, those it started are told to end as well. Knows nothing of Prefect, so that a
server can be starting up while Prefect is still being imported here.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from tasks.stats.errors import PoolwiseError

STARTUP_SECONDS, SHUTDOWN_SECONDS = 90.0, 15.0
PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """A process; kept alive, restarts wait longer the more often it ends."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    output: IO[bytes] | int = subprocess.DEVNULL
    process: subprocess.Popen[bytes] | None = None
    started_at: list[float] = field(default_factory=list)

    def start(self) -> None:
        self.started_at.append(time.monotonic())
        self.process = subprocess.Popen(
            self.command,
            env=dict(self.environment),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.output,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def keep_alive(self) -> None:
        """Start again if it has ended: at once, but ever later when it keeps ending."""
        if self.is_alive:
            return
        now = time.monotonic()
        self.started_at = [moment for moment in self.started_at if now - moment < 120.0]
        if not self.started_at or now - self.started_at[-1] > 2.0 ** len(self.started_at):
            self.start()

    def stop(self, patience: float = SHUTDOWN_SECONDS) -> None:
        """Ask the process, and whatever it started, to end; then make them."""
        if self.process is None:
            return
        for sign, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        self.process = None


def _end_with_parent() -> None:
    """Linux: be told to end when the parent ends, even by SIGKILL."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def supervise(children: Sequence[Child], stop: threading.Event) -> None:
    """Keep the children alive until `stop` is set."""
    while not stop.wait(1.0):
        for child in children:
            child.keep_alive()


def free_port(wanted: int = 0) -> int:
    """`wanted` if nobody listens there, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise PoolwiseError("No free port was found on 127.0.0.1 for Prefect's server.")


def wait_until_up(api_url: str, should_wait: Callable[[], bool]) -> None:
    """Raises PoolwiseError when the server does not answer in time, or there is no more reason to wait."""
    ends = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < ends and should_wait():
        if _answers(f"{api_url}/health"):
            return
        time.sleep(0.05)
    raise PoolwiseError(
        f"Prefect's server did not come up at {api_url} within {STARTUP_SECONDS:.0f} seconds. A busy machine may need "
        "another try; a server that others run can be named by PREFECT_API_URL."
    )


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
