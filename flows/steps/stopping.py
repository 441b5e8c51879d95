"""Ends a run within 2 seconds of a signal, whatever it is doing, and leaves nothing behind.

Python raises a signal as an exception in the main thread, between two of its instructions. That does not reach a run
inside a long native call, or one that waits for threads in such a call, and code that catches everything may lose it.
So a second thread hears of the signal from the system at once, gives the run IN_ORDER_SECONDS to end in order, then
undoes what is under way and ends the process.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.disk.leftovers import undo_all

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
IN_ORDER_SECONDS, AT_ONCE_SECONDS = 0.7, 1.1

_requested, _raised, _said = threading.Event(), threading.Event(), threading.Event()
_saying = threading.Lock()
_listening = False
_publishing: list[Path] = []


class Interrupted(BaseException):
    """Raised in the main thread by SIGINT, SIGTERM or SIGHUP."""


def is_requested() -> bool:
    """Whether a signal has asked this process to end."""
    return _requested.is_set()


def will_publish(folder: Path) -> None:
    """Remember the run folder to be published: whether it exists decides what `say` says."""
    _publishing[:] = [folder]


def say() -> None:
    """Print one line on the terminal, the first time it is called.

    Writes to the descriptor, as the console's lock may be held; clears the moving line and shows the cursor again.
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
    """Inside of this block, SIGINT, SIGTERM and SIGHUP raise Interrupted once, and end the process soon."""
    if not _can_listen():
        yield
        return
    hook, sys.unraisablehook = sys.unraisablehook, _say_unless_a_signal
    before = {sign: signal.getsignal(sign) for sign in SIGNALS}
    for sign, handler in before.items():
        if handler is not signal.SIG_IGN:  # as nohup wants
            signal.signal(sign, _interrupt)
    with listening():
        yield
    if not is_requested():
        sys.unraisablehook = hook
        for sign, handler in before.items():
            signal.signal(sign, handler)


@contextmanager
def listening() -> Iterator[None]:
    """Inside of this block, these signals end the process soon, whatever handlers Prefect installs."""
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
    """Stop listening, for a command that handles signals itself."""
    signal.set_wakeup_fd(-1)


def end_now(exit_code: int = 1) -> None:
    """Print the line unless it was printed, undo what is under way, and end the process.

    It ends after AT_ONCE_SECONDS at the latest, even if undoing hangs.
    """
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
    """Raise Interrupted at the first signal; ignore further ones, which would disturb the tidying up."""
    _requested.set()
    if not _raised.is_set():
        _raised.set()
        raise Interrupted


def _say_unless_a_signal(lost: sys.UnraisableHookArgs) -> None:
    """Print what was raised where nothing can catch it, such as a finaliser, unless it is a signal: `_watch` hears it.

    Signals are raised as exceptions that are no `Exception`, by Prefect's handlers too.
    """
    if issubclass(lost.exc_type, Exception):
        sys.__unraisablehook__(lost)


def _watch(reader: int) -> None:
    """Wait for a signal in the pipe, then end the process. Returns when the other end of the pipe is closed."""
    while told := os.read(reader, 64):
        if set(told) & set(SIGNALS):
            _requested.set()
            threading.Event().wait(IN_ORDER_SECONDS)
            end_now()
    os.close(reader)
