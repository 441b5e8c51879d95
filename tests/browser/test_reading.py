"""A report can be read in ten minutes: words, screens and pages stay within their budget."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.reading_budget import measure
from tests.shelf import Shelf


@pytest.mark.parametrize("name", ["bounce_rates", "sleepstudy"])
def test_the_budget_holds(browser: Browser, shelf: Shelf, name: str) -> None:
    assert measure(browser, shelf.run(name) / "report.html").misses() == []
