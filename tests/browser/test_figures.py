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

from tests.browser.conftest import DrawnReport, OpenReport
from tests.browser.reader import Reader

PLACES = "(plot) => Array.from(plot.querySelectorAll('.point'), (p) => Math.round(p.getBoundingClientRect().x * 10))"
INKS = "(plots) => plots.map((plot) => getComputedStyle(plot.querySelector('text')).fill)"
STAGE_MILLISECONDS = 900
# Notes each stage that is named, however soon the next one follows.
NOTE_STAGES = """
(output) => {
  window.__stages = [];
  new MutationObserver(() => window.__stages.push(output.textContent)).observe(output, { childList: true });
}
"""
HAS_CHANGED = """
([plot, before]) => JSON.stringify(plot.data.map((trace) => [...trace.x])) !== JSON.stringify(before)
"""
MOST_PAGES = 4


def animated(report: Reader) -> tuple[Locator, Locator]:
    """The first animated figure's plot and its controls, drawn and in view; a fold around them is opened."""
    report.page.locator("details:has(.stages)").evaluate_all("(all) => all.forEach((fold) => { fold.open = true; })")
    controls = report.page.locator(".stages").first
    figure = report.page.locator("figure:has(.stages)").first
    figure.scroll_into_view_if_needed()
    controls.wait_for(state="visible")
    return figure.locator(".plot"), controls


def data(plot: Locator) -> Any:
    return plot.evaluate("(plot) => plot.data.map((trace) => [...trace.x])")


def test_play_goes_through_every_stage(open_report: OpenReport) -> None:
    report = open_report("bounce_rates")
    plot, controls = animated(report)
    stages = controls.locator("option").evaluate_all("(all) => all.map((one) => one.label)")
    before = [plot.element_handle(), data(plot)]
    assert controls.locator("output").inner_text() == stages[0]
    controls.locator("output").evaluate(NOTE_STAGES)
    controls.get_by_role("button", name="Play").click()
    report.page.wait_for_function("(last) => window.__stages.at(-1) === last", arg=stages[-1])
    report.page.wait_for_function(HAS_CHANGED, arg=before)
    assert report.page.evaluate("window.__stages") == stages
    assert controls.locator("input").input_value() == str(len(stages) - 1)


def test_the_slider_shows_a_stage_and_says_which(open_report: OpenReport) -> None:
    plot, controls = animated(open_report("sleepstudy"))
    slider, before = controls.locator("input"), [plot.element_handle(), data(plot)]
    slider.focus()
    slider.press("End")
    last = controls.locator("option").last.get_attribute("label")
    assert slider.get_attribute("aria-valuetext") == controls.locator("output").inner_text() == last
    plot.page.wait_for_function(HAS_CHANGED, arg=before)
    slider.press("Home")
    plot.page.wait_for_function(f"(arg) => !({HAS_CHANGED})(arg)", arg=before)


@pytest.mark.parametrize(("motion", "is_still"), [("reduce", True), ("no-preference", False)])
def test_nothing_moves_where_motion_is_unwelcome(open_report: OpenReport, motion: str, is_still: bool) -> None:
    """The page's clock is ours: what is seen half-way does not depend on how fast frames come."""
    report = open_report("bounce_rates", reduced_motion=motion)
    report.page.clock.install()
    report.page.reload()
    plot, controls = animated(report)
    assert controls.locator("button").is_hidden() == is_still
    report.page.clock.pause_at(datetime.now() + timedelta(days=1))
    before = plot.evaluate(PLACES)
    controls.locator("input").press("End")
    report.page.clock.run_for(STAGE_MILLISECONDS // 3)
    soon = plot.evaluate(PLACES)
    report.page.clock.run_for(2 * STAGE_MILLISECONDS)
    assert before != soon
    assert before != plot.evaluate(PLACES)
    assert (soon == plot.evaluate(PLACES)) == is_still


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
