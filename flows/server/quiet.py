"""Defaults for Prefect that have to be set before it is imported.

No telemetry is sent. Prefect's messages go to a log file, not to the terminal. Variables that the user has set stay.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import sys
import tempfile
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from tasks.study.plain_text import visible

HOME = "PREFECT_HOME"
DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "60",
}


class OneEntry(logging.Formatter):
    """Indents an entry's further lines and spells control characters, so that no text can look like another entry."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n    ".join(visible(line) for line in super().format(record).split("\n"))


def set_defaults() -> None:
    """Set the variables; an account without a home folder gets a temporary one for Prefect, removed at exit."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if HOME not in os.environ and not _has_prefect_home():
        os.environ[HOME] = tempfile.mkdtemp(prefix="poolwise-")
        atexit.register(shutil.rmtree, os.environ[HOME], ignore_errors=True)


def _has_prefect_home() -> bool:
    """Whether ~/.prefect exists or can be made, and can be written."""
    try:
        home = Path.home() / ".prefect"
        home.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: the system knows no home folder
        return False
    return os.access(home, os.W_OK)


def survive_any_encoding() -> None:
    """Have characters that the terminal's encoding lacks printed as escapes, rather than raise an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def log_file() -> Path:
    """The path of Prefect's log, by the XDG convention. Raises RuntimeError if there is no home folder."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "poolwise" / "poolwise.log"


def keep_log() -> Path | None:
    """Send Prefect's messages to the log file; returns its path, or None if it cannot be written."""
    try:
        path = log_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=2_000_000, backupCount=3, encoding="utf-8")
    except (OSError, RuntimeError):  # RuntimeError: the system knows no home folder
        return None
    handler.setFormatter(OneEntry("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in ("prefect", "poolwise"):
        logging.getLogger(name).addHandler(handler)
    return path
