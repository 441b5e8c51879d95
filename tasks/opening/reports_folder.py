"""The reports folder that a person names: a folder, or an object store's address that a folder here mirrors.

It is checked before anything is read or fitted.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
from pathlib import Path

from tasks.disk.atomic import ELSEWHERE, explained, refusal, write_whole
from tasks.disk.layout import address_note
from tasks.disk.mirror import mirror_of
from tasks.disk.user_text import require_utf8
from tasks.study.addresses import REMOTE, is_remote, require_no_password
from tasks.study.errors import StudyError
from tasks.study.plain_text import brief

EXAMPLE = "s3://bucket/reports"


def folder_of_reports(where: str | Path) -> Path:
    """The folder that all reading and writing goes to: itself, or the mirror of an object store's address.

    Raises StudyError for an address that cannot be one, PoolwiseError if the mirror cannot be made.
    """
    if not is_remote(str(where)):
        return Path(where)
    address = _required(str(where))
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "poolwise"
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", address.partition("://")[2])[:60].strip("-.")
    folder = kept / f"{name}-{hashlib.sha256(address.encode()).hexdigest()[:12]}"
    with explained("keep what it reads and writes", folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if mirror_of(folder) is None:
            write_whole(address_note(folder), address)
    return folder


def place_of_reports(reports: Path) -> str:
    """What names the same reports on another machine: the store's address, or the folder's whole path."""
    mirror = mirror_of(reports)
    return mirror.address if mirror else str(reports.resolve())


def _required(address: str) -> str:
    """The address without a slash at the end. Raises StudyError if it can be no reports folder."""
    problem = ""
    found = REMOTE.fullmatch(address)
    if found is None or not found["rest"].strip("/") or found["scheme"].lower() == "file":
        problem = "it names no bucket"
    elif set(found["rest"]) & set("*?[]#"):
        problem = "it may hold none of *?[]#"
    else:
        try:
            require_no_password(address)
        except ValueError as secret:
            problem = str(secret)
    if problem:
        raise StudyError(
            f"That address cannot be where reports go: {problem}. Give a folder, or an address as in: --out {EXAMPLE}"
        )
    return address.rstrip("/")


def writable(where: str | Path) -> Path:
    """The folder, made if it is missing. Raises StudyError if it can be no folder, PoolwiseError if it cannot be
    written.
    """
    reports = _checked(folder_of_reports(where))
    if mirror := mirror_of(reports):
        mirror.probe()
    with explained("write", reports):
        reports.mkdir(parents=True, exist_ok=True)
        probe = reports / f".probe-{secrets.token_hex(4)}"
        try:
            probe.write_bytes(b"?")
        finally:
            probe.unlink(missing_ok=True)
    return reports


def readable(where: str | Path) -> Path:
    """The path, if it is a folder or can become one. Raises StudyError."""
    return _checked(folder_of_reports(where))


def _checked(reports: Path) -> Path:
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
