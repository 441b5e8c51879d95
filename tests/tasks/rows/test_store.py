"""A run reads new files only, and nothing that it says depends on what the store held or how files came."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tasks.rows.read_files
import tasks.rows.store
from tasks.opening.studies import OpenedStudy
from tasks.rows import csv_files
from tasks.rows.collect import Collected, collect
from tasks.rows.read_files import read_files
from tasks.rows.reduce import reduce_rows
from tasks.rows.sources.source import FileRows
from tasks.rows.store import Store, identify, store_key
from tasks.rows.study_files import hash_file, hash_files
from tasks.stats.fits.cross_products import cross_products
from tasks.stats.rows import digest as digests
from tasks.study.errors import DataRejected, PoolwiseError
from tasks.study.model import Study
from tests.at_once import validate_at_once

Row = tuple[str, str, str]
HEADER = "y,g,x"
SETTINGS = settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))


def study(**changes: Any) -> Study:
    least = {"name": "s", "title": "t", "outcome": "y", "group": "g", "predictors": ["x"], "source": "*.csv"}
    return Study.model_validate({"rules": {"max_rejected_share": 1.0}, **least, **changes})


UNIQUE = {"rules": {"max_rejected_share": 1.0, "unique": ["g", "x"]}}


def lines(rows: Sequence[Row]) -> str:
    return "\n".join([HEADER, *map(",".join, rows)]) + "\n"


def rows(n: int, start: int = 0) -> list[Row]:
    return [(f"{(i * 7919 % 101) / 7:.4f}", "abcdef"[i * i % 6], f"{i}") for i in range(start, start + n)]


@dataclass
class Place:
    """A study's folder and its reports, and which files have been read."""

    folder: Path
    asked: Study = field(default_factory=study)
    names_read: list[str] = field(default_factory=list)

    @property
    def opened(self) -> OpenedStudy:
        return OpenedStudy(self.asked, self.folder, "")

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    @property
    def store(self) -> Path:
        return self.reports / ".store"

    def put(self, name: str, content: Sequence[Row] | str) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(content if isinstance(content, str) else lines(content))
        if path.parent.name == "incoming":
            os.utime(path, (time.time() - 2.0, time.time() - 2.0))  # complete, and not still being written
        return path

    def read(self, reports: Path | None = None) -> Collected:
        found = read_files(self.opened, identify(self.opened, reports or self.reports), reports or self.reports)
        self.names_read = sorted(found.names_read)
        return collect(found, self.asked)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def everything(collected: Collected) -> list[Any]:
    """All of it, to the last bit."""
    products, sample = collected.products, collected.sample
    arrays = (products.offset, products.gram, sample.y, sample.x, sample.group_index)
    return [
        *(array.tobytes() for array in arrays),
        (products.labels, products.terms, sample.labels, collected.rejections, collected.n_rejected),
        tuple(map(astuple, collected.files)),
        collected.rejected_by_rule,
    ]


# -- the same result as from the rows at once ---------------------------------------------------------------------

cell = st.sampled_from(["1", "2.5", "-3", "", "x", "99", " 4 ", "4.0"])
group = st.sampled_from(["a", "b", "c10", "c9", " a", ""])
tables = st.lists(st.lists(st.tuples(cell, group, cell), max_size=10), min_size=1, max_size=5)


@SETTINGS
@given(tables, st.booleans(), st.sampled_from([2, 3, 50_000]))
def test_any_split_over_files_gives_what_the_rows_give_at_once(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[Row]], is_unique: bool, chunk: int
) -> None:
    """Rejections, counts and rows exactly; sums to rounding."""
    place = Place(tmp_path_factory.mktemp("study"), study(**UNIQUE) if is_unique else study())
    place.put("0.csv", rows(8))
    for number, table in enumerate(files, 1):
        place.put(f"{number}.csv", table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_files, "CHUNK_ROWS", chunk)
        made = place.read()
    at_once = validate_at_once(place.opened)
    assert made.rejections == at_once.rejections
    assert made.rejected_by_rule == at_once.rejected_by_rule
    assert (made.n_rows, made.n_groups, made.n_rejected) == (
        at_once.data.n_rows,
        at_once.data.n_groups,
        at_once.n_rejected,
    )
    assert tuple(replace(file, n_bytes=0) for file in made.files) == at_once.files
    assert [file.n_bytes for file in made.files] == [(place.folder / file.name).stat().st_size for file in made.files]
    assert made.sample.labels == made.products.labels == at_once.data.labels
    for name in ("y", "x", "group_index"):
        np.testing.assert_array_equal(getattr(made.sample, name), getattr(at_once.data, name))
    expected = cross_products(at_once.data, made.products.offset)
    np.testing.assert_allclose(made.products.gram, expected.gram, rtol=1e-9, atol=1e-9)


