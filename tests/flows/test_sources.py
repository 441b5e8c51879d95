"""The same rows give the same report wherever they are, and the way to them is told nowhere."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine
from sqlalchemy.engine import URL

from flows.report import pooling_report
from flows.steps.binding import RunLog, logged
from tasks.opening.studies import read_study
from tasks.rows.sources.of_study import source_of
from tasks.study.errors import PoolwiseError
from tests.parts.object_store import BUCKET, KEY, SECRET, ObjectStore
from tests.parts.postgres import PASSWORD
from tests.tasks.rows.sources.places import frame, queried, set_environment, study_in

SETTINGS = "[sampler]\nseed = 7\nwarmup = 300\ndraws = 300\n"
# What tells runs, places and moments apart.
APART = {"id", "started_at", "fingerprint", "data_sha256", "study_sha256", "name", "sha256", "n_bytes", "link"}
APART |= {"timings", "address", "seconds", "source", "file", "files"}


@pytest.fixture(scope="module")
def published(
    prefect_server: None,
    postgres: int,
    object_store: ObjectStore,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Path]]:
    """The run folder of each way to the rows."""
    pytest.importorskip("duckdb_engine")
    place, rows = tmp_path_factory.mktemp("sources"), frame()
    with pytest.MonkeyPatch.context() as patch:
        set_environment(patch, {**object_store.environment, "WAREHOUSE_PASSWORD": PASSWORD})
        csv, parquet = (study_in(place / kind, f'source = "*.{kind}"', SETTINGS) for kind in ("csv", "parquet"))
        rows.to_csv(csv.folder / "rows.csv", index=False)
        rows.to_parquet(parquet.folder / "rows.parquet", index=False)
        object_store.files.pipe(f"{BUCKET}/equal/rows.csv", rows.to_csv(index=False).encode())
        study_in(place / "s3", f'source = "s3://{BUCKET}/equal/*.csv"', SETTINGS)
        for kind in ("duckdb", "sqlite", "postgres"):
            (place / kind).mkdir()
            url, address = _database(kind, place, postgres)
            engine = create_engine(url, poolclass=NullPool)
            with engine.begin() as connection:
                rows.to_sql("equal_rows", connection, index=False, if_exists="replace")
            queried(place / kind, address, "select * from equal_rows", "")
            with (place / kind / "study.toml").open("a") as study:
                study.write(SETTINGS)
        found = {}
        for kind in ("csv", "parquet", "s3", "duckdb", "sqlite", "postgres"):
            with logged(RunLog()):
                found[kind] = pooling_report(read_study(place / kind), place / "reports").folder
        study_in(place / "s3_by_block", f'source = "s3://{BUCKET}/equal/*.csv"', SETTINGS)
        with keys_in_a_block(patch, object_store), logged(RunLog()):
            found["s3_by_block"] = pooling_report(read_study(place / "s3_by_block"), place / "reports").folder
        yield found


@contextmanager
def keys_in_a_block(patch: pytest.MonkeyPatch, store: ObjectStore) -> Iterator[None]:
    """The store's keys are in no variable, but in a block of Prefect's."""
    from prefect.blocks.system import Secret
    from s3fs import S3FileSystem

    Secret(value=dict(store.environment)).save("visits-store", overwrite=True)
    for name in store.environment:
        patch.delenv(name)
    S3FileSystem.clear_instance_cache()
    patch.setenv("POOLWISE_STORE_BLOCK", "visits-store")
    yield
    patch.delenv("POOLWISE_STORE_BLOCK", raising=False)
    set_environment(patch, store.environment)
    S3FileSystem.clear_instance_cache()


def _database(kind: str, place: Path, port: int) -> tuple[URL, str]:
    if kind == "postgres":
        url = URL.create("postgresql+psycopg", "poolwise", PASSWORD, "127.0.0.1", port, "warehouse")
        return url, f"postgresql+psycopg://poolwise:${{WAREHOUSE_PASSWORD}}@127.0.0.1:{port}/warehouse"
    return URL.create(kind, database=str(place / kind / "warehouse.db")), f"{kind}:///warehouse.db"


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value of a summary by its path, without what tells runs apart."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in APART:
                yield from numbers(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from numbers(inner, f"{path}[{at}]")
    else:
        yield path, value


def test_the_same_rows_give_the_same_numbers(published: dict[str, Path]) -> None:
    told = {
        kind: dict(numbers(json.loads((run / "summary.json").read_text("utf-8")))) for kind, run in published.items()
    }
    first = told.pop("csv")
    assert sum(isinstance(value, float) for value in first.values()) > 500
    for kind, other in told.items():
        assert set(other) == set(first), kind
        differing = {path for path in first if not _alike(first[path], other[path])}
        assert differing == set(), (kind, [(path, first[path], other[path]) for path in sorted(differing)[:5]])


def _alike(a: object, b: object) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= 1e-9 * max(1.0, abs(a))
    return a == b


def test_each_has_one_digest(published: dict[str, Path]) -> None:
    reports = published["csv"].parents[1]
    for kind in published:
        assert len(list((reports / ".store" / kind).glob("*/*.npz"))) == 1, kind


def test_no_secret_is_in_any_file_nor_in_prefects_database(published: dict[str, Path]) -> None:
    reports = published["csv"].parents[1]
    places = [reports, Path(os.environ["XDG_STATE_HOME"]), *_prefect_homes()]
    looked_at = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in looked_at), "Prefect's database"
    markers = [marker.encode() for marker in (PASSWORD, SECRET, KEY)]
    told = [str(path) for path in looked_at for marker in markers if marker in path.read_bytes()]
    assert told == []


def _prefect_homes() -> list[Path]:
    from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL, PREFECT_HOME

    database = str(PREFECT_API_DATABASE_CONNECTION_URL.value()).partition(":///")[2]
    return [PREFECT_HOME.value(), *([Path(database).parent] if database else [])]


def test_the_published_study_is_the_one_that_was_read(published: dict[str, Path]) -> None:
    text = (published["postgres"] / "study.toml").read_text("utf-8")
    assert tomllib.loads(text)["source"]["database"].startswith("postgresql+psycopg://poolwise:${WAREHOUSE_PASSWORD}@")


def test_a_password_may_come_from_a_block_of_prefects(prefect_server: None, postgres: int, tmp_path: Path) -> None:
    from prefect.blocks.system import Secret

    Secret(value=PASSWORD).save("warehouse-password", overwrite=True)
    url = URL.create("postgresql+psycopg", "poolwise", PASSWORD, "127.0.0.1", postgres, "warehouse")
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        frame().to_sql("of_a_block", connection, index=False, if_exists="replace")
    address = f"postgresql+psycopg://poolwise:${{secret:warehouse-password}}@127.0.0.1:{postgres}/warehouse"
    opened = queried(tmp_path / "study", address, "select * from of_a_block")
    assert len(source_of(opened).parts()) == 4
    with pytest.raises(PoolwiseError, match="Secret block no-such cannot be read"):
        source_of(queried(tmp_path / "other", address.replace("warehouse-password", "no-such"))).parts()


def test_a_stores_keys_may_come_from_a_block_and_without_them_it_refuses(
    prefect_server: None, object_store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s3fs import S3FileSystem

    object_store.files.pipe(f"{BUCKET}/by_block/rows.csv", frame().to_csv(index=False).encode())
    opened = study_in(tmp_path / "study", f'source = "s3://{BUCKET}/by_block/*.csv"')
    set_environment(monkeypatch, object_store.environment)
    with keys_in_a_block(monkeypatch, object_store):
        assert len(source_of(opened).parts()) == 1
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "POOLWISE_STORE_BLOCK"):
            monkeypatch.delenv(name)
        S3FileSystem.clear_instance_cache()
        with pytest.raises(PoolwiseError, match=r"cannot be read: .* or in the block that POOLWISE_STORE_BLOCK names"):
            source_of(opened).parts()
        monkeypatch.setenv("POOLWISE_STORE_BLOCK", "no-such-store")
        with pytest.raises(PoolwiseError, match="Secret block no-such-store cannot be read"):
            source_of(opened).parts()


@pytest.mark.parametrize("held", ["no JSON: hidden", '["hidden"]', {"PATH": "/hidden"}, '{"AWS_ACCESS_KEY_ID": 7}'])
def test_a_block_that_holds_no_keys_is_refused_without_showing_it(
    prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: Any
) -> None:
    from prefect.blocks.system import Secret

    name = f"of-no-store-{abs(hash(str(held)))}"
    Secret(value=held).save(name)
    monkeypatch.setenv("POOLWISE_STORE_BLOCK", name)
    with pytest.raises(PoolwiseError, match=f"Secret block {name}, which POOLWISE_STORE_BLOCK names, does not") as told:
        source_of(study_in(tmp_path / "study", 'source = "s3://bucket/none/*.csv"')).parts()
    assert "hidden" not in str(told.value)


def test_reports_too_go_to_a_store_whose_keys_are_in_a_block(
    prefect_server: None, object_store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    object_store.files.pipe(f"{BUCKET}/reported/rows.csv", frame().to_csv(index=False).encode())
    opened = study_in(tmp_path / "study", f'source = "s3://{BUCKET}/reported/*.csv"', SETTINGS)
    set_environment(monkeypatch, object_store.environment)
    with keys_in_a_block(monkeypatch, object_store), logged(RunLog()):
        pooling_report(opened, f"s3://{BUCKET}/by-block")
    assert len(object_store.files.glob(f"{BUCKET}/by-block/study/2*/summary.json")) == 1
