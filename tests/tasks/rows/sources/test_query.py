"""Rows of real databases: part by part, each of one snapshot, as a file of them would give them."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import URL

from tasks.opening.filled import address_of
from tasks.rows import csv_files
from tasks.rows.sources.of_study import source_of
from tasks.study.errors import DataRejected, PoolwiseError, StudyError
from tests.parts.postgres import PASSWORD, new_database
from tests.tasks.rows.sources.places import collected, frame, queried, read, rejected, study_in


@dataclass
class Database:
    """A database with a table `visits`, and how a study names it."""

    url: URL
    address: str
    folder: Path

    def do(self, *statements: str) -> None:
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.begin() as connection:
            for each in statements:
                connection.execute(text(each))

    def fill(self, rows: pd.DataFrame) -> None:
        """Make the table anew, its rows in this order."""
        kinds = {"f": "double precision", "i": "bigint"}
        columns = ", ".join(f"{name} {kinds.get(rows[name].dtype.kind, 'text')}" for name in rows)
        self.do("drop table if exists visits", f"create table visits ({columns})")
        self.add(rows)

    def add(self, rows: pd.DataFrame) -> None:
        values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows.itertuples(index=False))
        self.do(f"insert into visits values {values}")

    def study(self, sql: str = "select * from visits", partition: str = "week") -> Any:
        return queried(self.folder / "study", self.address, sql, partition)

    @property
    def reports(self) -> Path:
        return self.folder / "reports"


def _literal(value: object) -> str:
    return (
        "null" if value is None or value != value else repr(value) if not isinstance(value, np.generic) else str(value)
    )


@pytest.fixture(params=["postgresql", "duckdb", "sqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    if request.param == "postgresql":
        port = request.getfixturevalue("postgres")
        schema = "s" + secrets.token_hex(6)
        url = URL.create("postgresql+psycopg", "poolwise", PASSWORD, "127.0.0.1", port, "warehouse")
        url = url.update_query_dict({"options": f"-csearch_path={schema}"})
        monkeypatch.setenv("WAREHOUSE_PASSWORD", PASSWORD)
        address = f"postgresql+psycopg://poolwise:${{WAREHOUSE_PASSWORD}}@127.0.0.1:{port}/warehouse"
        found = Database(url, f"{address}?options=-csearch_path%3D{schema}", tmp_path)
        found.do(f"create schema {schema}")
        yield found
        found.do(f"drop schema {schema} cascade")
    else:
        pytest.importorskip({"duckdb": "duckdb_engine", "sqlite": "sqlite3"}[request.param])
        (tmp_path / "study").mkdir()
        url = URL.create(request.param, database=str(tmp_path / "study" / "warehouse.db"))
        yield Database(url, f"{request.param}:///warehouse.db", tmp_path)


def test_only_partitions_whose_rows_have_changed_are_read_again(database: Database) -> None:
    rows = frame()
    database.fill(rows[:200])
    first = read(database.study(), database.reports)
    assert list(first.sha256) == ["week=2026-W01", "week=2026-W02", "week=2026-W03", "week=2026-W04"]
    assert first.names_read == set(first.sha256)
    assert read(database.study(), database.reports).names_read == frozenset()
    database.add(rows[200:])
    assert read(database.study(), database.reports).names_read == {"week=2026-W04"}
    database.do("update visits set y = y + 1 where week = '2026-W02' and g = 'group 3'")
    assert read(database.study(), database.reports).names_read == {"week=2026-W02"}
    database.do("delete from visits where week = '2026-W01'")
    last = read(database.study(), database.reports)
    assert list(last.sha256) == ["week=2026-W02", "week=2026-W03", "week=2026-W04"]
    assert last.names_read == frozenset()


def test_the_order_of_rows_is_no_change_and_a_row_twice_is_one(database: Database) -> None:
    rows = frame()
    database.fill(rows)
    before = source_of(database.study()).parts()
    database.fill(rows.sample(frac=1.0, random_state=1))
    assert source_of(database.study()).parts() == before
    database.add(rows[:1])
    after = source_of(database.study()).parts()
    assert {name for name in before if after[name] != before[name]} == {"week=2026-W01"}


def test_without_partitions_there_is_one_part(database: Database) -> None:
    database.fill(frame())
    found = collected(database.study(partition=""), database.reports)
    assert [(file.name, file.n_rows) for file in found.files] == [("query", 240)]


def test_the_sums_are_those_of_a_file_of_the_same_rows(database: Database, tmp_path: Path) -> None:
    rows = frame()
    database.fill(rows)
    there = collected(database.study(partition=""), database.reports)
    opened = study_in(tmp_path / "files")
    rows.to_csv(opened.folder / "rows.csv", index=False)
    here = collected(opened, database.reports)
    assert there.products.labels == here.products.labels
    np.testing.assert_array_equal(there.products.gram, here.products.gram)
    np.testing.assert_array_equal(there.sample.y, here.sample.y)


def test_bad_rows_are_told_by_partition_and_row(database: Database) -> None:
    rows = frame().astype({"x": object})
    rows.loc[65, "x"] = "abc"
    rows.loc[130, "y"] = None
    database.fill(rows)
    found = rejected(collected(database.study(), database.reports))
    assert found == [("week=2026-W02", 6, "x", "abc"), ("week=2026-W03", 11, "y", "")]


def test_rows_without_a_partition_are_one_of_their_own(database: Database) -> None:
    rows = frame()
    rows.loc[:9, "week"] = None
    rows.loc[10:14, "week"] = ""
    database.fill(rows)
    found = collected(database.study(), database.reports)
    sizes = {file.name: file.n_rows for file in found.files}
    assert (sizes["week is null"], sizes["week="]) == (10, 5)
    assert found.n_rows == 240


def test_a_query_may_hold_what_looks_like_a_parameter(database: Database) -> None:
    database.fill(frame())
    sql = "select * from visits where ':x' <> '10%' and g like 'group%' -- all of them: 100 %"
    assert collected(database.study(sql), database.reports).n_rows == 240


def test_columns_that_trade_places_are_other_content(database: Database) -> None:
    database.fill(frame())
    one, other = (f"select g, week, {a}, {b} from visits" for a, b in (("x as x", "y as y"), ("x as y", "y as x")))
    assert set(source_of(database.study(one)).parts().values()).isdisjoint(
        source_of(database.study(other)).parts().values()
    )


@pytest.mark.parametrize(
    ("sql", "partition", "said"),
    [
        ("select g, y, week from visits", "week", r"week=2026-W01 has no column 'x'; its columns are g, y, week"),
        ("select * from visits", "month", r"source\.partition: the query has no column 'month'"),
        ("select * from visits where g = 'none'", "week", r"The query of source\.sql gives no rows"),
    ],
)
def test_a_query_that_does_not_suit_is_refused(database: Database, sql: str, partition: str, said: str) -> None:
    database.fill(frame())
    with pytest.raises(DataRejected, match=said):
        read(database.study(sql, partition), database.reports)


@pytest.mark.parametrize("sql", ["select * from no_such_table", "selekt"])
def test_what_the_database_says_of_a_query_is_told(database: Database, sql: str) -> None:
    database.fill(frame())
    with pytest.raises(PoolwiseError, match=r"database .*warehouse.* cannot be read: .*(no_such_table|selekt)"):
        source_of(database.study(sql)).parts()


def test_rows_are_never_held_whole(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.fill(frame())
    monkeypatch.setattr(csv_files, "CHUNK_ROWS", 50)
    source = source_of(database.study(partition=""))
    ((name, content),) = source.parts().items()
    with source.rows(name, content) as rows:
        sizes = [len(chunk) for chunk in rows.chunks()]
    assert sizes == [50, 50, 50, 50, 40]


def test_a_part_that_changed_since_it_was_listed_is_not_read(database: Database) -> None:
    database.fill(frame())
    source = source_of(database.study())
    name, content = next(iter(source.parts().items()))
    database.do("update visits set y = y + 1")
    with (
        pytest.raises(PoolwiseError, match="week=2026-W01 changed since it was listed") as caught,
        source.rows(name, content),
    ):
        pytest.fail("rows of another content were given")
    assert not isinstance(caught.value, DataRejected)


def test_rows_are_those_of_the_moment_at_which_they_were_hashed(database: Database) -> None:
    """PostgreSQL lets others write meanwhile; the embedded ones make them wait."""
    if database.url.get_backend_name() != "postgresql":
        pytest.skip("a file that is read cannot be written")
    database.fill(frame())
    source = source_of(database.study(partition=""))
    ((name, content),) = source.parts().items()
    with source.rows(name, content) as rows:
        database.do("update visits set y = 1000", "delete from visits where week = '2026-W04'")
        seen = pd.concat(rows.chunks())
    assert len(seen) == 240
    assert "1000" not in set(seen["y"])


TYPES: dict[str, Callable[[str], str]] = {
    "a decimal": lambda column: f"cast({column} as numeric(12, 4))",
    "text": lambda column: f"cast({column} as varchar(40))",
}


@pytest.mark.parametrize("kind", TYPES)
def test_numbers_of_other_types_are_the_same_numbers(database: Database, kind: str) -> None:
    database.fill(frame())
    spelled = f"select g, week, {TYPES[kind]('x')} as x, {TYPES[kind]('y')} as y from visits"
    plain, other = (collected(database.study(sql, ""), database.reports) for sql in ("select * from visits", spelled))
    np.testing.assert_allclose(other.products.gram, plain.products.gram, rtol=1e-12)
    assert other.n_rejected == 0


def test_a_driver_is_found_where_the_address_names_none(postgres: int, tmp_path: Path) -> None:
    address = new_database(postgres).replace("postgresql+psycopg", "postgresql")
    for scheme in ("postgresql", "postgres"):
        found = address_of(address.replace("postgresql", scheme, 1))
        assert found.drivername == "postgresql+psycopg"
        with create_engine(found, poolclass=NullPool).connect() as connection:
            assert connection.execute(text("select 1")).scalar() == 1
    assert address_of("sqlite:///a.db").drivername == "sqlite"


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for kind in ("sqlite", "duckdb"):
        opened = queried(tmp_path / kind, f"{kind}:///visit.db")
        with pytest.raises(DataRejected, match=r"source\.database: there is no file .*visit\.db"):
            source_of(opened).parts()
        assert not (tmp_path / kind / "visit.db").exists()


def test_values_that_are_written_alike_are_no_partition(tmp_path: Path) -> None:
    """SQLite may hold a number and the same in letters in one column; their rows would take each other's place."""
    opened = queried(tmp_path, "sqlite:///visits.db")
    with sqlite3.connect(tmp_path / "visits.db") as made:
        made.execute("create table visits (g, x, y, week)")
        made.executemany("insert into visits values ('a', 1, 2, ?)", [(1,), ("1",)])
    with pytest.raises(DataRejected, match="two values of 'week' are written alike"):
        source_of(opened).parts()