def test_one_file_gives_the_very_digits_of_its_rows(place: Place) -> None:
    place.put("a.csv", rows(50))
    data = validate_at_once(place.opened).data
    np.testing.assert_array_equal(place.read().products.gram, cross_products(data).gram)
    np.testing.assert_array_equal(place.read().products.offset, cross_products(data).offset)


# -- whatever the order of arrival and the state of the store -------------------------------------------------------


def harm(path: Path, how: str, byte: int) -> None:
    content = path.read_bytes() or b"\0"
    at = byte % len(content)
    if how == "gone":
        path.unlink()
    elif how == "cut":
        path.write_bytes(content[:at])
    elif how == "flipped":
        path.write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
    elif how == "pickled":
        path.write_bytes(pickle.dumps({"sha256": path.stem}))
    elif how == "foreign":
        others = [each for each in path.parent.iterdir() if each != path]
        path.write_bytes(others[0].read_bytes() if others else b"")


harms = st.lists(
    st.tuples(st.integers(0, 99), st.sampled_from(["gone", "cut", "flipped", "pickled", "foreign"]), st.integers(0)),
    max_size=4,
)


@SETTINGS
@given(tables, st.permutations(range(6)), st.booleans(), harms, st.sampled_from([7, 50_000]))
def test_neither_order_of_arrival_nor_the_store_changes_a_bit(
    tmp_path_factory: pytest.TempPathFactory,
    files: list[list[Row]],
    order: list[int],
    is_unique: bool,
    harmed: list[tuple[int, str, int]],
    sample_rows: int,
) -> None:
    place = Place(tmp_path_factory.mktemp("study"), study(**UNIQUE) if is_unique else study())
    contents = dict(enumerate([rows(8), *files]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digests, "SAMPLE_ROWS", sample_rows)
        for number in order:
            if number in contents:
                place.put(f"{number}.csv", contents[number])
                read_files(place.opened, hash_files(place.opened), place.reports)
        for number, how, byte in harmed:
            kept = sorted(place.store.glob("*/*/*.npz"))
            if kept:
                harm(kept[number % len(kept)], how, byte)
        made = place.read()
        assert everything(made) == everything(place.read())
        assert place.names_read == []
        shutil.rmtree(place.store)
        assert everything(made) == everything(place.read())
        assert everything(made) == everything(place.read(place.folder / "other reports"))


def test_a_digest_survives_the_store_whole(place: Place) -> None:
    place.asked = study(**UNIQUE)
    path = place.put("a.csv", [*rows(20), ("\u2028", "\U0001f600", "x"), ("", "a", "1")])
    made = reduce_rows(FileRows(path, "a.csv", place.asked), hash_file(path), place.asked)
    store = Store(place.reports, place.asked)
    store.put(made)
    kept = store.get(made.sha256)
    assert kept is not None
    for name in ("sha256", "n_read", "n_rejected", "rejections"):
        assert getattr(kept, name) == getattr(made, name)
    for name in ("row", "y", "x", "group_index", "priority"):
        np.testing.assert_array_equal(getattr(kept.sample, name), getattr(made.sample, name), strict=True)
    np.testing.assert_array_equal(kept.products.gram, made.products.gram, strict=True)
    np.testing.assert_array_equal(kept.keys, made.keys, strict=True)
    np.testing.assert_array_equal(kept.copy_keys, made.copy_keys, strict=True)
    for part in ("rows", "runs"):
        kept_part, made_part = getattr(kept.sketch, part), getattr(made.sketch, part)
        assert kept_part.n_rows == made_part.n_rows
        for name in ("asked", "rest", "count"):
            np.testing.assert_array_equal(getattr(kept_part, name), getattr(made_part, name), strict=True)
    for name in ("others", "sequence", "n_like_before"):
        assert getattr(kept.sketch, name) == getattr(made.sketch, name)
    assert kept.products.labels == made.products.labels


def test_a_digest_under_other_rules_is_not_taken_for_this_one(place: Place) -> None:
    place.put("a.csv", rows(12))
    place.read()
    (kept,) = place.store.glob("s/*/*.npz")
    place.asked = study(rules={"max_rejected_share": 1.0, "ranges": {"y": {"min": 5}}})
    other = Store(place.reports, place.asked).folder
    other.mkdir()
    shutil.copy(kept, other)
    assert place.read().n_rejected == 5
    assert place.names_read == ["a.csv"]


def test_every_flipped_byte_is_noticed_or_harmless(place: Place) -> None:
    path = place.put("a.csv", rows(12))
    made = reduce_rows(FileRows(path, "a.csv", place.asked), hash_file(path), place.asked)
    store = Store(place.reports, place.asked)
    store.put(made)
    (file,) = place.store.glob("*/*/*.npz")
    content = file.read_bytes()
    for at in range(0, len(content), 3):
        file.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
        kept = store.get(made.sha256)
        if kept:
            assert kept.products.gram.tobytes() == made.products.gram.tobytes()
            assert kept.sample.y.tobytes() == made.sample.y.tobytes()
            assert (kept.n_read, kept.rejections, kept.products.labels) == (12, (), made.products.labels)


# -- reading new files only -----------------------------------------------------------------------------------------


def test_a_new_file_is_the_only_one_read(place: Place) -> None:
    for number in range(3):
        place.put(f"{number}.csv", rows(10, 10 * number))
    place.read()
    assert place.names_read == ["0.csv", "1.csv", "2.csv"]
    place.put("incoming/new.csv", rows(5, 40))
    assert place.read().n_rows == 35
    assert place.names_read == ["incoming/new.csv"]
    place.put("1.csv", rows(11, 10))
    place.read()
    assert place.names_read == ["1.csv"]
    shutil.rmtree(place.store)
    place.read()
    assert len(place.names_read) == 4


def test_a_renamed_file_is_known_and_told_by_its_new_name(place: Place) -> None:
    path = place.put("a.csv", [*rows(10), ("?", "a", "1")])
    place.read()
    path.rename(place.folder / "b.csv")
    made = place.read()
    assert place.names_read == []
    assert [(each.file, each.row) for each in made.rejections] == [("b.csv", 11)]
    assert [file.name for file in made.files] == ["b.csv"]


def test_equal_contents_count_once_under_the_first_name(place: Place) -> None:
    for name in ("b.csv", "a.csv", "incoming/a copy.csv"):
        place.put(name, rows(10))
    made = place.read()
    assert [(file.name, file.n_rows) for file in made.files] == [("a.csv", 10)]
    assert place.names_read == ["a.csv"]


@pytest.mark.parametrize(
    "changes",
    [
        {"decimal": ","},
        {"delimiter": ";"},
        {"encoding": "latin-1"},
        {"thousands": ","},
        {"affixes": ["%"]},
        {"missing": ["-999"]},
        {"comment": "#"},
        {"codes": {"x": {"f": 0, "m": 1}}},
        {"dates": {"x": "%Y-%m-%d"}},
        {"predictors": []},
        {"outcome": "z"},
        {"family": "poisson"},
        {"family": "binomial"},
        {"rules": {"max_rejected_share": 1.0, "ranges": {"y": {"min": 0}}}},
        {"rules": {"max_rejected_share": 1.0, "groups": ["a"]}},
        {"rules": {"max_rejected_share": 1.0, "copies": "drop"}},
        UNIQUE,
    ],
)
def test_what_decides_a_digest_is_in_its_key(changes: dict[str, Any]) -> None:
    assert store_key(study(**changes)) != store_key(study())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"family": "poisson"}, {"family": "binomial"}),
        ({"family": "poisson"}, {"family": "poisson", "exposure": "n"}),
        ({"family": "poisson", "exposure": "n"}, {"family": "poisson", "exposure": "m"}),
        ({"family": "binomial", "trials": "n"}, {"family": "binomial", "trials": "m"}),
    ],
)
def test_what_is_counted_of_what_is_in_the_key(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert store_key(study(**one)) != store_key(study(**other))
    shown = {"rates": {"per": 1000, "worse": "higher"}, "targets": {"all": 0.1}}
    assert store_key(study(**one, **shown)) == store_key(study(**one))


@pytest.mark.parametrize("rules", [{"groups": ["a"]}, {"unique": ["g"]}])
def test_how_labels_are_joined_decides_digests_only_where_a_rule_compares_labels(rules: dict[str, Any]) -> None:
    joined = {"labels": {"join": ["case"]}}
    assert store_key(study(rules=rules, **joined)) != store_key(study(rules=rules))
    assert store_key(study(**joined)) == store_key(study())


def test_what_does_not_is_not() -> None:
    others = study(
        title="other",
        source="*.txt",
        rules={"max_rejected_share": 0.1, "min_rows": 3, "copies": "keep"},
        sampler={"chains": 2},
    )
    assert store_key(others) == store_key(study())


# -- rows that repeat another file's --------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["a.csv", "b.csv"])
def test_the_first_row_in_the_files_order_stays_whichever_came_first(place: Place, first: str) -> None:
    place.asked = study(**UNIQUE)
    contents = {"a.csv": rows(10), "b.csv": [("1", "b", "2000"), *rows(3, 8), ("5", "b", "2000.0")]}
    place.put(first, contents[first])
    read_files(place.opened, hash_files(place.opened), place.reports)
    for name, content in contents.items():
        place.put(name, content)
    made = place.read()
    assert [(each.file, each.row, each.rule) for each in made.rejections] == [
        ("b.csv", 2, "duplicate of row 9 in a.csv"),
        ("b.csv", 3, "duplicate of row 10 in a.csv"),
        ("b.csv", 5, "duplicate of row 1 in b.csv"),
    ]
    assert (made.n_rows, made.n_rejected) == (12, 3)
    place.read()
    assert place.names_read == []


def test_an_older_file_is_not_read_for_a_newer_one_that_repeats_it(place: Place) -> None:
    place.asked = study(**UNIQUE)
    place.put("a.csv", rows(20))
    place.read()
    place.put("b.csv", rows(10, 15))
    assert place.read().n_rejected == 5
    assert place.names_read == ["b.csv"]
    place.put("c.csv", rows(10, 23))
    assert place.read().n_rejected == 7
    assert place.names_read == ["c.csv"]


def test_a_repeat_counts_again_once_the_first_is_gone(place: Place) -> None:
    place.asked = study(**UNIQUE)
    first = place.put("a.csv", rows(10))
    place.put("b.csv", rows(10, 5))
    assert place.read().n_rows == 15
    first.unlink()
    assert place.read().n_rows == 10
    assert place.names_read == []


# -- files that cannot be used --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "no column 'y'"),
        ('y,g,x\n1,"a,2\n', "never closes"),
        ("y,g,x\n1,a,2,9\n2,a,3,9\n", "3 columns in its header"),
    ],
)
def test_a_dropped_file_that_cannot_be_used_is_set_aside(place: Place, content: str, reason: str) -> None:
    place.put("a.csv", rows(10))
    place.put("incoming/bad.csv", content)
    made = place.read()
    assert made.n_rows == 10
    (rejection,) = made.rejections
    assert astuple(rejection)[:4] == ("incoming/bad.csv", 0, "", "")
    assert rejection.rule.startswith("set aside: incoming/bad.csv ")
    assert reason in rejection.rule
    assert [(file.name, bool(file.set_aside)) for file in made.files] == [("a.csv", False), ("incoming/bad.csv", True)]
    assert made.rejected_by_rule == {"file: set aside": 1}
    (place.folder / "incoming" / "bad.csv").rename(place.folder / "bad.csv")
    with pytest.raises(DataRejected, match=r"^bad\.csv "):
        place.read()


