"""From files to what is noticed of them: labels that are one group, files that are one delivery; joined or dropped."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tasks.rows.read_files
from tasks.opening.studies import OpenedStudy
from tasks.rows.collect import Collected, collect
from tasks.rows.read_files import read_files
from tasks.rows.study_files import hash_files
from tasks.stats.fits.cross_products import cross_products
from tasks.stats.labels import LabelNotes
from tasks.stats.rows import copies
from tasks.stats.rows.copies import Copies
from tasks.study.errors import DataRejected
from tasks.study.model import Study

Row = Sequence[str]
HEADER = ("g", "x", "y")


def rows(n: int, labels: Sequence[str] = ("Kent", "Essex", "Devon", "Dorset"), seed: int = 1) -> list[Row]:
    rng = np.random.default_rng(seed)
    return [(labels[i % len(labels)], f"{rng.normal(10, 4):.4f}", f"{rng.normal(60, 6):.4f}") for i in range(n)]


def table(content: Sequence[Row], header: Row = HEADER, **dialect: Any) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=dialect.pop("lineterminator", "\n"), **dialect).writerows([header, *content])
    return text.getvalue()


def opened(folder: Path, **changes: Any) -> OpenedStudy:
    least = {"name": "s", "title": "t", "source": "*.*", "outcome": "y", "group": "g", "predictors": ["x"]}
    return OpenedStudy(Study.model_validate({**least, **changes}), folder, "")


def collected(folder: Path, n_read: int | None = None, **changes: Any) -> Collected:
    asked = opened(folder, **changes)
    read = read_files(asked, hash_files(asked), folder / "reports")
    assert n_read is None or len(read.names_read) == n_read
    return collect(read, asked.study)


def labels_of(made: Collected) -> LabelNotes:
    assert made.notes.labels is not None
    return made.notes.labels


def copies_of(made: Collected) -> Copies:
    assert made.notes.copies is not None
    return made.notes.copies


# -- labels -----------------------------------------------------------------------------------------------------------

FIPS = ("01001", "01003", "02013", "06037")


def put_fips(folder: Path) -> None:
    (folder / "a.csv").write_text(table(rows(40, FIPS)))
    (folder / "b_excel.csv").write_text(table(rows(44, [str(int(label)) for label in FIPS], seed=2)))


def test_labels_that_lost_their_zeros_are_named_with_rows_and_files(tmp_path: Path) -> None:
    put_fips(tmp_path)
    made = collected(tmp_path)
    assert made.n_groups == 8
    found = labels_of(made).alike
    assert [sorted(each.label for each in one.labels) for one in found] == [[one, str(int(one))] for one in FIPS]
    first = found[0].labels
    assert [(each.label, each.n_rows, each.files) for each in first] == [
        ("1001", 11, ("b_excel.csv",)),
        ("01001", 10, ("a.csv",)),
    ]
    assert {one.differ_in for one in found} == {("zeros",)}


@pytest.mark.parametrize(
    ("labels", "names"),
    [({"join": ["zeros"]}, ("1001", "1003", "2013", "6037")), ({"pad": 5}, FIPS)],
)
def test_a_setting_joins_them_without_reading_again(tmp_path: Path, labels: Any, names: tuple[str, ...]) -> None:
    put_fips(tmp_path)
    collected(tmp_path, n_read=2)
    made = collected(tmp_path, n_read=0, labels=labels)
    assert made.products.labels == made.sample.labels == names
    assert labels_of(made).alike == ()
    assert {each.label: sum(part.n_rows for part in each.parts) for each in labels_of(made).joined} == dict.fromkeys(
        names, 21
    )
    expected = cross_products(made.sample, made.products.offset)
    np.testing.assert_allclose(made.products.gram, expected.gram, rtol=1e-9, atol=1e-6)


def test_neither_the_order_of_files_nor_their_names_change_what_is_joined(tmp_path: Path) -> None:
    for name, order in {"one": ("a.csv", "b.csv"), "other": ("b.csv", "a.csv")}.items():
        (tmp_path / name).mkdir()
        for file, labels in zip(order, (("Kent", "ESSEX"), ("kent", "Essex")), strict=True):
            (tmp_path / name / file).write_text(table(rows(20, labels, seed=len(labels[0]) + ord(labels[0][0]))))
    one, other = (collected(tmp_path / name, labels={"join": ["case"]}) for name in ("one", "other"))
    assert one.products.labels == other.products.labels == ("ESSEX", "Kent")
    np.testing.assert_array_equal(one.products.gram, other.products.gram)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_decomposed_names_are_composed_in_labels_and_headers(tmp_path: Path, suffix: str) -> None:
    """As macOS writes them; and with what cannot be seen around them."""
    content = table(rows(40, ("Žilina", "Łódź", "São Paulo", "Göteborg")), ("städte", "x", "y"))
    (tmp_path / "a.csv").write_text(content)
    decomposed = table(
        rows(40, ("Z\u030cilina", "Ło\u0301dz\u0301\u200b", "\ufeffSa\u0303o Paulo", "Go\u0308teborg\u00a0"), seed=2),
        ("sta\u0308dte", "x", "y\u200b"),
    )
    if suffix == "csv":
        (tmp_path / "b.csv").write_text(decomposed)
    else:
        pd.read_csv(io.StringIO(decomposed)).to_parquet(tmp_path / "b.parquet")
    made = collected(tmp_path, group="sta\u0308dte")
    assert made.products.labels == ("göteborg".title(), "São Paulo", "Łódź", "Žilina")
    assert labels_of(made).alike == ()
    assert made.sample.n_rows == 80


def test_a_group_called_na_is_kept_and_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(table(rows(40, ("NA", "DE", "FR", "GB"))))
    made = collected(tmp_path)
    assert made.products.labels == ("DE", "FR", "GB", "NA")
    assert [(each.label, each.n_rows, each.files) for each in labels_of(made).missing_like] == [("NA", 10, ("a.csv",))]
    assert labels_of(collected(tmp_path, labels={"distinct": ["NA"]})).missing_like == ()
    left_out = collected(tmp_path, missing=["NA"], rules={"max_rejected_share": 1.0})
    assert (left_out.n_rows, left_out.n_rejected, labels_of(left_out).missing_like) == (30, 10, ())


def test_allowed_groups_and_keys_are_compared_as_labels_are_joined(tmp_path: Path) -> None:
    put_fips(tmp_path)
    rules: dict[str, Any] = {"groups": list(FIPS[:3]), "max_rejected_share": 1.0}
    assert collected(tmp_path, rules=rules).n_rows == 30
    joined = collected(tmp_path, rules=rules, labels={"join": ["zeros"]})
    assert (joined.n_rows, joined.products.labels) == (63, FIPS[:3])
    unique = {"unique": ["g"], "max_rejected_share": 1.0}
    with pytest.raises(DataRejected, match="a g of its own"):
        collected(tmp_path, rules=unique, labels={"pad": 5})
    (tmp_path / "b_excel.csv").write_text(table([("1001", "10.0", "1"), ("1001", "11", "2"), ("7", "11", "2")]))
    (tmp_path / "a.csv").write_text(table([("01001", "10", "1"), *rows(20, FIPS)]))
    by_x = {"unique": ["g", "x"], "max_rejected_share": 1.0}
    assert collected(tmp_path, rules=by_x).n_rejected == 0
    padded = collected(tmp_path, rules=by_x, labels={"pad": 5})
    assert [(each.file, each.row, each.rule) for each in padded.rejections] == [
        ("b_excel.csv", 1, "duplicate of row 1 in a.csv")
    ]


# -- copies -----------------------------------------------------------------------------------------------------------

JAN = rows(80)
DRESSES: dict[str, str | bytes] = {
    "other line ends": table(JAN, lineterminator="\r\n"),
    "quoted": table(JAN, quoting=csv.QUOTE_ALL),
    "semicolons": table(JAN, delimiter=";"),
    "with a byte order mark": table(JAN).encode("utf-8-sig"),
    "utf-16": table(JAN).encode("utf-16"),
    "decimal commas": table([(g, x.replace(".", ","), y.replace(".", ",")) for g, x, y in JAN], delimiter=";"),
    "other order of columns": table([row[::-1] for row in JAN], HEADER[::-1]),
    "other order of rows": table(JAN[::-1]),
    "more zeros": table([(g, f"{x}0", f" {y}") for g, x, y in JAN]),
    "row numbers": table([(str(i), *row) for i, row in enumerate(JAN, 1)], ("", *HEADER)),
}


@pytest.mark.parametrize("dress", DRESSES)
def test_a_file_delivered_twice_in_another_dress_is_named_and_can_be_dropped(tmp_path: Path, dress: str) -> None:
    (tmp_path / "jan (1).csv").write_text(table(JAN))
    content = DRESSES[dress]
    (tmp_path / "jan.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    made = collected(tmp_path, n_read=2)
    assert made.n_rows == 160
    (shared,) = copies_of(made).shared
    assert (shared.earlier, shared.file, shared.n_rows, shared.by_study) == ("jan (1).csv", "jan.csv", 80, False)
    dropped = collected(tmp_path, rules={"copies": "drop"})
    assert (dropped.n_rows, dropped.n_rejected, dropped.n_copies) == (80, 0, 80)
    assert copies_of(dropped) == Copies(n_dropped=80, n_by_chance=copies_of(dropped).n_by_chance)
    assert [(file.n_rows, file.n_rejected, file.n_copies) for file in dropped.files] == [(80, 0, 0), (80, 0, 80)]
    assert dropped.rejected_by_rule == {"every column: copy": 80}
    assert {each.rule.split(" of row ")[0] for each in dropped.rejections} == {"copy"}
    assert {each.rule.split(" in ")[1] for each in dropped.rejections} == {"jan (1).csv"}


def test_parquet_beside_csv(tmp_path: Path) -> None:
    header = (*HEADER, "visit", "day")
    content = [(*row, str(i), f"2024-01-{1 + i % 28:02d}") for i, row in enumerate(JAN)]
    (tmp_path / "jan.csv").write_text(table(content, header))
    frame = pd.read_csv(tmp_path / "jan.csv").rename(columns=str.title).rename(columns=str.lower)
    frame.iloc[::-1].assign(visit=frame["visit"].astype("int32")).to_parquet(tmp_path / "jan.parquet")
    (shared,) = copies_of(collected(tmp_path)).shared
    assert (shared.n_rows, shared.by_study) == (80, False)
    assert collected(tmp_path, rules={"copies": "drop"}).n_copies == 80


def test_only_the_file_that_has_copies_is_read_for_them(tmp_path: Path) -> None:
    drop = {"rules": {"copies": "drop"}}
    (tmp_path / "1.csv").write_text(table(JAN))
    collected(tmp_path, n_read=1, **drop)
    (tmp_path / "2.csv").write_text(table([*JAN, *rows(40, seed=2)]))
    made = collected(tmp_path, n_read=1, **drop)
    assert (made.n_rows, made.n_copies) == (120, 80)
    (tmp_path / "3.csv").write_text(table([*JAN[:10], *rows(30, seed=3)]))
    assert collected(tmp_path, n_read=1, **drop).n_copies == 90
    assert collected(tmp_path, n_read=0, **drop).n_copies == 90
    assert copies_of(collected(tmp_path, n_read=3)).n_rows == 90


def test_to_keep_copies_needs_no_reading(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text(table(JAN))
    (tmp_path / "2.csv").write_text(table(JAN, lineterminator="\r\n"))
    collected(tmp_path, n_read=2)
    assert copies_of(collected(tmp_path, n_read=0, rules={"copies": "keep"})).n_rows == 80


def test_dropped_copies_are_no_rejected_rows(tmp_path: Path) -> None:
    """The run goes on though the study allows hardly any; a bad row still counts against the others."""
    (tmp_path / "1.csv").write_text(table(JAN))
    (tmp_path / "2.csv").write_text(table([*JAN, ("Kent", "?", "1")]))
    made = collected(tmp_path, rules={"copies": "drop", "max_rejected_share": 0.02})
    assert (made.n_rows, made.n_rejected, made.n_copies) == (80, 1, 80)
    with pytest.raises(DataRejected, match=r"1 of 81 rows \(1\.23 %\) were rejected"):
        collected(tmp_path, rules={"copies": "drop", "max_rejected_share": 0.01})


def test_a_row_is_a_copy_only_if_all_its_columns_are(tmp_path: Path) -> None:
    """With keys too: a copy is called a copy, another row of its key a duplicate."""
    header = (*HEADER, "visit")
    ids = [(*row, f"v{i}") for i, row in enumerate(JAN)]
    later = [
        ids[0],
        (*JAN[1], "other"),
        (*rows(1, seed=9)[0], "v2"),
        *[(*row, f"w{i}") for i, row in enumerate(rows(20, seed=4))],
    ]
    (tmp_path / "1.csv").write_text(table(ids, header))
    (tmp_path / "2.csv").write_text(table(later, header))
    made = collected(tmp_path, rules={"copies": "drop", "unique": ["visit"]})
    assert [(each.file, each.row, each.column, each.rule) for each in made.rejections] == [
        ("2.csv", 1, "every column", "copy of row 1 in 1.csv"),
        ("2.csv", 3, "visit", "duplicate of row 3 in 1.csv"),
    ]
    assert made.rejections[0].value == f"{ids[0][2]}, {ids[0][0]}, {ids[0][1]}, v0"
    assert (made.n_rejected, made.n_copies) == (1, 1)


def test_a_copy_counts_again_once_the_first_is_gone(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text(table(JAN))
    (tmp_path / "2.csv").write_text(table(JAN, lineterminator="\r\n"))
    assert collected(tmp_path, rules={"copies": "drop"}).n_rows == 80
    (tmp_path / "1.csv").unlink()
    assert (collected(tmp_path, n_read=0, rules={"copies": "drop"}).n_rows) == 80


def test_doubled_rows_of_a_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text(table([*rows(200), *rows(200)[50:55]]))
    made = collected(tmp_path)
    assert [(each.file, each.n_rows) for each in copies_of(made).repeated] == [("1.csv", 5)]
    assert collected(tmp_path, rules={"copies": "drop"}).n_copies == 5


def test_of_many_files_no_more_is_kept_than_can_be_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "MOST_HASHES", 2_000)
    monkeypatch.setattr(tasks.rows.read_files, "FILES_BETWEEN", 3)
    for i in range(10):
        (tmp_path / f"{i}.csv").write_text(table(rows(400, seed=i)))
    (tmp_path / "copy.csv").write_text(table(rows(400, seed=1), lineterminator="\r\n"))
    asked = opened(tmp_path)
    read = read_files(asked, hash_files(asked), tmp_path / "reports")
    assert sum(digest.sketch.rows.asked.size for digest in read.digests.values()) < 3_000
    (shared,) = copies_of(collect(read, asked.study)).shared
    assert (shared.earlier, shared.file, shared.is_about) == ("1.csv", "copy.csv", True)
    assert shared.n_rows == pytest.approx(400, rel=0.3)
