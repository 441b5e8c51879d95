"""Figures move, recolour and are printed."""

from __future__ import annotations

import io
import unicodedata
from typing import Any

import pytest
from playwright.sync_api import Locator, Page
from pypdf import PdfReader

from tests.browser.conftest import DrawnReport, OpenReport
from tests.browser.reader import Reader

PLACES = "(plot) => Array.from(plot.querySelectorAll('.point'), (p) => Math.round(p.getBoundingClientRect().x * 10))"
INKS = "(plots) => plots.map((plot) => getComputedStyle(plot.querySelector('text')).fill)"
STAGE_MILLISECONDS = 900
MOST_PAGES = 60


def animated(report: Reader) -> tuple[Locator, Locator]:
    """The first animated figure's plot and its controls, drawn and in view."""
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
    before, seen = data(plot), [controls.locator("output").inner_text()]
    controls.get_by_role("button", name="Play").click()
    for stage in stages[1:]:
        report.page.wait_for_function(
            "(stage) => document.querySelector('.stages output').textContent === stage", arg=stage
        )
        seen.append(stage)
        assert data(plot) != before
    assert seen == stages
    assert controls.locator("input").input_value() == str(len(stages) - 1)


def test_the_slider_shows_a_stage_and_says_which(open_report: OpenReport) -> None:
    plot, controls = animated(open_report("sleepstudy"))
    slider, before = controls.locator("input"), data(plot)
    slider.focus()
    slider.press("End")
    last = controls.locator("option").last.get_attribute("label")
    assert slider.get_attribute("aria-valuetext") == controls.locator("output").inner_text() == last
    assert data(plot) != before
    slider.press("Home")
    plot.page.wait_for_timeout(STAGE_MILLISECONDS + 200)
    assert data(plot) == before


@pytest.mark.parametrize(("motion", "is_still"), [("reduce", True), ("no-preference", False)])
def test_nothing_moves_where_motion_is_unwelcome(open_report: OpenReport, motion: str, is_still: bool) -> None:
    plot, controls = animated(open_report("bounce_rates", reduced_motion=motion))
    assert controls.locator("button").is_hidden() == is_still
    before = plot.evaluate(PLACES)
    controls.locator("input").press("End")
    plot.page.wait_for_timeout(150)
    soon = plot.evaluate(PLACES)
    plot.page.wait_for_timeout(STAGE_MILLISECONDS + 400)
    assert before != plot.evaluate(PLACES)
    assert (soon == plot.evaluate(PLACES)) == is_still


def test_figures_follow_the_device_into_the_dark_and_back(drawn: DrawnReport) -> None:
    report = drawn("bounce_rates")
    plots = report.page.locator(".plot:has(text)")
    inks = {}
    for scheme in ("light", "dark", "light"):
        report.page.emulate_media(color_scheme=scheme)
        report.page.wait_for_timeout(400)
        inks.setdefault(scheme, set(plots.evaluate_all(INKS)))
        assert inks[scheme] == set(plots.evaluate_all(INKS))
    assert inks["light"].isdisjoint(inks["dark"])
    paper = report.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)" or min(eval_rgb(paper)) > 230


def eval_rgb(colour: str) -> list[int]:
    return [int(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]


def printed(page: Page) -> PdfReader:
    return PdfReader(io.BytesIO(page.pdf(format="A4", prefer_css_page_size=True)))


def squeezed(text: str) -> str:
    """Without spaces, and with letters for the ligatures that a font puts in their place."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def test_a_printed_report_has_its_verdict_and_its_figures(drawn: DrawnReport) -> None:
    page = drawn("bounce_rates").page
    verdict = page.locator("#verdict .answer").inner_text()
    paper = printed(page)
    text = squeezed("".join(sheet.extract_text() for sheet in paper.pages))
    assert 8 <= len(paper.pages) <= MOST_PAGES
    assert squeezed(verdict) in text
    titles = page.locator(".plot .xtitle").all_text_contents()
    assert len(titles) >= 5
    assert [title for title in titles if squeezed(title) not in text] == []
    assert not any(len(sheet.extract_text()) + strokes(sheet) < 20 for sheet in paper.pages)
    assert sum(strokes(sheet) for sheet in paper.pages) > 2000


def strokes(sheet: Any) -> int:
    """Lines and curves drawn."""
    content = sheet.get_contents().get_data()
    return int(content.count(b" l\n") + content.count(b" c\n"))


def test_many_groups_are_printed_on_few_pages(drawn: DrawnReport) -> None:
    report = drawn("many")
    assert len(printed(report.page).pages) <= MOST_PAGES
    report.page.wait_for_timeout(300)
    widths = report.page.locator(".plot.js-plotly-plot").evaluate_all(
        "(all) => all.slice(0, 3).map((plot) => plot.querySelector('.main-svg').clientWidth - plot.clientWidth)"
    )
    assert all(abs(width) <= 1 for width in widths)
