"""What others wrote, within a sentence or on a terminal: one line, no effects, of bounded length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.study.plain_text import UNSEEN, brief, listed, shown, visible


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Łódź 東京 👩\u200d👧 a\u00a0b", "Łódź 東京 👩\u200d👧 a\u00a0b"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("a\u202eb\u2028c\ufeff", r"a\u202eb\u2028c\ufeff"),
        ("caf\udce9", r"caf\xe9"),
        ("\ud800", r"\ud800"),
        ("\x85\x9b31m", r"\x85\x9b31m"),
        ("\U000e0041", r"\U000e0041"),
        (":x: [bold]b[/]", ":x: [bold]b[/]"),
    ],
)
def test_whatever_has_an_effect_is_spelled(text: str, seen: str) -> None:
    assert visible(text) == seen


@given(st.text())
def test_any_text_is_one_line_that_every_encoding_of_unicode_can_hold(text: str) -> None:
    seen = visible(text)
    assert seen.splitlines() in ([], [seen])
    assert seen.encode().decode() == seen
    assert "Cc" in UNSEEN


@given(st.text(min_size=61))
def test_long_texts_are_shortened_where_they_are_shown(text: str) -> None:
    assert len(shown(text)) <= len(shown("\U000e0041" * 60))
    assert "…" in brief(text)


def test_short_values_stand_in_quotes_as_they_are() -> None:
    assert shown("it's") == '"it\'s"'
    assert shown(3.5) == "3.5"
    assert len(shown(list(range(1000)))) <= 60


def test_a_long_list_says_how_much_is_left_out() -> None:
    assert listed("abc") == "a, b, c"
    assert listed("abc", most=1) == "a and 2 more"
    assert len(listed(["x" * 100_000])) == 60
