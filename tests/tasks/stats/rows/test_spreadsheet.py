"""A cell of text stays text when a spreadsheet opens the file."""

from __future__ import annotations

import pytest

from tasks.stats.rows.spreadsheet import cell


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "-", "-inf"]
)
def test_what_would_be_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=b", "-1", "+1.5", "-1,031.5", "-1e-7", "'=1", "Kent", "12 %"])
def test_numbers_and_other_texts_stay_as_they_are(text: str) -> None:
    assert cell(text) == text
