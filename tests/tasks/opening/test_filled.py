"""Addresses with their variables filled in, part by part, and never by a server that answers everybody."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tasks.opening.filled import filled_url
from tasks.study.errors import PoolwiseError, StudyError

HERE = Path("/studies/visits")


def test_each_part_is_filled_by_itself() -> None:
    environment = {"USER_OF_IT": "read/er", "SECRET": "p@ss:w/rd%", "HOST": "db.example.org"}
    url = filled_url("postgresql+psycopg://${USER_OF_IT}:${SECRET}@${HOST}:5433/warehouse", HERE, environment)
    assert (url.username, url.password, url.host) == ("read/er", "p@ss:w/rd%", "db.example.org")
    assert (url.port, url.database) == (5433, "warehouse")


def test_a_whole_address_may_be_one_variable() -> None:
    url = filled_url("${WAREHOUSE}", HERE, {"WAREHOUSE": "postgres://u:p@h/d"})
    assert url.render_as_string(hide_password=False) == "postgresql+psycopg://u:p@h/d"


@pytest.mark.parametrize(
    ("address", "database"),
    [("sqlite:///visits.db", "/studies/visits/visits.db"), ("duckdb:////data/visits.db", "/data/visits.db")],
)
def test_files_lie_in_the_studys_folder(address: str, database: str) -> None:
    assert filled_url(address, HERE, {}).database == database


@pytest.mark.parametrize("name", ["POOLWISE_DATABASE_URL", "POOLWISE_CATALOGUE_PASSWORD", "PREFECT_API_AUTH_STRING"])
def test_keys_of_poolwises_own_are_given_to_no_database(name: str) -> None:
    with pytest.raises(StudyError, match="key of Poolwise's own"):
        filled_url(f"postgresql://u:${{{name}}}@elsewhere.example.org/d", HERE, {name: "secret"})


def test_a_block_is_asked_for_by_its_name() -> None:
    url = filled_url("postgresql://u:${secret:warehouse-password}@h/d", HERE, {}, lambda name: f"of {name}")
    assert url.password == "of warehouse-password"


def test_without_a_server_no_block_is_read_and_none_is_started() -> None:
    script = """
        import sys
        from pathlib import Path
        from tasks.opening.filled import filled_url
        from tasks.study.errors import PoolwiseError

        try:
            filled_url("postgresql://u:${secret:warehouse-password}@h/d", Path())
        except PoolwiseError as error:
            print(error)
        print("prefect" in sys.modules)
    """
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True, env=environment
    ).stdout.splitlines()
    assert "Secret block warehouse-password cannot be read: no Prefect server is named by PREFECT_API_URL" in told[0]
    assert told[1] == "False"


def test_nor_where_prefect_is_loaded_for_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    without = temporary_settings(restore_defaults={PREFECT_API_URL})
    with without, pytest.raises(PoolwiseError, match="no Prefect server"):
        filled_url("postgresql://u:${secret:warehouse-password}@h/d", HERE)
