"""Numbers read from text: exactly, or not at all."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rows.numbers import NumberStyle, has_too_many_digits, is_missing, parse_numbers


def parsed(*texts: str, **style: Any) -> list[float]:
    return parse_numbers(pd.Series(texts, dtype="str"), NumberStyle(**style)).tolist()


@given(st.lists(st.floats(allow_nan=False)))
def test_every_double_is_read_exactly(numbers: list[float]) -> None:
    assert parsed(*map(repr, numbers)) == numbers
    assert parsed(*(repr(number).replace(".", ",") for number in numbers), decimal=",") == numbers


@given(st.text())
def test_what_is_read_python_reads_too(text: str) -> None:
    value = parsed(text)[0]
    assert math.isnan(value) or value == float(text)


@given(st.integers(-(10**25), 10**25))
def test_whole_numbers_are_read_exactly_or_not_at_all(number: int) -> None:
    value = parsed(str(number))[0]
    assert math.isnan(value) or int(value) == number
    assert math.isnan(value) == bool(has_too_many_digits(pd.Series([str(number)], dtype="str"), NumberStyle())[0])
    if abs(number) <= 2**53:
        assert value == number


def test_whole_numbers_that_a_double_would_change_are_none() -> None:
    assert np.isnan(parsed("9007199254740993", "-9007199254740993.0", "1700000000123456789")).all()
    kept = ["9007199254740992", "100000000000000000000", "17e17", "0.12345678901234567890", "9293761481721852.0"]
    assert parsed(*kept) == [
        9007199254740992.0,
        1e20,
        1.7e18,
        0.12345678901234567890,
        9293761481721852.0,
    ]


@pytest.mark.parametrize("text", ["+1", " 1 ", "1.", "01", "1e0", "+.1E+1", "\u00a01\t"])
def test_spellings_of_one(text: str) -> None:
    assert parsed(text) == [1.0]


@pytest.mark.parametrize(
    "text", ["1_0", "0x1", "1,0", "1 000", "١", ".", "e1", "1e", "--1", "1%", "True", "1\n2", "−1"]
)
def test_what_is_no_number(text: str) -> None:
    assert np.isnan(parsed(text)).all()


def test_with_a_decimal_comma_a_point_is_none() -> None:
    assert parsed("1,5", decimal=",") == [1.5]
    assert np.isnan(parsed("1.5", "1.000,5", decimal=",")).all()


def test_words_for_infinity_and_for_nothing() -> None:
    assert parsed("inf", "-Infinity", "1e999") == [math.inf, -math.inf, math.inf]
    words = pd.Series(["", " ", "NA", "n/a", "NaN", "NULL", "none", "-", "0"], dtype="str")
    assert is_missing(words).tolist() == [True] * 7 + [False] * 2


def test_thousands_are_read_in_groups_of_three_only() -> None:
    assert parsed("6,943.27", "1,031", "-1,234,567.5", "931", "1031", thousands=",") == [
        6943.27,
        1031.0,
        -1234567.5,
        931.0,
        1031.0,
    ]
    assert np.isnan(parsed("1,03", "1,0311", ",031", "1,,031", "0,031", "12,34,567", thousands=",")).all()
    assert parsed("1.031,5", decimal=",", thousands=".") == [1031.5]
    assert parsed("1 031", "1\u00a0031", "1\u202f031,5", decimal=",", thousands=" ") == [1031.0, 1031.0, 1031.5]
    assert parsed("1'031.5", "1’031", thousands="'") == [1031.5, 1031.0]


def test_signs_and_units_are_taken_off() -> None:
    assert parsed("11.0%", "$5", "-$5.5", "$-5", "12 %", "12\u00a0%", "7", affixes=("%", "$")) == [
        11.0,
        5.0,
        -5.5,
        -5.0,
        12.0,
        12.0,
        7.0,
    ]
    assert np.isnan(parsed("%", "5€", "--5", "$$5", affixes=("%", "$"))).all()
    assert parsed("$6,943.27", thousands=",", affixes=("$",)) == [6943.27]


def test_numbers_that_stand_for_missing_do_so_however_they_are_spelled() -> None:
    text = pd.Series(["-999", "-999.0", " -999 ", "-9999", ".", "n.d.", "999"], dtype="str")
    assert is_missing(text, ["-999", "."]).tolist() == [True, True, True, False, True, False, False]
