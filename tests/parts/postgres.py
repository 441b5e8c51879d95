"""PostgreSQL, from the system's packages."""

from __future__ import annotations

import os
import pwd
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import URL

from tests.parts.servers import folder_for, free_ports, running

PASSWORD = "marker-of-a-password/@:%"


def _programs() -> Path | None:
    """The folder of the newest installation; Debian has none of it on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[int]:
    with postgres_started() as port:
        yield port


@contextmanager
def postgres_started() -> Iterator[int]:
    """The port of a server whose user `poolwise` has PASSWORD and owns the database `warehouse`."""
    psycopg = pytest.importorskip("psycopg")
    programs = _programs()
    user = _servant()
    if programs is None or user == "":
        pytest.skip("no PostgreSQL here (Debian: apt-get install postgresql)")
    with folder_for(user) as folder:
        password = folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        data, (port,) = folder / "data", free_ports(1)
        made = [programs / "initdb", "-D", data, "-U", "poolwise", "-A", "scram-sha-256", "--pwfile", password, "-N"]
        subprocess.run([*made, "-E", "UTF8"], check=True, capture_output=True, user=user, cwd=folder)
        served = [programs / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder, "-F"]
        whom = {"host": "127.0.0.1", "port": port, "user": "poolwise", "password": PASSWORD, "dbname": "postgres"}

        def is_up() -> bool:
            """It listens before it answers."""
            try:
                psycopg.connect(**whom, connect_timeout=5).close()
            except psycopg.OperationalError:
                return False
            return True

        with running([str(each) for each in served], is_up, folder, user):
            with psycopg.connect(**whom, autocommit=True) as connection:
                connection.execute("create database warehouse")
            yield port


def _servant() -> str | None:
    """Whom the server runs as: it refuses root. None for ourselves, empty if there is nobody."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    return ""


def new_database(port: int) -> str:
    """The address of a new, empty database of that server."""
    name = f"d{secrets.token_hex(6)}"
    url = URL.create("postgresql+psycopg", "poolwise", PASSWORD, "127.0.0.1", port, "postgres")
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"create database {name}"))
    return url.set(database=name).render_as_string(hide_password=False)