def test_a_wrong_password_is_told_without_it(postgres: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_PASSWORD", "marker-of-a-wrong-one")
    address = f"postgresql+psycopg://poolwise:${{WAREHOUSE_PASSWORD}}@127.0.0.1:{postgres}/warehouse"
    with pytest.raises(PoolwiseError, match=r"OperationalError: .*password authentication failed") as caught:
        source_of(queried(tmp_path, address)).parts()
    assert "marker" not in str(caught.value)


def test_a_database_that_is_away_may_come_back(tmp_path: Path) -> None:
    with pytest.raises(PoolwiseError, match="cannot be read") as caught:
        source_of(queried(tmp_path, "postgresql+psycopg://127.0.0.1:9/warehouse")).parts()
    assert not isinstance(caught.value, DataRejected)


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="the environment variable NO_SUCH_URL is not set"):
        source_of(queried(tmp_path, "${NO_SUCH_URL}")).parts()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('source = "s3://AKIAMARKER:marker@bucket/a.csv"', "no password may stand in it"),
        ('[source]\nsql = "select 1"\ndatabase = "postgresql://u:marker@h/d"', "no password may stand in it"),
        ('[source]\nsql = "select 1"\ndatabase = "postgresql://h/d?sslpassword=marker"', "sslpassword may not stand"),
        ('[source]\nsql = "select 1; drop table visits"\ndatabase = "${U}"', "one query, without a semicolon"),
        ('[source]\ndatabase = "${U}"', "source.sql is missing"),
        ('[source]\nsql = "select 1"\ndatabase = "${U}"\npartitoin = "week"', "Did you mean source.partition"),
        (
            '[source]\nsql = "select 1"\ndatabase = "${U}"\n[notify]\nmax_age_days = 3',
            "notify.max_age_days asks how old the data are, which a database does not say",
        ),
        ("source = 3", "source is 3, but it should be text in quotes"),
    ],
)
def test_a_source_that_is_wrong_is_refused_and_tells_no_secret(tmp_path: Path, source: str, said: str) -> None:
    with pytest.raises(StudyError) as caught:
        study_in(tmp_path, *(("", source) if source.startswith("[") else (source, "")))
    assert said in str(caught.value)
    assert "marker" not in str(caught.value)
