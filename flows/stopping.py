"""Told to stop, a run ends within 2 seconds, whatever it is doing, and leaves nothing behind.

Python hands a signal to the main thread, between two of its steps, as an exception. That does not reach a
run inside a long native call, or one that waits for threads that are; and whoever catches everything may
lose it. So a second thread hears of the signal as soon as the system does, gives the run a moment to end
in order, and then undoes what is under way and ends the process.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.leftovers import undo_all

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
IN_ORDER_SECONDS, AT_ONCE_SECONDS = 0.7, 1.1

_requested, _raised, _said = threading.Event(), threading.Event(), threading.Event()
_saying = threading.Lock()
_listening = False
_publishing: list[Path] = []


class Interrupted(BaseException):
    """A person or the system wants this process to end."""


def is_requested() -> bool:
    return _requested.is_set()


def will_publish(folder: Path) -> None:
    """What is said at the end depends on whether this folder has appeared."""
    _publishing[:] = [folder]


def say() -> None:
    """One line on the terminal, once, whoever comes first.

    It goes past the console, whose lock may be held; a moving line and a hidden cursor are put right.
    """
    with _saying:
        if _said.is_set():
            return
        _said.set()
        stopped, clear = ("\x1b[1;31mStopped.\x1b[0m", "\r\x1b[2K\x1b[?25h") if os.isatty(2) else ("Stopped.", "")
        os.write(2, f"{clear}{stopped} {_what_became_of_it()}\n".encode(errors="backslashreplace"))


def _what_became_of_it() -> str:
    done = [folder for folder in _publishing if folder.is_dir()]
    return f"Interrupted after the report was published: {done[0]}" if done else "Interrupted; nothing was published."


@contextmanager
def stoppable() -> Iterator[None]:
    """Inside of this block, SIGINT, SIGTERM and SIGHUP raise Interrupted, once, and end the process soon."""
    if not _can_listen():
        yield
        return
    before = {sign: signal.getsignal(sign) for sign in SIGNALS}
    for sign, handler in before.items():
        if handler is not signal.SIG_IGN:  # as nohup wants
            signal.signal(sign, _interrupt)
    with listening():
        yield
    if not is_requested():
        for sign, handler in before.items():
            signal.signal(sign, handler)


@contextmanager
def listening() -> Iterator[None]:
    """Inside of this block, signals end the process soon, whatever their handlers do: Prefect has its own."""
    global _listening
    if not _can_listen():
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    _listening = True
    threading.Thread(target=_watch, args=(reader,), daemon=True, name="poolwise-stop").start()
    try:
        yield
    finally:
        _listening = False
        if not is_requested():
            signal.set_wakeup_fd(before)
            os.close(writer)


def leave_signals_alone() -> None:
    """For a command that ends in its own way."""
    signal.set_wakeup_fd(-1)


def end_now(exit_code: int = 1) -> None:
    """Say so unless it was said, undo what is under way, and end the process; nothing can hold it up."""
    last = threading.Timer(AT_ONCE_SECONDS, os._exit, [exit_code])
    last.daemon = True
    last.start()
    say()
    undo_all()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


def _can_listen() -> bool:
    return not _listening and threading.current_thread() is threading.main_thread()


def _interrupt(*_: object) -> None:
    """Only once: a second signal would disturb the tidying up, and the end is near anyway."""
    _requested.set()
    if not _raised.is_set():
        _raised.set()
        raise Interrupted


def _watch(reader: int) -> None:
    """Ends when the other end of the pipe is closed, or this process with it."""
    while told := os.read(reader, 64):
        if set(told) & set(SIGNALS):
            _requested.set()
            threading.Event().wait(IN_ORDER_SECONDS)
            end_now()
    os.close(reader)
