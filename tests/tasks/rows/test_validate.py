"""Rows against their study: every reason is kept, every row is accounted for, and structure is required."""

from __future__ import annotations

import csv
import pickle
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.opening.studies import OpenedStudy
from tasks.rows.collect import Collected, collect
from tasks.rows.read_files import read_files
from tasks.rows.study_files import hash_files
from tasks.rows.validate import rejections_frame, schema_of
from tasks.rows.values import ColumnReading
from tasks.study.errors import DataRejected, Rejection
from tasks.study.model import Study

Row = tuple[str, str, str]
GOOD: list[Row] = [
    ("1.5", "a", "1"),
    ("2.25", "a", "2.5"),
    ("3.5", "b", "3"),
    ("4.5", "b", "1"),
    ("5.5", "c", "7"),
    ("6", "c", "8"),
]


def study(rules: dict[str, Any] | None = None, **changes: Any) -> Study:
    least = {"name": "s", "title": "t", "outcome": "y", "group": "g", "predictors": ["x"]}
    return Study.model_validate({**least, "rules": {"max_rejected_share": 1.0, **(rules or {})}, **changes})


def collected(
    tables: dict[str, Sequence[tuple[str, ...]]], asked: Study, columns: Sequence[str] = ("y", "g", "x")
) -> Collected:
    """What a run makes of files with these rows; a further column numbers them, so that no line is blank."""
    with TemporaryDirectory() as folder:
        opened = OpenedStudy(asked.model_copy(update={"source": "*.csv"}), Path(folder), "")
        for name, rows in tables.items():
            table = pd.DataFrame(list(rows), columns=list(columns), dtype="str").assign(n=range(len(rows)))
            table.to_csv(opened.folder / name, index=False, quoting=csv.QUOTE_ALL)
        return collect(read_files(opened, hash_files(opened), Path(folder, "reports")), asked)


def validated(rows: Sequence[tuple[str, ...]], asked: Study | None = None, **kwargs: Any) -> Collected:
    return collected({"a.csv": rows}, asked or study(), **kwargs)


def stopped(rows: Sequence[tuple[str, ...]], asked: Study | None = None, **kwargs: Any) -> DataRejected:
    with pytest.raises(DataRejected) as caught:
        validated(rows, asked, **kwargs)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3
    return caught.value


def test_good_rows_become_grouped_data() -> None:
    result = validated(GOOD)
    assert result.rejections == ()
    assert result.sample.labels == ("a", "b", "c")
    assert result.sample.terms == ("intercept", "x")
    assert result.sample.y.tolist() == [1.5, 2.25, 3.5, 4.5, 5.5, 6]
    assert result.sample.x.tolist() == [[1], [2.5], [3], [1], [7], [8]]
    assert result.sample.group_index.tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("row", "column", "value", "rule"),
    [
        (("", "a", "1"), "y", "", "missing"),
        (("  ", "a", "1"), "y", "  ", "missing"),
        (("1", "a", "NaN"), "x", "NaN", "missing"),
        (("1", "a", "n/a"), "x", "n/a", "missing"),
        (("1", " ", "2"), "g", " ", "missing"),
        (("abc", "a", "1"), "y", "abc", "not a number"),
        (("1,5", "a", "1"), "y", "1,5", "not a number"),
        (("1 000", "a", "1"), "y", "1 000", "not a number"),
        (("=1+1", "a", "1"), "y", "=1+1", "not a number"),
        (("1", "a", "-inf"), "x", "-inf", "infinite"),
        (("1e999", "a", "1"), "y", "1e999", "infinite"),
        (("-0.1", "a", "1"), "y", "-0.1", "below 0"),
        (("1000.5", "a", "1"), "y", "1000.5", "above 1000"),
        (("1", "d", "1"), "g", "d", "unknown group"),
        (("1", "A", "1"), "g", "A", "unknown group"),
    ],
)
def test_a_bad_row_is_kept_with_place_value_and_rule(row: Row, column: str, value: str, rule: str) -> None:
    asked = study({"ranges": {"y": {"min": 0, "max": 1000}}, "groups": ["a", "b", "c"]})
    result = validated([*GOOD, row], asked)
    assert result.rejections == (Rejection("a.csv", 7, column, value, rule),)
    assert result.rejected_by_rule == {f"{column}: {rule}": 1}
    assert (result.n_rows, result.n_rejected, result.files[0].n_rows) == (6, 1, 7)


def test_limits_themselves_are_good() -> None:
    assert validated(GOOD, study({"ranges": {"y": {"min": 1.5, "max": 6}}})).n_rejected == 0