def test_nothing_but_files_that_cannot_be_used_stops_the_run(place: Place) -> None:
    place.put("incoming/bad.csv", "a,b\n1,2\n")
    with pytest.raises(DataRejected, match="None of the files can be used") as caught:
        place.read()
    assert [each.row for each in caught.value.rejections] == [0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every file")
def test_a_dropped_file_that_cannot_be_opened_is_set_aside(place: Place) -> None:
    place.put("a.csv", rows(10))
    place.put("incoming/bad.csv", rows(3, 50)).chmod(0)
    made = place.read()
    assert "cannot be read" in made.rejections[0].rule
    (place.folder / "incoming" / "bad.csv").chmod(0o600)
    assert place.read().n_rows == 13


def test_a_structural_failure_names_what_was_set_aside(place: Place) -> None:
    place.put("a.csv", [("1", "a", "1"), ("2", "a", "2")])
    place.put("incoming/bad.csv", "")
    with pytest.raises(DataRejected, match=r"same g, 'a'.*") as caught:
        place.read()
    assert len(caught.value.rejections) == 1


# -- files that change, disks that refuse ---------------------------------------------------------------------------


def test_a_file_that_changes_while_it_is_read_is_trouble_that_may_pass(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place.put("a.csv", rows(10))
    real = tasks.rows.read_files.reduce_rows

    def slow(*args: Any) -> Any:
        path.write_text(lines(rows(11)))
        return real(*args)

    monkeypatch.setattr(tasks.rows.read_files, "reduce_rows", slow)
    with pytest.raises(PoolwiseError, match=r"a\.csv changed while it was read") as caught:
        place.read()
    assert isinstance(caught.value.__cause__, OSError)
    assert not isinstance(caught.value, DataRejected)
    assert list(place.store.glob("*/*/*.npz")) == []


def test_half_a_file_is_not_blamed_for_what_it_says(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dropped file that is being written to when it is read is not set aside for its last line."""
    place.put("a.csv", rows(10))
    path = place.put("incoming/b.csv", rows(10, 20))
    asked = hash_files(place.opened)
    path.write_text(lines(rows(10, 20))[:-1] + '"')
    with pytest.raises(PoolwiseError, match="changed while it was read"):
        read_files(place.opened, asked, place.reports)


def test_a_disk_that_refuses_the_store_costs_time_only(place: Place) -> None:
    place.put("a.csv", rows(10))
    place.reports.mkdir()
    place.store.write_text("in the way")
    assert place.read().n_rows == 10
    assert place.read().n_rows == 10
    assert place.names_read == ["a.csv"]


# -- hashes and tidiness --------------------------------------------------------------------------------------------


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names of the files that were hashed."""
    names: list[str] = []

    def counted(path: Path, name: str | None = None) -> str:
        names.append(path.name)
        return hash_file(path, name)

    monkeypatch.setattr(tasks.rows.store, "hash_file", counted)
    return names


def test_files_that_have_not_changed_are_not_hashed_again(
    place: Place, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.rows.store, "CLOCK_SECONDS", float("-inf"))
    a, b = place.put("a.csv", rows(3)), place.put("b.csv", rows(4))
    expected = {"a.csv": hash_file(a), "b.csv": hash_file(b)}
    assert identify(place.opened, place.reports) == expected
    assert identify(place.opened, place.reports) == expected
    assert hashed == ["a.csv", "b.csv"]
    stamp = b.stat()
    while b.stat().st_ctime_ns == stamp.st_ctime_ns:  # a file system's clock may be coarse
        b.write_text(lines(rows(4)).replace("0", "1"))
        os.utime(b, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # as old and as long as before
    assert identify(place.opened, place.reports) == {"a.csv": hash_file(a), "b.csv": hash_file(b)}
    assert hashed == ["a.csv", "b.csv", "b.csv"]


def test_a_file_that_just_changed_is_hashed_again(
    place: Place, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.rows.store, "CLOCK_SECONDS", float("inf"))
    place.put("a.csv", rows(3))
    for _ in range(2):
        identify(place.opened, place.reports)
    assert hashed == ["a.csv", "a.csv"]


def test_damaged_hashes_are_taken_again(place: Place) -> None:
    path = place.put("a.csv", rows(3))
    (place.store / "s").mkdir(parents=True)
    for content in ("", "[]", "{", json.dumps({str(path): 3}), json.dumps({str(path): [1]})):
        (place.store / "s" / "hashes.json").write_text(content)
        assert identify(place.opened, place.reports) == {"a.csv": hash_file(path)}


def test_digests_that_nobody_asks_for_go_in_the_end(place: Place) -> None:
    place.put("a.csv", rows(10))
    place.read()
    (old,) = [path for path in (place.store / "s").iterdir() if path.is_dir()]
    place.asked = study(**UNIQUE)
    place.read()
    assert old.exists()
    os.utime(old, (0, 0))
    place.read()
    assert not old.exists()
    assert len(list(place.store.glob("s/*/*.npz"))) == 1


def test_parquet_and_chunks_reduce_alike(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pd.DataFrame(rows(20), columns=["y", "g", "x"])
    table.astype({"y": float, "x": float}).to_parquet(place.folder / "a.parquet")
    place.asked = study(source="*.parquet")
    whole = place.read()
    monkeypatch.setattr(csv_files, "CHUNK_ROWS", 6)
    chunked = place.read()
    assert chunked.n_rows == whole.n_rows == 20
    np.testing.assert_array_equal(chunked.sample.y, whole.sample.y)
    np.testing.assert_array_equal(chunked.sample.group_index, whole.sample.group_index)
    assert chunked.products.gram[:, 0, 0].tolist() == whole.products.gram[:, 0, 0].tolist()
