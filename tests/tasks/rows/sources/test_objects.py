"""Objects of a real S3 server are listed, read whole or not at all, and told apart by their etags."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fsspec.core import url_to_fs

from tasks.rows.sources.of_study import source_of
from tasks.rows.study_files import wait_for_incoming
from tasks.study.errors import DataRejected, PoolwiseError
from tests.parts.object_store import BUCKET, SECRET, ObjectStore
from tests.tasks.rows.sources.places import collected, frame, read, rejected, set_environment, study_in


class Bucket:
    """A prefix of its own in the bucket, and a study of the tables there."""

    def __init__(self, store: ObjectStore, name: str, folder: Path) -> None:
        self.store, self.name, self.folder = store, f"{BUCKET}/{name}", folder
        self.address = f"s3://{self.name}/visits"

    def put(self, name: str, rows: pd.DataFrame) -> None:
        content = rows.to_parquet(index=False) if name.endswith(".parquet") else rows.to_csv(index=False).encode()
        self.store.files.pipe(f"{self.name}/visits/{name}", content)

    def study(self, pattern: str = "*", more: str = "") -> Any:
        return study_in(self.folder / "study", f'source = "{self.address}/{pattern}"', more)

    @property
    def reports(self) -> Path:
        return self.folder / "reports"


@pytest.fixture
def bucket(
    object_store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Bucket]:
    set_environment(monkeypatch, object_store.environment)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]
    yield Bucket(object_store, name, tmp_path)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_objects_are_listed_by_address_and_those_of_one_content_once(bucket: Bucket) -> None:
    rows = frame()
    bucket.put("b.csv", rows[:100])
    bucket.put("a.csv", rows[:100])
    bucket.put("c.parquet", rows[100:])
    bucket.store.files.pipe(f"{bucket.name}/visits/notes.md", b"no rows")
    parts = source_of(bucket.study()).parts()
    assert list(parts) == [f"{bucket.address}/a.csv", f"{bucket.address}/c.parquet"]
    assert all(len(content) == 64 and int(content, 16) for content in parts.values())
    assert collected(bucket.study(), bucket.reports).n_rows == 240


def test_only_what_has_changed_is_read_again(bucket: Bucket) -> None:
    rows = frame()
    for at in range(4):
        bucket.put(f"{at}.csv", rows[60 * at : 60 * at + 60])
    assert len(read(bucket.study(), bucket.reports).names_read) == 4
    assert read(bucket.study(), bucket.reports).names_read == frozenset()
    bucket.put("2.csv", rows[120:170])
    bucket.put("9.csv", rows[170:180])
    assert read(bucket.study(), bucket.reports).names_read == {f"{bucket.address}/{at}.csv" for at in (2, 9)}
    assert collected(bucket.study(), bucket.reports).n_rows == 240


def test_bad_rows_are_told_by_object_and_row(bucket: Bucket) -> None:
    rows = frame().astype({"x": object})
    rows.loc[7, "x"] = "abc"
    bucket.put("a.csv", rows)
    assert rejected(collected(bucket.study(), bucket.reports)) == [(f"{bucket.address}/a.csv", 8, "x", "abc")]
    bucket.store.files.pipe(f"{bucket.name}/visits/b.parquet", b"PAR1 and no more")
    with pytest.raises(DataRejected, match=rf"{bucket.address}/b\.parquet cannot be read as Parquet"):
        read(bucket.study(), bucket.reports)


def test_an_object_that_was_replaced_since_it_was_listed_is_not_read(bucket: Bucket) -> None:
    bucket.put("a.csv", frame())
    source = source_of(bucket.study())
    ((name, content),) = source.parts().items()
    bucket.put("a.csv", frame(seed=6))
    with pytest.raises(PoolwiseError, match="changed while it was read") as caught, source.rows(name, content):
        pytest.fail("rows of another content were given")
    assert not isinstance(caught.value, DataRejected)
    bucket.store.files.rm(f"{bucket.name}/visits/a.csv")
    with pytest.raises(PoolwiseError, match="changed while it was read"), source.rows(name, content):
        pytest.fail("rows of an object that is gone were given")


def test_an_object_replaced_while_it_is_copied_is_not_half_read(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("a.csv", frame())
    source = source_of(bucket.study())
    ((name, content),) = source.parts().items()
    store = url_to_fs(bucket.address)[0]
    copy = store.get_file

    def slowly(*args: Any) -> None:
        copy(*args)
        bucket.put("a.csv", frame(seed=6))

    monkeypatch.setattr(store, "get_file", slowly)
    with pytest.raises(PoolwiseError, match="changed while it was read"), source.rows(name, content):
        pytest.fail("rows of another content were given")


def test_dropped_files_belong_to_a_study_whose_rows_are_elsewhere(bucket: Bucket) -> None:
    rows = frame()
    bucket.put("a.csv", rows[:200])
    opened = bucket.study(more="[trigger]\nstable_seconds = 0.01")
    (opened.folder / "incoming").mkdir()
    rows[200:].to_csv(opened.folder / "incoming" / "late.csv", index=False)
    (opened.folder / "incoming" / "bad.csv").write_text("no,such,columns\n1,2,3\n")
    wait_for_incoming(opened)
    found = collected(opened, bucket.reports)
    assert [(file.name, bool(file.set_aside)) for file in found.files] == [
        (f"{bucket.address}/a.csv", False),
        ("incoming/bad.csv", True),
        ("incoming/late.csv", False),
    ]
    assert found.n_rows == 240


def test_the_age_of_objects_is_known(bucket: Bucket) -> None:
    bucket.put("a.csv", frame())
    newest = source_of(bucket.study()).newest()
    assert newest is not None
    assert abs(pd.Timestamp(newest).timestamp() - pd.Timestamp.now("UTC").timestamp()) < 600


@pytest.mark.parametrize("pattern", ["*.parquet", "b.csv"])
def test_where_no_object_matches_the_source_is_named(bucket: Bucket, pattern: str) -> None:
    bucket.put("a.csv", frame())
    with pytest.raises(DataRejected, match=rf'No object matches source = "{bucket.address}/'):
        source_of(bucket.study(pattern)).parts()


def test_without_the_right_key_nothing_is_read_and_no_secret_told(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("a.csv", frame())
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "marker-of-a-wrong-secret")
    opened = bucket.study("a.csv")
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()
    with pytest.raises(PoolwiseError, match=r"AWS_SECRET_ACCESS_KEY") as caught:
        source_of(opened).parts()
    assert "marker" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_store_that_is_not_there_may_come_back(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    from s3fs import S3FileSystem

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    S3FileSystem.clear_instance_cache()
    with pytest.raises(PoolwiseError, match="cannot be read") as caught:
        source_of(bucket.study("a.csv")).parts()
    assert not isinstance(caught.value, DataRejected)
    S3FileSystem.clear_instance_cache()


def test_an_unknown_scheme_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="Known are s3, gs, az"):
        source_of(study_in(tmp_path, 'source = "s4://bucket/a.csv"')).parts()
