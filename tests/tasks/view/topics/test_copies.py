"""What is said of copies: how many, of which files, and advice that does no harm when it is followed."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.stats.rows.copies import Copies, RepeatedRows, SharedRows, judge_copies
from tasks.stats.rows.data_findings import DataFindings, DataNotes
from tasks.study.model import Study
from tasks.view.checks import Check
from tests.said import of_rows

JAN = SharedRows("jan.csv", "feb.csv", 80, 80, 80)


def told(found: Copies, copies: str | None = None, n_used: int = 160) -> Check:
    rules: dict[str, Any] = {"rules": {"copies": copies}} if copies else {}
    study = Study.model_validate({"name": "s", "title": "t", "outcome": "y", "group": "g", **rules})
    (judged,) = judge_copies(found, study.rules.copies, n_used)
    check = of_rows(study, DataFindings(n_used, 0, notes=DataNotes(copies=found)), judged)
    assert check.name == "copied_rows"
    return check


def test_nothing_looked_at_and_nothing_found() -> None:
    assert judge_copies(None, None, 1) == ()
    assert (told(Copies()).status, told(Copies()).value, told(Copies()).advice) == ("pass", 0, "")


@pytest.mark.parametrize(
    ("shared", "words"),
    [
        (JAN, "80 rows are exact copies of others: feb.csv and jan.csv hold the same 80 rows."),
        (SharedRows("a", "b", 80, 80, 160), "80 rows are exact copies of others: b holds all 80 rows of a."),
        (SharedRows("a", "b", 80, 160, 80), "all 80 rows of b stand in a too."),
        (SharedRows("a", "b", 20, 80, 1600), "20 of the 1,600 rows of b stand in a too."),
        (SharedRows("a", "b", 1, 80, 80), "1 row is an exact copy of others: 1 of the 80 rows of b stands in a too."),
        (
            SharedRows("a", "b", 3000, 60_000, 50_000, is_about=True),
            "About 3,000 rows are exact copies of others: about 3,000 of the 50,000 rows of b stand in a too.",
        ),
        (SharedRows("a", "b", 80, 80, 80, in_order=True), "b and a hold the same 80 rows in the same order."),
        (SharedRows("a", "b", 80, 80, 80, by_study=True), "b and a hold the same 80 rows, in the study's columns."),
    ],
)
def test_shared_rows_are_counted_and_files_named(shared: SharedRows, words: str) -> None:
    check = told(Copies((shared,)))
    assert (check.status, check.value) == ("review", shared.n_rows)
    assert check.message.endswith(words)


def test_rows_repeated_within_a_file() -> None:
    assert told(Copies(repeated=(RepeatedRows("a.csv", 5, 505),))).message == (
        "5 rows are exact copies of others: 5 rows of a.csv repeat earlier ones."
    )
    assert told(Copies(repeated=(RepeatedRows("a.csv", 1, 9),))).message.endswith(
        "1 row of a.csv repeats an earlier one."
    )


def test_many_findings_are_counted() -> None:
    check = told(Copies(tuple(SharedRows("a", f"b{i}", 10, 10, 20) for i in range(5))))
    assert check.value == 50
    assert check.message.endswith("; 2 more such findings.")


def test_advice_is_to_drop_only_where_chance_makes_no_equal_rows() -> None:
    assert 'set copies = "drop" under [rules] in the study file' in told(Copies((JAN,))).advice
    for found in (
        Copies((SharedRows("a", "b", 80, 80, 80, in_order=True),)),
        Copies((JAN,), n_by_chance=30.0),
        Copies((SharedRows("a", "b", 80, 80, 80, by_study=True),)),
    ):
        advice = told(found).advice
        assert "drop" not in advice
        assert "Take out" in advice
        assert 'set copies = "keep" under [rules]' in advice


def test_copies_that_are_meant_pass() -> None:
    check = told(Copies((JAN,)), "keep")
    assert (check.status, check.advice) == ("pass", "")
    assert check.message.endswith("hold the same 80 rows. They are kept, as the study asks.")


def test_dropped_copies_pass_unless_chance_made_them() -> None:
    check = told(Copies(n_dropped=80), "drop", 80)
    assert (check.status, check.value) == ("pass", 80)
    assert check.message == "80 rows that are exact copies were dropped, as the study asks."
    coarse = told(Copies(n_dropped=960, n_by_chance=1.0), "drop", 40)
    assert coarse.status == "review"
    assert 'set copies = "keep"' in coarse.advice
