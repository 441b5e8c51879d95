"""Labels are alike when a person takes them for one; joining depends on the labels and their rows only."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.stats.labels import alike, is_allowed, key, label_notes, missing_like, spellings
from tasks.study.model import Study
from tasks.study.settings import clean_label


def study(**changes: Any) -> Study:
    return Study.model_validate({"name": "s", "title": "t", "outcome": "y", "group": "g", **changes})


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Z\u030cilina", "\u017dilina"),
        (" Kent\u00a0", "Kent"),
        ("\ufeffKent\u200b", "Kent"),
        ("\u2060\u202fKent\u200e\t", "Kent"),
        ("St\u00a0Helens", "St\u00a0Helens"),
        ("\u200b", ""),
    ],
)
def test_clean_labels_are_composed_and_have_nothing_unseen_around_them(text: str, clean: str) -> None:
    assert clean_label(text) == clean


@pytest.mark.parametrize(
    ("one", "other", "kinds"),
    [
        ("Kent", "KENT", ("case",)),
        ("Straße", "STRASSE", ("case",)),
        ("St Helens", "St  Helens", ("space",)),
        ("St Helens", "St\u00a0Helens", ("space",)),
        ("Kent", "Ke\u00adnt", ("space",)),
        ("01001", "1001", ("zeros",)),
        ("ward 01", "ward 1", ("zeros",)),
        ("000", "0", ("zeros",)),
        ("1001", "1001.0", ("decimals",)),
        ("1001", "1001,0", ("decimals",)),
        ("01001", "1001.00", ("zeros", "decimals")),
        ("St Helens", "ST\u00a0 HELENS", ("case", "space")),
    ],
)
def test_what_two_labels_differ_in_is_named(one: str, other: str, kinds: tuple[str, ...]) -> None:
    ((labels, found),) = alike([one, other, "another"], study())
    assert (labels, found) == ((one, other), kinds)
    joined = spellings({one: 1, other: 2, "another": 3}, study(labels={"join": list(kinds)}))
    assert joined == {one: other, other: other, "another": "another"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "10"),
        ("1.5", "1.05"),
        ("1", "1,000"),
        ("ab", "a b"),
        ("1.0.0", "1.0"),
        ("é", "e"),
        ("-1", "1"),
        ("0.1", "1"),
    ],
)
def test_labels_that_differ_in_more_are_not_alike(one: str, other: str) -> None:
    assert alike([one, other], study()) == []


def test_labels_that_the_study_calls_right_are_not_told() -> None:
    assert alike(["a", "A", "b"], study(labels={"distinct": ["a", "A"]})) == []
    assert alike(["a", "A", "b"], study(labels={"distinct": ["a"]})) != []
    assert missing_like(["NA", "null"], study(labels={"distinct": ["NA"]})) == ["null"]
    assert missing_like(["NA"], study(rules={"groups": ["NA", "DE"]})) == []
    kept = study(labels={"join": ["case"], "distinct": ["A"]})
    assert spellings({"a": 1, "A": 5, "B": 1, "b": 2}, kept) == {"a": "a", "A": "A", "B": "b", "b": "b"}


@pytest.mark.parametrize(
    "label",
    ["NA", "na", "N/A", "#N/A", "null", "NULL", "None", "NaN", "<NA>", "-", "–", "?", "unknown", "Missing", "(blank)"],
)
def test_labels_that_often_stand_for_a_missing_one(label: str) -> None:
    assert missing_like([label, "Kent"], study()) == [label]


@pytest.mark.parametrize("label", ["Nan Province", "Nana", "NAM", "Nullarbor", "N", "0", "nonesuch", "A-", "-1"])
def test_labels_that_only_begin_so_are_groups(label: str) -> None:
    assert missing_like([label], study()) == []


def test_a_joined_group_takes_the_spelling_with_most_rows_then_the_first() -> None:
    asked = study(labels={"join": ["zeros"]})
    assert spellings({"01": 3, "1": 4, "001": 2}, asked) == {"01": "1", "1": "1", "001": "1"}
    assert set(spellings({"01": 3, "1": 3}, asked).values()) == {"01"}
    allowed = study(labels={"join": ["zeros"]}, rules={"groups": ["001"]})
    assert set(spellings({"01": 3, "1": 4, "001": 2}, allowed).values()) == {"001"}


def test_padding_fills_labels_of_digits_only() -> None:
    asked = study(labels={"pad": 5})
    found = spellings({"1001": 9, "01001": 1, "7": 1, "123456": 1, "A1": 1, "1001.0": 1}, asked)
    assert found == {
        "1001": "01001",
        "01001": "01001",
        "7": "00007",
        "123456": "123456",
        "A1": "A1",
        "1001.0": "1001.0",
    }
    with_decimals = study(labels={"pad": 5, "join": ["decimals"]})
    assert set(spellings({"1001.0": 9, "01001": 1}, with_decimals).values()) == {"01001"}


def test_allowed_groups_are_compared_as_labels_are_joined() -> None:
    asked = study(labels={"join": ["case"], "pad": 3}, rules={"groups": ["Kent", "007"]})
    assert is_allowed(["KENT", "7", "Essex"], asked) == [True, True, False]
    assert is_allowed(["KENT", "7"], study(rules={"groups": ["Kent", "007"]})) == [False, False]
    assert is_allowed(["Žilina"], study(rules={"groups": ["Z\u030cilina "]})) == [True]


label = st.text(st.sampled_from("aA0. 1\u00a0"), min_size=1, max_size=5).map(clean_label).filter(bool)


@given(st.dictionaries(label, st.integers(1, 9), min_size=1, max_size=8), st.sets(st.sampled_from(["case", "space"])))
def test_each_label_is_joined_with_those_of_its_key_and_no_other(counts: dict[str, int], join: set[str]) -> None:
    kinds: Any = sorted(join)
    counts = dict(sorted(counts.items()))
    found = spellings(counts, study(labels={"join": kinds}))
    for one in counts:
        for other in counts:
            assert (found[one] == found[other]) == (key(one, kinds) == key(other, kinds))
        assert counts[found[one]] == max(counts[each] for each in counts if found[each] == found[one])


def test_notes_count_rows_and_name_files() -> None:
    files = {"a.csv": {"01": 5, "NA": 1}, "b.csv": {"1": 2, "01": 1, "x": 3}, "c.csv": {"X": 9}}
    counts = {"01": 6, "1": 2, "NA": 1, "X": 9, "x": 3}
    asked = study(labels={"join": ["case"]})
    found = label_notes(files, spellings(counts, asked), asked)
    ((zeros,), (missing,), (joined,)) = (found.alike, found.missing_like, found.joined)
    assert [(each.label, each.n_rows, each.files) for each in zeros.labels] == [
        ("01", 6, ("a.csv", "b.csv")),
        ("1", 2, ("b.csv",)),
    ]
    assert (missing.label, missing.n_rows, missing.files) == ("NA", 1, ("a.csv",))
    assert (joined.label, [(each.label, each.n_rows) for each in joined.parts]) == ("X", [("X", 9), ("x", 3)])


def test_many_labels_do_not_hold_each_other_up() -> None:
    """A hundred thousand labels, a pair among them: every label is looked at a few times, not held against all."""
    labels = [f"unit {i:06d}" for i in range(2, 100_000)] + ["unit 1", "unit 000001"]
    random.Random(1).shuffle(labels)
    ((found, kinds),) = alike(labels, study())
    assert sorted(found) == ["unit 000001", "unit 1"]
    assert kinds == ("zeros",)
