"""What a report must not do, wherever it is opened. That it kept quiet is asserted by `open_report`."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest

from tasks.view.words.text import label
from tests.browser.conftest import DrawnReport, OpenReport
from tests.browser.reader import Reader
from tests.factories import HOSTILE_LABELS
from tests.reports import HOSTILE_CELL, HOSTILE_FILE, HOSTILE_OUTCOME, HOSTILE_TITLE
from tests.shelf import Shelf

# Elements that only a label can have brought: the page's own pictures are Plotly's.
FOREIGN = (
    "b > *, u, s, marquee, iframe, object, embed, img, body > svg:not(#js-plotly-tester), "
    "a[href^='javascript'], [onload], [onerror], [onclick]"
)
FIGURE_OF_GROUPS = "(all) => all.find((one) => one.data.some((t) => t.meta?.groups && t.mode?.includes('markers')))"
HOVER_TEXTS = """
async (plot) => {
  const curveNumber = plot.data.findIndex((t) => t.meta?.groups && t.mode?.includes("markers")), seen = [];
  for (const pointNumber of plot.data[curveNumber].meta.groups.keys()) {
    await new Promise((resolve) => setTimeout(resolve, 100)); // Plotly puts off what comes within 50 ms
    Plotly.Fx.hover(plot, [{ curveNumber, pointNumber }]);
    seen.push(plot.querySelector(".hoverlayer").textContent);
  }
  return seen;
}
"""


def assert_drawn(report: Reader) -> None:
    figures = report.page.locator(".plot")
    assert figures.count() > 10
    assert report.page.locator(".plot .main-svg:first-of-type").count() >= figures.count()
    assert len([url for url in report.asked if url.endswith(".js")]) == 1


@pytest.mark.parametrize("name", ["bounce_rates", "hostile", "many"])
def test_every_figure_is_drawn_from_the_report_s_own_files(drawn: DrawnReport, name: str) -> None:
    assert_drawn(drawn(name))


@pytest.mark.parametrize("name", ["sleepstudy", "hostile"])
def test_every_figure_is_drawn_from_a_disk_too(open_report: OpenReport, name: str) -> None:
    report = open_report(name, "file")
    report.draw_all()
    assert_drawn(report)


def test_hostile_words_are_words(drawn: DrawnReport) -> None:
    page = drawn("hostile").page
    assert page.locator("h1").inner_text() == label(HOSTILE_TITLE, 300)
    assert page.locator(FOREIGN).count() == 0
    words = page.locator("body").inner_text()
    assert label(HOSTILE_OUTCOME) in words
    assert label(HOSTILE_FILE) in words
    names = {name.strip() for name in page.locator("tbody .group-name").all_inner_texts()}
    assert {label(group) for group in HOSTILE_LABELS} <= names


def test_hostile_words_stay_words_in_the_finder_and_the_address(drawn: DrawnReport) -> None:
    page = drawn("hostile").page
    for group in HOSTILE_LABELS:
        shown = label(group)
        page.locator("#group-picker").fill(shown)
        page.keyboard.press("Enter")
        assert shown in page.locator("#group-chosen").inner_text()
        chosen = page.evaluate("document.documentElement.dataset.selectedGroup")
        page.evaluate("dispatchEvent(new HashChangeEvent('hashchange'))")
        assert page.evaluate("document.documentElement.dataset.selectedGroup") == chosen
    page.keyboard.press("Escape")


def test_hostile_words_stay_words_when_a_figure_is_hovered(drawn: DrawnReport) -> None:
    report = drawn("hostile")
    plot = report.page.evaluate_handle(f"({FIGURE_OF_GROUPS})([...document.querySelectorAll('figure > .plot')])")
    seen = " ".join(report.page.evaluate(HOVER_TEXTS, plot))
    assert "<script>alert('group')</script>" in seen
    assert "{{ 7 * 7 }} %{y} $x^2$" in seen


def test_a_report_of_ten_thousand_groups_is_bearable(shelf: Shelf) -> None:
    html = (shelf.run("many") / "report.html").read_bytes()
    assert len(html) < 5_000_000
    assert "'unsafe-eval'" in unescape(html[:5000].decode("utf-8", "ignore"))


def test_rejected_rows_keep_what_the_file_said(shelf: Shelf) -> None:
    assert HOSTILE_CELL in (Path(shelf.run("hostile")) / "rejected.csv").read_text("utf-8")
