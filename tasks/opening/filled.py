"""Addresses with their variables filled in: from the environment, and from Prefect's Secret blocks."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from tasks.study.errors import PoolwiseError, StudyError
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
        text = BLOCK.sub(lambda found: (secret_of or _secret_block)(found[1]), text)
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


def _secret_block(name: str) -> str:
    """Asks a server that is there already: Prefect would start one of its own, which answers everybody."""
    if "prefect" not in sys.modules and not os.environ.get("PREFECT_API_URL"):
        raise _without_block(name, "no Prefect server is named by PREFECT_API_URL")
    from prefect.blocks.system import Secret
    from prefect.settings import get_current_settings

    if not get_current_settings().api.url:
        raise _without_block(name, "no Prefect server is named by PREFECT_API_URL")
    try:
        return str(Secret.load(name).get())  # type: ignore[union-attr]
    except Exception as error:
        raise _without_block(name, type(error).__name__) from None


def _without_block(name: str, why: str) -> PoolwiseError:
    return PoolwiseError(
        f"Prefect's Secret block {name} cannot be read: {why}. Make it with the server that this process uses, or give "
        "an environment variable instead."
    )
