"""The way in and out of the command line: signals, errors in words, exit codes. `commands` has the commands.

Exit codes: 0 report published, 2 bad usage or study file, 3 data rejected, 4 sampling failed, 1 anything else.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from pathlib import Path

from flows.cli.commands import app
from flows.server.quiet import keep_log, set_defaults, survive_any_encoding
from flows.steps import stopping
from tasks.disk.atomic import refusal
from tasks.study.errors import PoolwiseError


def main() -> None:
    exit_code = with_all_written(command(sys.argv[1:]))
    if stopping.is_requested():
        stopping.end_now(exit_code)
    sys.exit(exit_code)


def with_all_written(exit_code: int) -> int:
    """The exit code once standard output is written; 1 if it cannot be, which is told unless something else was.

    What stays in the buffer of a full disk would be tried again when Python ends, and make the exit code 120.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _silence_output()
    except (OSError, ValueError) as error:
        _silence_output()
        if not exit_code:
            reason = refusal(error) if isinstance(error, OSError) else f"{error}."
            return _stopped(f"What was found could not be written: {reason}", 1)
    return exit_code


def _silence_output() -> None:
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def command(arguments: list[str]) -> int:
    """Run one command and return its exit code. Every error is told as one paragraph, never as a traceback."""
    survive_any_encoding()
    with stopping.stoppable():
        try:
            return _exit_code(arguments)
        except BaseException:
            if not stopping.is_requested():
                raise
            stopping.say()
            return 1


def _exit_code(arguments: list[str]) -> int:
    """Run the command. An error that nobody foresaw is a mistake of ours: its traceback goes to the log."""
    try:
        _require_a_place()
        set_defaults()
        app(arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except PoolwiseError as problem:
        return _stopped(str(problem), problem.exit_code)
    except Exception as error:
        if stopping.is_requested():
            raise
        if isinstance(error, OSError):
            _kept_in_log(error)
            return _stopped(f"The system refused{f' {error.filename}' if error.filename else ''}: {refusal(error)}", 1)
        kept = _kept_in_log(error)
        where = f" The details are in {kept}." if kept else ""
        return _stopped(f"Something unexpected went wrong: {type(error).__name__}: {error}.{where}", 1)
    return 0


def _require_a_place() -> None:
    """Raises PoolwiseError when the working directory is gone."""
    try:
        os.getcwd()
    except FileNotFoundError:
        raise PoolwiseError("The folder you are in was deleted. Change to another one and run again.") from None


def _kept_in_log(error: Exception) -> Path | None:
    """Write the traceback to the log; returns the log's path, or None if it cannot be written."""
    kept = keep_log()
    logging.getLogger("poolwise").error("unexpected error", exc_info=error)
    return kept


def _stopped(message: str, exit_code: int) -> int:
    """Show the problem on the terminal; returns the exit code."""
    from flows.cli.console import show_problem

    show_problem(message)
    return exit_code


if __name__ == "__main__":
    main()