def test_every_reason_of_a_row_is_told_at_once_in_the_study_s_order() -> None:
    result = validated([("x", "", "inf"), *GOOD, ("", "a", "")])
    assert [(each.row, each.column, each.rule) for each in result.rejections] == [
        (1, "y", "not a number"),
        (1, "g", "missing"),
        (1, "x", "infinite"),
        (8, "y", "missing"),
        (8, "x", "missing"),
    ]
    assert result.n_rejected == 2


def test_the_first_good_row_of_a_key_stays() -> None:
    days = [
        ("bad", "a", "1"),
        *[(y, g, str(i)) for i, (y, g, _) in enumerate(GOOD, 1)],
        ("9", " a", "1.0"),
        ("8", "a", "01"),
    ]
    result = validated(days, study({"unique": ["g", "x"]}))
    assert [(each.row, each.column, each.value, each.rule) for each in result.rejections] == [
        (1, "y", "bad", "not a number"),
        (8, "g, x", " a, 1.0", "duplicate of row 2 in a.csv"),
        (9, "g, x", "a, 01", "duplicate of row 2 in a.csv"),
    ]
    assert result.rejected_by_rule == {"g, x: duplicate": 2, "y: not a number": 1}


def test_duplicates_are_found_across_files_and_keys_outside_the_model() -> None:
    asked = study({"unique": ["id"]})
    columns = ("y", "g", "x", "id")
    first = [(*row, str(i)) for i, row in enumerate(GOOD)]
    second = [("1", "a", "2", "6"), ("1", "a", "2", " 3"), ("1", "a", "2", "")]
    result = collected({"a.csv": first, "b.csv": second, "c.csv": []}, asked, columns)
    assert result.rejections == (
        Rejection("b.csv", 2, "id", " 3", "duplicate of row 4 in a.csv"),
        Rejection("b.csv", 3, "id", "", "missing"),
    )
    assert [(file.name, file.n_rows, file.n_rejected) for file in result.files] == [
        ("a.csv", 6, 0),
        ("b.csv", 3, 2),
        ("c.csv", 0, 0),
    ]
    assert len({file.sha256 for file in result.files}) == 3


def test_labels_are_stripped_and_in_natural_order() -> None:
    rows = [
        (str(i), label, str(i % 3))
        for i, label in enumerate(["10", " 2", "2 ", "-1", "ward 10", "Ward 9", "😀", "2.5"])
    ]
    assert validated(rows).sample.labels == ("-1", "2", "2.5", "10", "Ward 9", "ward 10", "😀")


def test_a_decimal_comma_is_an_option() -> None:
    rows = [(y.replace(".", ","), g, x.replace(".", ",")) for y, g, x in GOOD]
    assert validated(rows, study(decimal=",")).sample.y.tolist() == validated(GOOD).sample.y.tolist()
    assert validated(rows).sample.y.tolist() == validated(GOOD).sample.y.tolist()
    assert validated(rows, study(decimal=".")).sample.y.tolist() == validated(GOOD).sample.y.tolist()


def test_too_large_a_share_of_bad_rows_stops_the_run_with_all_reasons() -> None:
    scattered = [(str(float(y) + 0.1 * (i % 4)), g, x) for i, (y, g, x) in enumerate(GOOD * 3)]
    rows = [*scattered, ("", "a", "1"), ("", "b", "1")]
    assert validated(rows, study({"max_rejected_share": 0.1})).n_rejected == 2
    error = stopped(rows, study({"max_rejected_share": 0.099}))
    assert "2 of 20 rows (10 %) were rejected; at most 9.9 % may be" in str(error)
    assert [(each.row, each.rule) for each in error.rejections] == [(19, "missing"), (20, "missing")]


def test_rejections_survive_a_journey_between_processes() -> None:
    error = stopped([*GOOD, ("", "a", "1")], study({"max_rejected_share": 0.0}))
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.rejections) == (str(error), error.rejections)


@pytest.mark.parametrize(
    ("rows", "changes", "part"),
    [
        ([], {}, "no rows, only column names"),
        ([("1", "a", "1"), ("2", "a", "2")], {}, "same g, 'a'"),
        ([(str(i), str(i), str(i * i)) for i in range(9)], {}, "a g of its own"),
        (GOOD[:5], {}, "5 usable rows are fewer than the 6 parameters"),
        ([*GOOD, ("", "a", "1")], {"rules": {"min_rows": 7, "max_rejected_share": 1}}, "6 rows of 7 can be used"),
        ([("", "", "")], {}, "0 rows of 1 can be used"),
        ([(y, g, "7") for y, g, _ in GOOD], {}, "predictor 'x' is 7 in all 6 usable rows"),
        ([("0.1", g, x) for _, g, x in GOOD], {}, "outcome 'y' is 0.1 in all 6 usable rows"),
    ],
)
def test_rows_that_cannot_carry_the_model_stop_the_run(rows: list[Row], changes: dict[str, Any], part: str) -> None:
    assert part in str(stopped(rows, study(**changes)))


