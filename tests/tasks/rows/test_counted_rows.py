"""Rows of counted outcomes: what is rejected and why, what becomes of the rest, and what stops a run."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from tasks.opening.studies import OpenedStudy
from tasks.rows import csv_files
from tasks.rows.collect import Collected, collect
from tasks.rows.read_files import read_files
from tasks.rows.study_files import hash_files
from tasks.stats.fits.cells import Cells, cells_of
from tasks.stats.rows import digest as digests
from tasks.stats.rows.data_findings import findings_of_rows
from tasks.study.errors import DataRejected, Rejection
from tasks.study.model import Study

COLUMNS = ("y", "n", "g", "x")
SUMS = ("x", "group_index", "events", "size", "n_rows")
Row = tuple[str, ...]
ROWS: list[Row] = [
    ("1", "10", "a", "1"),
    ("0", "12", "a", "2"),
    ("3", "9", "b", "1"),
    ("2", "30", "b", "3"),
    ("4", "4", "c", "2"),
    ("0", "1", "c", "5"),
]
ONES: list[Row] = [
    (y, "1", g, x)
    for y, g, x in zip("011001010", "aaabbbccc", ("1", "2", "4", "1", "3", "2", "5", "2", "1"), strict=True)
]
FAMILIES: dict[str, dict[str, Any]] = {
    "trials": {"family": "binomial", "trials": "n"},
    "one trial": {"family": "binomial"},
    "exposure": {"family": "poisson", "exposure": "n"},
    "count": {"family": "poisson"},
}


def study(kind: str, rules: dict[str, Any] | None = None, **changes: Any) -> Study:
    least = {"name": "s", "title": "t", "outcome": "y", "group": "g", "predictors": ["x"], "varying": []}
    kept = {"max_rejected_share": 1.0, **(rules or {})}
    return Study.model_validate({**least, **FAMILIES[kind], "rules": kept, "source": "*.csv", **changes})


def collected(asked: Study, *tables: Sequence[Row], columns: Sequence[str] = COLUMNS) -> Collected:
    with TemporaryDirectory() as folder:
        opened = OpenedStudy(asked, Path(folder), "")
        for i, rows in enumerate(tables):
            table = pd.DataFrame(list(rows), columns=list(columns), dtype="str").assign(line=range(len(rows)))
            table.to_csv(opened.folder / f"{i}.csv", index=False, quoting=csv.QUOTE_ALL)
        return collect(read_files(opened, hash_files(opened), Path(folder, "reports")), asked)


def cells(asked: Study, *tables: Sequence[Row]) -> Cells:
    found = collected(asked, *tables).cells
    assert found is not None
    return found


def stopped(asked: Study, rows: Sequence[Row]) -> str:
    with pytest.raises(DataRejected) as caught:
        collected(asked, rows)
    assert "\n" not in str(caught.value)
    return str(caught.value)


HOSTILE = [
    ("trials", ("3.5", "10"), "y", "3.5", "not a whole number"),
    ("trials", ("-1", "10"), "y", "-1", "below 0"),
    ("trials", ("11", "10"), "y", "11", "more events than trials"),
    ("trials", ("1", "0"), "n", "0", "below 1"),
    ("trials", ("1", "-3"), "n", "-3", "below 1"),
    ("trials", ("1", "2.5"), "n", "2.5", "not a whole number"),
    ("trials", ("1", ""), "n", "", "missing"),
    ("trials", ("1", "many"), "n", "many", "not a number"),
    ("trials", ("1", "inf"), "n", "inf", "infinite"),
    ("trials", ("1", "1e16"), "n", "1e16", "above 1e+15"),
    ("trials", ("", "10"), "y", "", "missing"),
    ("trials", ("true", "10"), "y", "true", "not a number"),
    ("one trial", ("2", "1"), "y", "2", "neither 0 nor 1"),
    ("one trial", ("0.5", "1"), "y", "0.5", "neither 0 nor 1"),
    ("one trial", ("-1", "1"), "y", "-1", "neither 0 nor 1"),
    ("one trial", ("inf", "1"), "y", "inf", "infinite"),
    ("one trial", ("perhaps", "1"), "y", "perhaps", "not a number"),
    ("exposure", ("1.25", "3"), "y", "1.25", "not a whole number"),
    ("exposure", ("-2", "3"), "y", "-2", "below 0"),
    ("exposure", ("2", "0"), "n", "0", "not above 0"),
    ("exposure", ("2", "-0.5"), "n", "-0.5", "not above 0"),
    ("exposure", ("2", "inf"), "n", "inf", "infinite"),
    ("exposure", ("2", "NA"), "n", "NA", "missing"),
    ("exposure", ("2", "1e60"), "n", "1e60", "beyond ±1e+50"),
    ("count", ("0.1", "1"), "y", "0.1", "not a whole number"),
    ("count", ("nan", "1"), "y", "nan", "missing"),
]


@pytest.mark.parametrize(("kind", "values", "column", "value", "rule"), HOSTILE)
def test_a_row_that_counts_nothing_is_kept_with_place_value_and_rule(
    kind: str, values: tuple[str, str], column: str, value: str, rule: str
) -> None:
    rows = ONES if kind == "one trial" else ROWS
    found = collected(study(kind), [*rows, (*values, "a", "1")])
    assert found.rejections == (Rejection("0.csv", len(rows) + 1, column, value, rule),)
    assert found.n_rows == len(rows)
    assert found.cells is not None
    assert found.cells.n_rows.sum() == len(rows)


def test_every_reason_is_told_but_no_row_twice_for_one() -> None:
    found = collected(study("trials"), [*ROWS, ("-1.5", "0.5", "a", "1"), ("20", "2.5", "a", "1")])
    assert [(each.row, each.column, each.rule) for each in found.rejections] == [
        (7, "y", "not a whole number"),
        (7, "y", "below 0"),
        (7, "n", "not a whole number"),
        (7, "n", "below 1"),
        (8, "n", "not a whole number"),
    ]


def test_limits_of_the_study_hold_beside_those_of_counts() -> None:
    limits = {"ranges": {"y": {"min": -5, "max": 3}, "n": {"min": 2}}}
    found = collected(study("trials", limits), [*ROWS, ("-1", "5", "a", "1")])
    assert [(each.row, each.column, each.rule) for each in found.rejections] == [
        (5, "y", "above 3"),
        (6, "n", "below 2"),
        (7, "y", "below 0"),
    ]


def test_large_counts_keep_their_last_digit() -> None:
    rows = [*ROWS, ("999999999999999", "1000000000000000", "a", "1"), ("1", "1e15", "a", "1")]
    found = cells(study("trials"), rows)
    first = (found.group_index == 0) & (found.x[:, 0] == 1)
    assert found.events[first].tolist() == [10**15 + 1]
    assert found.size[first].tolist() == [2 * 10**15 + 10]


def test_numbers_with_decimal_commas_are_counts_too() -> None:
    rows = [(f"{y},0", f"{n},00", g, f"{x},5") for y, n, g, x in ROWS]
    found = cells(study("trials"), rows)
    assert (found.events.sum(), found.size.sum()) == (10, 66)
    halves = collected(study("exposure"), [(y, f"{n},5", g, x) for y, n, g, x in ROWS])
    assert halves.cells is not None
    assert halves.cells.size.sum() == 69


@pytest.mark.parametrize(("no", "yes"), [("false", "true"), ("FALSE", "TRUE"), ("False", "True"), ("0", "1")])
def test_true_and_false_are_events_and_none(no: str, yes: str) -> None:
    rows = [(yes if y == "1" else no, n, g, x) for y, n, g, x in ONES]
    assert collected(study("one trial"), rows).sample.y.tolist() == [float(y) for y, *_ in ONES]


def test_words_are_events_by_the_study_s_codes_only() -> None:
    rows = [("yes" if y == "1" else "no", n, g, x) for y, n, g, x in ONES]
    asked = study("one trial", codes={"y": {"yes": 1, "no": 0}})
    assert collected(asked, rows).sample.y.tolist() == [float(y) for y, *_ in ONES]
    assert "codes" in stopped(study("one trial"), rows)


@pytest.mark.parametrize("kind", FAMILIES)
def test_the_sample_carries_sizes(kind: str) -> None:
    found = collected(study(kind), ONES if kind == "one trial" else ROWS)
    wanted = [float(row[1]) for row in ROWS] if kind in ("trials", "exposure") else [1.0] * found.n_rows
    assert found.sample.size is not None
    assert found.sample.size.tolist() == wanted


def test_a_sampled_row_keeps_its_own_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "SAMPLE_ROWS", 20)
    monkeypatch.setattr(csv_files, "CHUNK_ROWS", 7)
    rows = [(str(i % 4), str(100 + 10 * (i * 7 % 30)), "abc"[i % 3], str(i * 7 % 30)) for i in range(90)]
    found = collected(study("trials"), rows[:40], rows[40:])
    assert found.sample.size is not None
    assert found.sample.n_rows == 20
    np.testing.assert_array_equal(found.sample.size, 100 + 10 * found.sample.x[:, 0])
    assert found.cells is not None
    assert found.cells.n_rows.sum() == 90


def test_a_measured_outcome_has_neither_cells_nor_sizes() -> None:
    asked = Study.model_validate(study("count").model_dump() | {"family": "normal"})
    found = collected(asked, ROWS)
    assert found.cells is None
    assert found.sample.size is None


WORDS = ("low", "middle", "high", "other")
drawn = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 4), st.sampled_from("abcd"), st.integers(0, 2), st.sampled_from(WORDS)),
    min_size=25,
    max_size=60,
)


@settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
@given(drawn, st.sampled_from(["trials", "exposure"]), st.data())
def test_files_chunks_and_orders_give_the_cells_of_all_rows(
    rows: list[tuple[int, int, str, int, str]], kind: str, data: st.DataObject
) -> None:
    every = [(str(y), str(y + more + 1), g, str(x), word) for y, more, g, x, word in rows]
    every += [("1", "3", g, x, word) for g, word in zip("abcd", WORDS, strict=True) for x in "012"]
    asked = study(kind, predictors=["word", "x"], categories={"reference": {"word": "other"}})
    columns = ("y", "n", "g", "x", "word")
    whole = collected(asked, every, columns=columns)
    cuts = data.draw(st.lists(st.integers(1, len(every) - 1), max_size=3, unique=True).map(sorted))
    mixed = data.draw(st.permutations(every))
    parts = [mixed[start:end] for start, end in zip([0, *cuts], [*cuts, len(mixed)], strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_files, "CHUNK_ROWS", data.draw(st.integers(7, 40)))
        split = collected(asked, *parts, columns=columns)
    assert whole.cells is not None
    assert split.cells is not None
    levels = [level.name for level in whole.notes.categories[0].others]
    x = np.array([[*(float(row[4] == level) for level in levels), float(row[3])] for row in every])
    at_once = cells_of(
        whole.cells.family,
        np.array([float(row[0]) for row in every]),
        np.array([float(row[1]) for row in every]),
        x,
        np.array(["abcd".index(row[2]) for row in every]),
        "abcd",
        ("intercept", *(f"word: {level}" for level in levels), "x"),
    )
    for found in (whole.cells, split.cells):
        assert (found.labels, found.terms) == (at_once.labels, at_once.terms)
        assert found.constant == pytest.approx(at_once.constant, rel=1e-12, abs=1e-9)
        for name in SUMS:
            np.testing.assert_array_equal(getattr(found, name), getattr(at_once, name))


def test_exposures_add_up_but_for_rounding_and_the_same_files_give_the_same_digits() -> None:
    rng = np.random.default_rng(4)
    rows = [
        (str(rng.poisson(2)), f"{rng.uniform(0.1, 9):.3f}", "abc"[rng.integers(3)], str(rng.integers(3)))
        for _ in range(300)
    ]
    asked = study("exposure")
    one, several = cells(asked, rows), cells(asked, rows[200:], rows[:90], rows[90:200])
    np.testing.assert_allclose(one.size, several.size, rtol=1e-13)
    np.testing.assert_array_equal(one.events, several.events)
    renamed = cells(asked, rows[:90], rows[90:200], rows[200:])
    np.testing.assert_array_equal(several.size, renamed.size)


def test_labels_that_are_joined_have_one_cell() -> None:
    rows = [*ROWS, ("1", "5", "A", "1"), ("2", "7", " a ", "1")]
    found = cells(study("trials", labels={"join": ["case"]}), rows)
    assert found.labels == ("a", "b", "c")
    assert found.events[(found.group_index == 0) & (found.x[:, 0] == 1)].tolist() == [4]
    assert found.size[(found.group_index == 0) & (found.x[:, 0] == 1)].tolist() == [22]
    apart = cells(study("trials"), rows)
    assert len(apart.labels) == 4


@pytest.mark.parametrize("kind", FAMILIES)
def test_without_any_event_the_overall_rate_is_told(kind: str) -> None:
    rows = [("0", *row[1:]) for row in ROWS]
    n = 66 if kind in ("trials", "exposure") else 6
    share = 1 - 0.025 ** (1 / n) if "trial" in kind else stats.chi2.ppf(0.975, 2) / 2 / n
    said = stopped(study(kind), rows)
    assert "'y' has no event in any of the 6 usable rows" in said
    unit = "unit of exposure" if kind == "exposure" else "row"
    shown = f"0 to {100 * share:.3g} %" if "trial" in kind else f"0 to {share:.3g} per {unit}. Add"
    assert shown in said


def test_rates_are_told_as_the_study_shows_them() -> None:
    rows = [("0", *row[1:]) for row in ROWS]
    upper = 1 - 0.025 ** (1 / 66)
    said = stopped(study("trials", rates={"per": 1000, "of": "admissions"}), rows)
    assert "in 66 admissions, so" in said
    assert f"0 to {1000 * upper:.3g} per 1,000 admissions" in said


def test_nothing_but_events_stops_trials_and_no_counts() -> None:
    rows = [(row[1], *row[1:]) for row in ROWS]
    said = stopped(study("trials"), rows)
    assert "nothing but events in all 6 usable rows, in 66 trials" in said
    assert f"{100 * 0.025 ** (1 / 66):.3g} to 100 %" in said
    assert collected(study("exposure"), rows).n_rows == 6


@pytest.mark.parametrize("kind", ["trials", "exposure", "count"])
def test_an_outcome_that_is_the_same_in_all_rows_is_compared_by_its_trials(kind: str) -> None:
    rows = [("1", *row[1:]) for row in ROWS]
    found = collected(study(kind, varying=None), rows)
    assert found.n_rows == 6
    told = findings_of_rows(found.products, found.n_rejected, found.notes)
    assert told.group_level == ()


def test_a_predictor_of_the_groups_does_not_vary_though_the_outcome_is_constant() -> None:
    rows = [("1", n, g, str("abc".index(g))) for _, n, g, _ in ROWS]
    asked = study("trials", varying=["x"])
    found = collected(asked, rows)
    assert found.study(asked).varying == ()


def test_an_outcome_that_follows_from_predictors_is_no_error_of_the_rows() -> None:
    rows = [(str(i % 2), "1", "abc"[i % 3], str(10 * (i % 2))) for i in range(12)]
    assert collected(study("one trial"), rows).n_rows == 12
    same_in_groups = [(str("abc".index(g)), n, g, x) for _, n, g, x in ROWS[:4]]
    assert collected(study("count"), same_in_groups).n_rows == 4


@pytest.mark.parametrize("kind", ["trials", "exposure", "count"])
def test_a_row_for_each_group_is_enough_where_chance_is_known(kind: str) -> None:
    rows = [(y, n, str(i), x) for i, (y, n, _, x) in enumerate(ROWS)]
    assert collected(study(kind), rows).n_groups == 6


def test_one_trial_for_each_group_is_not() -> None:
    rows = [(y, "1", str(i), x) for i, (y, _, _, x) in enumerate(ONES)]
    assert "groups cannot be told from chance" in stopped(study("one trial"), rows)
    assert "groups cannot be told from chance" in stopped(study("trials"), rows)


def test_a_constant_predictor_is_still_refused() -> None:
    assert "The predictor 'x' is 1" in stopped(study("trials"), [(*row[:3], "1") for row in ROWS])


def totals(kind: str, last: Row) -> list[tuple[str, bool]]:
    found = collected(study(kind), [*ROWS, last])
    return [(each.label, each.is_sum) for each in found.notes.reading.totals]


def test_a_row_that_adds_up_events_and_sizes_is_found() -> None:
    assert totals("trials", ("10", "66", "z", "1")) == [("z", True)]
    assert totals("trials", ("10", "65", "z", "1")) == []
    assert totals("trials", ("9", "66", "z", "1")) == []
    assert totals("trials", ("9", "60", "Total", "1")) == [("Total", False)]
    assert totals("exposure", ("10", "66.01", "z", "1")) == [("z", True)]
    assert totals("exposure", ("10", "12", "z", "1")) == []
    assert totals("count", ("10", "1", "z", "1")) == [("z", True)]


def test_one_event_beside_one_other_is_no_total() -> None:
    rows = [("0", "1", g, x) for _, _, g, x in ONES[1:]] + [("1", "1", "a", "3"), ("1", "1", "z", "2")]
    assert collected(study("one trial"), rows).notes.reading.totals == ()


def test_codes_for_missing_values_are_looked_for_in_sizes() -> None:
    rows = [(str(i % 3), "99999" if i % 7 == 0 else str(10 + i % 5), "abc"[i % 3], str(i % 4)) for i in range(40)]
    found = collected(study("trials"), rows)
    (code,) = found.notes.reading.missing_codes
    assert (code.column, code.spelled, code.n_rows) == ("n", "99999", 6)


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        ("one trial", ("7", "1"), 'trials = "..."'),
        ("trials", ("70", "7"), 'family = "poisson"'),
        ("trials", ("0.7", "7"), "A rate or a percentage is no count"),
    ],
)
def test_what_would_help_is_said(kind: str, values: tuple[str, str], said: str) -> None:
    rows = ONES if kind == "one trial" else ROWS
    assert said in collected(study(kind), [*rows, (*values, "a", "1")]).notes.reading.hint
