"""The report as one file: mailed, saved into an empty folder, opened without a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import TIMEOUT_MILLISECONDS
from tests.browser.reader import Reader, read
from tests.shelf import Shelf


@pytest.fixture(params=["bounce_rates", "hostile"])
def report(request: pytest.FixtureRequest, browser: Browser, shelf: Shelf, tmp_path: Path) -> Iterator[Reader]:
    file = shutil.copy(shelf.run(request.param) / "report-standalone.html", tmp_path / "mailed.html")
    context = browser.new_context(offline=True, viewport={"width": 1300, "height": 900})
    context.set_default_timeout(TIMEOUT_MILLISECONDS)
    opened = read(context, Path(file).as_uri())
    yield opened
    seen, asked = opened.seen(), {url.split("#")[0] for url in opened.asked}
    context.close()
    assert seen == []
    assert {url for url in asked if not url.startswith(("data:", "blob:"))} == {opened.address}


def test_one_file_does_all_of_it(report: Reader) -> None:
    page = report.page
    report.draw_all()
    assert page.locator(".plot.js-plotly-plot").count() == page.locator(".plot").count() > 10

    page.locator("tbody tr[data-group='1'] button.group-name").first.click()
    assert page.locator(".is-selected").count() >= 2
    page.keyboard.press("Escape")

    page.locator(".stages input").first.press("End")
    assert page.locator(".stages output").first.inner_text() == page.locator(".stages option").last.get_attribute(
        "label"
    )

    with page.expect_download() as download:
        page.locator("button.table-csv").first.click()
    assert download.value.path().stat().st_size > 20


def test_one_file_points_at_no_other(report: Reader) -> None:
    links = report.page.locator("a[href]").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
    assert [link for link in links if not link.startswith(("#", "https://", "http://"))] == []
    assert report.page.locator("[src], link[href]:not([rel=icon])").count() == 0
