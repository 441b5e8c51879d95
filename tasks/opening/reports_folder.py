"""Checks the reports folder that a person names, before anything is read or fitted."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from tasks.disk.atomic import ELSEWHERE, explained, refusal
from tasks.disk.user_text import require_utf8
from tasks.study.errors import StudyError
from tasks.study.plain_text import brief


def writable(reports: Path) -> Path:
    """The folder, made if it is missing. Raises StudyError if it can be no folder, PoolwiseError if it cannot be
    written.
    """
    readable(reports)
    with explained("write", reports):
        reports.mkdir(parents=True, exist_ok=True)
        probe = reports / f".probe-{secrets.token_hex(4)}"
        try:
            probe.write_bytes(b"?")
        finally:
            probe.unlink(missing_ok=True)
    return reports


def readable(reports: Path) -> Path:
    """The path, if it is a folder or can become one. Raises StudyError."""
    require_utf8(reports)
    try:
        found = next((path for path in (reports, *reports.parents) if os.path.lexists(path)), Path())
        if not found.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(found))
        os.stat(reports)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        reason = refusal(error, ELSEWHERE) if isinstance(error, OSError) else f"{error}."
        raise StudyError(f"{brief(str(reports), 200)} cannot be the reports folder: {reason}") from None
    return reports
