"""Numbers read from text: exactly, or not at all."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.numbers import is_missing, parse_numbers


def parsed(*texts: str, decimal: str = ".") -> list[float]:
    return parse_numbers(pd.Series(texts, dtype="str"), decimal).tolist()


@given(st.lists(st.floats(allow_nan=False)))
def test_every_double_is_read_exactly(numbers: list[float]) -> None:
    assert parsed(*map(repr, numbers)) == numbers
    assert parsed(*(repr(number).replace(".", ",") for number in numbers), decimal=",") == numbers


@given(st.text())
def test_what_is_read_python_reads_too(text: str) -> None:
    value = parsed(text)[0]
    assert math.isnan(value) or value == float(text)


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