def test_structural_failures_tell_of_rows_rejected_before() -> None:
    error = stopped([*GOOD[:5], ("?", "c", "8")])
    assert "Rows rejected before: 1. Most often: y: not a number in 1 row (first: '?' in row 6 of a.csv)." in str(error)
    assert len(error.rejections) == 1


def test_perfectly_collinear_predictors_are_named() -> None:
    rng = np.random.default_rng(1)
    inches, other = rng.normal(70, 3, 40), rng.normal(size=40)
    centimetres = 2.54 * inches + 1e6
    rows = [
        (str(i % 7), str(i % 4), *map(repr, each))
        for i, each in enumerate(np.column_stack([inches, other, centimetres]).tolist())
    ]
    columns, predictors = ("y", "g", "inches", "other", "cm"), ["inches", "other", "cm"]
    message = str(stopped(rows, study(predictors=predictors, varying=[]), columns=columns))
    assert "'inches' and 'cm' say the same" in message
    near = [(*row[:4], repr(float(row[4]) + i % 2)) for i, row in enumerate(rows)]
    assert validated(near, study(predictors=predictors, varying=[]), columns=columns).sample.x.shape == (40, 3)


def test_intercept_only_studies_need_no_predictor() -> None:
    data = validated(GOOD, study(predictors=[])).sample
    assert data.x.shape == (6, 0)
    assert data.terms == ("intercept",)


def test_the_schema_is_built_from_the_study() -> None:
    asked = study({"groups": ["a"], "unique": ["g", "day"], "ranges": {"x": {"max": 3}}})
    schema = schema_of(asked, {"y": ColumnReading(), "x": ColumnReading()})
    assert list(schema.columns) == ["y", "x", "g", "day"]
    assert [check.error for check in schema.columns["x"].checks] == ["infinite", "beyond ±1e+50", "above 3"]
    assert [check.error for check in schema.columns["g"].checks] == [
        "longer than 1,000 characters",
        "unknown group",
    ]


def test_rejections_become_a_table_that_says_what_the_file_said() -> None:
    rejections = validated([*GOOD, ("=HYPERLINK(1)", "a", "-")]).rejections
    table = rejections_frame(rejections)
    assert list(table) == ["file", "row", "column", "value", "rule"]
    assert table["value"].tolist() == ["'=HYPERLINK(1)", "'-"], "which a spreadsheet takes for text"
    assert list(rejections_frame(())) == ["file", "row", "column", "value", "rule"]


number = st.sampled_from(["1", "2.5", "-3", "1e1", "", "x", "inf", "nan", "99", " 4 "])
label = st.sampled_from(["a", "b", "c", " a", "", "z"])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(number, label, number), max_size=30), st.booleans())
def test_every_row_is_either_used_or_rejected(rows: list[Row], is_unique: bool) -> None:
    rules = {"ranges": {"y": {"max": 50}}, "groups": ["a", "b", "c"], "unique": ["g", "x"] if is_unique else []}
    good = [(str(i), "abc"[i % 3], str(i * i + 100)) for i in range(7)]
    result = validated([*good, *rows], study(rules))
    rejected = {each.row for each in result.rejections}
    assert result.sample.n_rows + result.n_rejected == len(good) + len(rows)
    assert result.n_rejected == len(rejected) == result.files[0].n_rejected
    assert sum(result.rejected_by_rule.values()) == len(result.rejections)
    used = [row for i, row in enumerate([*good, *rows], 1) if i not in rejected]
    assert result.sample.y.tolist() == [float(y) for y, _, _ in used]
    assert [result.sample.labels[j] for j in result.sample.group_index] == [g.strip() for _, g, _ in used]


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(20)))
def test_the_order_of_rows_changes_no_group(order: list[int]) -> None:
    rows = [(str(i), str(i % 12), str(i * i)) for i in range(20)]
    result = validated([rows[i] for i in order]).sample
    assert result.labels == tuple(str(i) for i in range(12))
    pairs = Counter((float(y), int(g)) for y, g, _ in rows)
    assert Counter(zip(result.y.tolist(), result.group_index.tolist(), strict=True)) == pairs
