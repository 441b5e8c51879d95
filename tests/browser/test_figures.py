"""Figures move, recolour and are printed."""

from __future__ import annotations

import io
import unicodedata
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from playwright.sync_api import Locator, Page
from pypdf import PdfReader

from tasks.view.selection import ROWS_LIMIT
from tests.browser.conftest import DrawnReport, OpenReport
from tests.browser.reader import Reader

LINES = "(plot) => Array.from(plot.querySelectorAll('.js-line'), (line) => line.getAttribute('d'))"
INKS = "(plots) => plots.map((plot) => getComputedStyle(plot.querySelector('text')).fill)"
STAGE_MILLISECONDS = 900
# Notes each stage that is named, however soon the next one follows.
NOTE_STAGES = """
(output) => {
  window.__stages = [];
  new MutationObserver(() => window.__stages.push(output.textContent)).observe(output, { childList: true });
}
"""
# Where the moving line is, beside the model's own; null where there is none.
MOVING = """
([plot, model]) => {
  const moving = plot.data.find((trace) => trace.meta?.isMoving);
  const own = plot.data.find((trace) => trace.meta?.model === model);
  return moving ? [Array.from(moving.y), Array.from(own.y)] : null;
}
"""
MOST_PAGES = 4


def animated(report: Reader) -> tuple[Locator, Locator]:
    """The first panel's plot and the controls of all panels, drawn and in view."""
    controls = report.page.locator(".stages").first
    plot = report.page.locator(".panels:has(.stages) .panel .plot").first
    plot.scroll_into_view_if_needed()
    controls.wait_for(state="visible")
    return plot, controls


def is_at(plot: Locator, model: str) -> bool:
    """Whether the moving line has come to the model's."""
    moving, own = plot.page.evaluate(MOVING, [plot.element_handle(), model])
    return bool(moving == own)


def test_play_moves_a_line_through_the_rows_from_model_to_model(open_report: OpenReport) -> None:
    report = open_report("bounce_rates")
    plot, controls = animated(report)
    stages = controls.locator("option").evaluate_all("(all) => all.map((one) => one.label)")
    assert stages == ["All models", "Complete pooling", "No pooling", "Partial pooling", "Bayes"]
    assert controls.locator("output").inner_text() == stages[0]
    assert report.page.evaluate(MOVING, [plot.element_handle(), "bayes"]) is None
    rows = plot.evaluate("(plot) => Array.from(plot.data[0].y)")
    controls.locator("output").evaluate(NOTE_STAGES)
    controls.get_by_role("button", name="Play").click()
    report.page.wait_for_function("(last) => window.__stages.at(-1) === last", arg=stages[-1])
    assert report.page.evaluate("window.__stages") == stages[1:]
    assert controls.locator("input").input_value() == str(len(stages) - 1)
    for panel in report.page.locator(".panels:has(.stages) .panel .plot.js-plotly-plot").all():
        assert is_at(panel, "bayes")
    assert plot.evaluate("(plot) => Array.from(plot.data[0].y)") == rows


def test_the_slider_goes_to_a_model_and_back_to_all_and_says_which(open_report: OpenReport) -> None:
    plot, controls = animated(open_report("sleepstudy"))
    slider = controls.locator("input")
    slider.focus()
    slider.press("End")
    last = controls.locator("option").last.get_attribute("label")
    assert slider.get_attribute("aria-valuetext") == controls.locator("output").inner_text() == last
    plot.page.wait_for_function(f"(arg) => ({MOVING})(arg) !== null", arg=[plot.element_handle(), "bayes"])
    assert is_at(plot, "bayes")
    assert plot.evaluate(
        "(plot) => plot.data.filter((trace) => trace.meta?.model).every((trace) => trace.opacity < 0.5)"
    )
    slider.press("Home")
    plot.page.wait_for_function(f"(arg) => ({MOVING})(arg) === null", arg=[plot.element_handle(), "bayes"])
    assert plot.evaluate(
        "(plot) => plot.data.filter((trace) => trace.meta?.model).every((trace) => trace.opacity === 1)"
    )


def test_a_panel_seen_later_shows_the_same_model(open_report: OpenReport) -> None:
    report = open_report("sleepstudy")
    _, controls = animated(report)
    controls.locator("input").press("End")
    further = report.page.locator(".panels:has(.stages) .panel.further").first
    assert further.is_hidden()
    report.page.locator(".panels .all").first.click()
    further.scroll_into_view_if_needed()
    plot = further.locator(".plot.js-plotly-plot")
    plot.page.wait_for_function(f"(arg) => ({MOVING})(arg) !== null", arg=[plot.element_handle(), "bayes"])
    assert is_at(plot, "bayes")
    report.page.locator(".panels .all").first.click()
    assert further.is_hidden()
    further.evaluate("(panel) => poolwise.selection.choose(Number(panel.dataset.group))")
    assert further.is_visible()


