"""Addresses with their variables filled in: from the environment, and from Prefect's Secret blocks."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from tasks.disk.secret_blocks import secret_of as secret_in_block
from tasks.study.errors import StudyError
from tasks.study.receivers import MissingVariable, filled

BLOCK = re.compile(r"\$\{secret:([A-Za-z0-9_-]+)\}")
EMBEDDED = ("sqlite", "duckdb")  # their database is a file


def filled_url(
    address: str,
    folder: Path,
    environment: Mapping[str, str] = os.environ,
    secret_of: Callable[[str], str] | None = None,
) -> URL:
    """A database's address, its variables filled in; a relative path of an embedded one lies in `folder`.

    Each part is filled by itself, so that a password may hold any character. Raises StudyError for an address that is
    none or a variable that is not set, PoolwiseError where a block cannot be read.
    """

    def fill(text: str) -> str:
        text = BLOCK.sub(lambda found: str((secret_of or secret_in_block)(found[1])), text)
        try:
            return filled(text, environment)
        except MissingVariable as missing:
            raise StudyError(f"source.database: {missing}. Set it where Poolwise runs.") from None

    try:
        url = address_of(address)
    except (ArgumentError, ValueError):  # such as an address that is one variable
        url = _parsed(fill(address))
    else:
        url = url.set(
            username=fill(url.username or "") or None,
            password=fill(str(url.password or "")) or None,
            host=fill(url.host or "") or None,
            database=fill(url.database or "") or None,
            query={key: fill(value) if isinstance(value, str) else value for key, value in url.query.items()},
        )
    name = url.database
    if url.get_backend_name() in EMBEDDED and name and name != ":memory:" and not Path(name).is_absolute():
        url = url.set(database=str(folder / name))
    return url


def address_of(text: str) -> URL:
    """The address, with the driver that Poolwise brings where it names none. Raises ArgumentError or ValueError."""
    url = make_url(text)
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url


def _parsed(address: str) -> URL:
    try:
        return address_of(address)
    except (ArgumentError, ValueError):
        raise StudyError(
            "source.database is no address of a database. Give one in SQLAlchemy's form, as in: "
            'database = "postgresql+psycopg://reader:${PASSWORD}@host/warehouse"'
        ) from None
