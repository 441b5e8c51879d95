"""The key to the Prefect server that `poolwise serve` starts: made once per account, readable by its owner only.

It is what Prefect calls an auth string, `user:password`. It is passed on in environments, which no other user can read,
never on command lines.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from flows.server.quiet import log_file
from tasks.disk.locks import alone_in
from tasks.study.errors import PoolwiseError

USER = "poolwise"
KEY = re.compile(r"poolwise:[A-Za-z0-9_-]{43}")
FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def new_key() -> str:
    """A new key of 256 random bits."""
    return f"{USER}:{secrets.token_urlsafe(32)}"


def key_file() -> Path:
    """Where the key is kept: beside the log."""
    return log_file().with_name("prefect.key")


def kept_key(path: Path) -> str:
    """The key in the file; a new one is made if there is none, or if others could read it.

    The file has mode 0600, its folder 0700. Raises PoolwiseError when file or folder belong to another user or cannot
    be written.
    """
    try:
        _own_folder(path.parent)
        with alone_in(path.parent):  # of several that start at once, one makes the key, the others read it
            return _read(path) or _make(path)
    except OSError as error:
        raise PoolwiseError(
            f"The key to Prefect's server cannot be kept in {path}: {error.strerror or error}. Make {path.parent} "
            "a folder of your own that can be written, or name another with XDG_STATE_HOME."
        ) from None


def _own_folder(folder: Path) -> None:
    """Make the folder and take it from others. Raises PoolwiseError when it belongs to another user."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    _refuse_strangers(folder, found)
    if found.st_mode & FOR_OTHERS:
        folder.chmod(0o700)


def _read(path: Path) -> str:
    """The key in the file; empty if there is none, it has another form, or others could read it. Follows no link."""
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return ""
    with os.fdopen(opened, encoding="ascii", errors="replace") as file:
        found = os.fstat(opened)
        _refuse_strangers(path, found)
        key = file.read(200).strip()
    is_secret = stat.S_ISREG(found.st_mode) and not found.st_mode & FOR_OTHERS
    return key if is_secret and KEY.fullmatch(key) else ""


def _make(path: Path) -> str:
    """Write a new key beside the file and rename it into place; returns the key."""
    key, aside = new_key(), path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
    return key


def _refuse_strangers(path: Path, found: os.stat_result) -> None:
    """Raises PoolwiseError when the path belongs to another user."""
    if found.st_uid != os.geteuid():
        raise PoolwiseError(
            f"{path} belongs to another user, who could read the key to Prefect's server. Remove it, or name a folder "
            "of your own with XDG_STATE_HOME."
        )
