"""What is said of labels: numbers, files, and a setting that can be typed as it stands."""

from __future__ import annotations

import tomllib
from typing import Any

from tasks.stats.labels import AlikeLabels, JoinedLabels, LabelCount, LabelNotes, judge_labels
from tasks.stats.rows.data_findings import DataFindings, DataNotes
from tasks.study.model import Study
from tasks.view.checks import Check
from tasks.view.topics.labels import shown
from tests.said import of_rows


def study(**changes: Any) -> Study:
    return Study.model_validate({"name": "s", "title": "t", "outcome": "y", "group": "g", **changes})


def check_labels(notes: LabelNotes, asked: Study) -> tuple[Check, ...]:
    found = DataFindings(100, 0, notes=DataNotes(labels=notes))
    return tuple(of_rows(asked, found, judged) for judged in judge_labels(notes))


def pair(one: str, other: str, *kinds: Any) -> AlikeLabels:
    return AlikeLabels((LabelCount(one, 12, ("a.csv",)), LabelCount(other, 1, ("b.csv",))), kinds)


def test_nothing_was_looked_at() -> None:
    assert judge_labels(None) == ()


def test_labels_that_need_no_look_pass() -> None:
    (check,) = check_labels(LabelNotes(), study())
    assert (check.name, check.status, check.value, check.advice) == ("alike_labels", "pass", 0, "")


def test_a_pair_is_named_with_rows_files_and_the_settings() -> None:
    (check,) = check_labels(LabelNotes((pair("01001", "1001", "zeros"),)), study())
    assert (check.status, check.value) == ("review", 1)
    assert check.message == (
        "One group may be counted as several, under labels that differ only in leading zeros: “01001” (12 rows in "
        "a.csv) and “1001” (1 row in b.csv)."
    )
    assert 'set join = ["zeros"] under [labels] in the study file (or set pad = 5 under [labels]' in check.advice
    assert 'if not, set distinct = ["01001", "1001"] under [labels] in the study file.' in check.advice


def test_advice_keeps_what_is_set_and_is_toml() -> None:
    asked = study(labels={"join": ["case"], "distinct": ["x"]}, missing=["-9"])
    found = LabelNotes((pair('a "b"  c', 'a "b" c', "space"),), (LabelCount("NA", 3, ("a.csv",)),))
    alike, missing = check_labels(found, asked)
    lines = [*alike.advice.split(" set ")[1:], *missing.advice.split(" set ")[1:]]
    typed = [
        tomllib.loads(line[: line.rindex("]", 0, line.index(" in the study")) + 1].replace(" under [labels]", ""))
        for line in lines
    ]
    assert typed == [
        {"join": ["case", "space"]},
        {"distinct": ["x", 'a "b"  c', 'a "b" c']},
        {"missing": ["-9", "NA"]},
        {"distinct": ["x", "NA"]},
    ]


def test_many_pairs_are_counted_not_listed() -> None:
    found = LabelNotes(tuple(pair(f"0{i}", f"{i}", "zeros") for i in range(1, 9)))
    (check,) = check_labels(found, study())
    assert check.message.startswith("8 groups may be counted as several")
    assert check.message.endswith("; and 6 more such sets.")
    assert check.message.count("“") == 4


def test_what_was_joined_is_said() -> None:
    joined = JoinedLabels("Kent", (LabelCount("Kent", 3), LabelCount("KENT", 1)))
    (check,) = check_labels(LabelNotes(joined=(joined,)), study())
    assert check.status == "pass"
    assert check.message.endswith("2 labels are written as 1, as the study asks under [labels].")


def test_a_group_called_like_a_missing_value_is_named() -> None:
    _, one = check_labels(LabelNotes(missing_like=(LabelCount("NA", 7, ("data.csv",)),)), study())
    assert (one.name, one.status, one.value) == ("missing_like_labels", "review", 1)
    assert one.message.startswith("A group is called “NA” (7 rows in data.csv).")
    assert 'set missing = ["NA"] in the study file' in one.advice.replace("[*study", "")
    counts = tuple(LabelCount(label, 2, ("a.csv", "b.csv", "c.csv", "d.csv")) for label in ("-", "?", "NA", "null"))
    _, four = check_labels(LabelNotes(missing_like=counts), study())
    assert four.message.startswith("4 groups are called “-” (2 rows in a.csv, b.csv and 2 more files), “?”")
    assert ", and 1 more." in four.message


def test_what_cannot_be_seen_is_spelt_out() -> None:
    assert shown("St\u00a0Helens") == "“St[U+00A0]Helens”"
    assert shown("St  Helens") == "“St[2 spaces]Helens”"
    assert shown("Ke\u200bnt") == "“Ke[U+200B]nt”"
    assert shown("São Paulo") == "“São Paulo”"
    assert len(shown("x" * 500)) == 42