@pytest.mark.parametrize(("motion", "is_still"), [("reduce", True), ("no-preference", False)])
def test_nothing_moves_where_motion_is_unwelcome(open_report: OpenReport, motion: str, is_still: bool) -> None:
    """The page's clock is ours: what is seen half-way does not depend on how fast frames come."""
    report = open_report("bounce_rates", reduced_motion=motion)
    report.page.clock.install()
    report.page.reload()
    plot, controls = animated(report)
    assert controls.locator("button").is_hidden() == is_still
    controls.locator("input").press("ArrowRight")
    report.page.wait_for_function(f"(arg) => ({MOVING})(arg) !== null", arg=[plot.element_handle(), "bayes"])
    report.page.clock.pause_at(datetime.now() + timedelta(days=1))
    before = plot.evaluate(LINES)
    controls.locator("input").press("End")
    report.page.clock.run_for(STAGE_MILLISECONDS // 3)
    soon = plot.evaluate(LINES)
    report.page.clock.run_for(2 * STAGE_MILLISECONDS)
    assert before != soon
    assert before != plot.evaluate(LINES)
    assert (soon == plot.evaluate(LINES)) == is_still


def test_a_figure_of_many_rows_shows_all_of_them_on_demand_and_its_axis_above_them(drawn: DrawnReport) -> None:
    page = drawn("hundreds").page
    figure = page.locator("#figure-ranks-0")
    rows = "(figure) => figure.querySelector('.plot')._fullLayout.yaxis.tickvals.length"
    assert figure.evaluate(rows) == ROWS_LIMIT
    assert figure.locator(".x2tick").count() == figure.locator(".xtick").count() > 2
    figure.get_by_role("button", name="Show all 300 groups").click()
    page.wait_for_function("(figure) => figure.querySelectorAll('.ytick').length === 300", arg=figure.element_handle())
    assert figure.locator(".plot").bounding_box()["height"] > 300 * 20
    figure.get_by_role("button", name="Show fewer").click()
    page.wait_for_function(
        "([figure, n]) => figure.querySelectorAll('.ytick').length === n", arg=[figure.element_handle(), ROWS_LIMIT]
    )


def test_figures_follow_the_device_into_the_dark_and_back(drawn: DrawnReport) -> None:
    report = drawn("bounce_rates")
    plots = report.page.locator(".plot:has(text)")
    inks = []
    for scheme in ("light", "dark", "light"):
        report.in_colours(scheme)
        inks.append(set(plots.evaluate_all(INKS)))
    assert inks[0] == inks[2]
    assert inks[0].isdisjoint(inks[1])
    paper = report.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)" or min(eval_rgb(paper)) > 230


def eval_rgb(colour: str) -> list[int]:
    return [int(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]


def printed(page: Page) -> PdfReader:
    return PdfReader(io.BytesIO(page.pdf(format="A4", prefer_css_page_size=True)))


@cache
def printed_once(page: Page) -> PdfReader:
    """For a page that stays as it is: printing takes seconds."""
    return printed(page)


def squeezed(text: str) -> str:
    """Without spaces, and with letters for the ligatures that a font puts in their place."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def test_a_printed_report_has_what_is_to_be_acted_on_and_no_more(drawn: DrawnReport) -> None:
    page = drawn("bounce_rates").page
    verdict = page.locator("#verdict .answer").inner_text()
    paper = printed_once(page)
    text = squeezed("".join(sheet.extract_text() for sheet in paper.pages))
    assert 2 <= len(paper.pages) <= MOST_PAGES
    assert squeezed(verdict) in text
    for title in page.locator("#health > .health h3").all_text_contents():
        assert squeezed(title) in text
    titles = page.locator(":is(#verdict, .asking > figure) .plot .xtitle").all_text_contents()
    assert len(titles) >= 2
    assert [title for title in titles if squeezed(title) not in text] == []
    assert squeezed(page.locator("#sampler .part-title").inner_text()) not in text, "folds stay closed"
    assert not any(len(sheet.extract_text()) + strokes(sheet) < 20 for sheet in paper.pages)
    assert sum(strokes(sheet) for sheet in paper.pages) > 100


def strokes(sheet: Any) -> int:
    """Lines and curves drawn."""
    content = sheet.get_contents().get_data()
    return int(content.count(b" l\n") + content.count(b" c\n"))


def test_a_report_on_many_groups_takes_no_more_paper(drawn: DrawnReport) -> None:
    assert len(printed(drawn("many").page).pages) <= MOST_PAGES
