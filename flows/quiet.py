"""Defaults for Prefect that have to stand before it is imported.

Nothing is sent over the network: no telemetry. Prefect's own messages go to a log file, the terminal is
Poolwise's. A variable that the user has set is left alone.
"""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path

DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "60",
}


def set_defaults() -> None:
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)


def log_file() -> Path:
    """Where Prefect's messages go; the folder follows the XDG convention."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "poolwise" / "poolwise.log"


def keep_log() -> Path | None:
    """Send Prefect's messages to the log file; None where it cannot be written, which is no reason to stop."""
    path = log_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=2_000_000, backupCount=3, encoding="utf-8")
    except OSError:
        return None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in ("prefect", "poolwise"):
        logging.getLogger(name).addHandler(handler)
    return path
