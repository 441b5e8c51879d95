"""Starts and ends a server for tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

LONGEST_START = 120.0


def free_ports(n: int) -> list[int]:
    """Distinct ports of loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def running(command: Sequence[str], is_up: Callable[[], bool], folder: Path, user: str | None = None) -> Iterator[None]:
    """The server that `command` starts, up when the block begins and ended with it; its words go to a file."""
    with (folder / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            command, cwd=folder, stdout=said, stderr=said, stdin=subprocess.DEVNULL, start_new_session=True, user=user
        )
    try:
        ends = time.monotonic() + LONGEST_START
        while not is_up():
            if process.poll() is not None or time.monotonic() > ends:
                pytest.fail(f"{command[0]} did not start: {(folder / 'said.txt').read_text()[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)  # whatever it still holds goes with its folder
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def folder_for(user: str | None) -> Iterator[Path]:
    """A folder that this user of the system may use, wherever tests keep theirs."""
    folder = Path(tempfile.mkdtemp(prefix="poolwise-test-"))
    try:
        if user:
            shutil.chown(folder, user)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
