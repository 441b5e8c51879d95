"""Defaults for Prefect that have to stand before it is imported.

Nothing is sent over the network: no telemetry. Prefect's own messages go to a log file, the terminal is
Poolwise's. A variable that the user has set is left alone.
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

from tasks.stats.plain_text import visible

HOME = "PREFECT_HOME"
DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "60",
}


class OneEntry(logging.Formatter):
    """An entry begins at the margin and its further lines do not, so that no text can look like another entry."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n    ".join(visible(line) for line in super().format(record).split("\n"))


def set_defaults() -> None:
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if HOME not in os.environ and not _has_prefect_home():
        os.environ[HOME] = tempfile.mkdtemp(prefix="poolwise-")
        atexit.register(shutil.rmtree, os.environ[HOME], ignore_errors=True)


def _has_prefect_home() -> bool:
    """Whether Prefect can keep its files where it does; there are accounts without a home folder."""
    try:
        home = Path.home() / ".prefect"
        home.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: the system knows no home folder
        return False
    return os.access(home, os.W_OK)


def survive_any_encoding() -> None:
    """What the terminal's encoding lacks is spelled, too."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def log_file() -> Path:
    """Where Prefect's messages go; the folder follows the XDG convention."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "poolwise" / "poolwise.log"


def keep_log() -> Path | None:
    """Send Prefect's messages to the log file; None where it cannot be written, which is no reason to stop."""
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
