"""Rows used and rejected, in words."""

from __future__ import annotations

from tasks.view.topics import data
from tests.factories import regular_case, singular_case


def test_rejected_rows_are_counted() -> None:
    assert "3 rows" in data.TOPIC.finding(singular_case().context)
    assert "no row was rejected" in data.TOPIC.finding(regular_case().context)
