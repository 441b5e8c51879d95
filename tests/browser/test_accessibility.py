"""Reading without a mouse, with a screen reader, in the dark, on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import DrawnReport, OpenReport
from tests.browser.reader import Reader

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
RUN_AXE = (
    "(rules) => axe.run(document, { resultTypes: ['violations'], preload: false, ...(rules && { runOnly: rules }) })"
)
COLOURS = ["color-contrast"]  # all that another scheme changes
# What reaches beyond the screen and does not scroll by itself, when the page as a whole does.
TOO_WIDE = """
() => {
  const pageWidth = document.documentElement.scrollWidth;
  if (pageWidth <= innerWidth && innerWidth === screen.width) return [];
  const isWide = (one) => one.getBoundingClientRect().right > screen.width + 1;
  return Array.from(document.querySelectorAll("main *, header *, footer *"))
    .filter((one) => isWide(one) && !one.closest(".table, pre, .plot, math"))
    .slice(0, 5).map((one) => one.outerHTML.slice(0, 150)).concat(`${pageWidth} wide, ${innerWidth} shown`);
}
"""
GRAVE = {"serious", "critical"}
NARROW = 360


def broken_rules(page: Page, rules: list[str] | None = None) -> list[str]:
    """Grave violations, each with the first element that breaks the rule."""
    found: dict[str, Any] = page.evaluate(RUN_AXE, rules)
    return [
        f"{rule['id']} ({len(rule['nodes'])}): {node['html'][:200]} – {node['failureSummary'][:300]}"
        for rule in found["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"][:1]
    ]


def assert_no_grave_violation(report: Reader) -> None:
    """In light and in dark."""
    report.page.evaluate(AXE + ";0")
    light = broken_rules(report.page)
    report.in_colours("dark")
    dark = broken_rules(report.page, COLOURS)
    report.in_colours("light")
    assert light + dark == []


def test_no_grave_violation_on_a_desk(drawn: DrawnReport) -> None:
    assert_no_grave_violation(drawn("bounce_rates"))


def test_no_grave_violation_on_a_phone(open_report: OpenReport) -> None:
    report = open_report("bounce_rates", viewport={"width": NARROW, "height": 900})
    report.draw_all()
    assert_no_grave_violation(report)


def test_hostile_words_break_no_rule(drawn: DrawnReport) -> None:
    page = drawn("hostile").page
    page.evaluate(AXE + ";0")
    assert broken_rules(page) == []


@pytest.mark.parametrize("name", ["bounce_rates", "hostile", "many"])
def test_a_phone_scrolls_down_only(open_report: OpenReport, name: str) -> None:
    report = open_report(name, viewport={"width": NARROW, "height": 740}, has_touch=True, is_mobile=True)
    report.draw_all()
    wide = report.page.evaluate(TOO_WIDE)
    assert wide == []


def test_the_first_tab_leads_to_the_verdict(open_report: OpenReport) -> None:
    page = open_report("bounce_rates").page
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "To the verdict"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#verdict"


def test_the_keyboard_need_not_pass_the_figures_toolbars(drawn: DrawnReport) -> None:
    buttons = drawn("bounce_rates").page.locator(".modebar-btn")
    assert set(buttons.evaluate_all("(all) => all.map((one) => one.tabIndex)")) == {-1}


def test_a_keyboard_opens_and_closes_the_meaning_of_a_word(open_report: OpenReport) -> None:
    page = open_report("bounce_rates").page
    word = page.locator("#verdict button.term, #health > ul button.term").first
    meaning = page.locator("#" + str(word.get_attribute("popovertarget")))
    assert not meaning.is_visible()
    word.focus()
    page.keyboard.press("Enter")
    assert meaning.is_visible()
    assert len(meaning.inner_text()) > 40
    page.keyboard.press("Escape")
    assert not meaning.is_visible()
    assert word.evaluate("(one) => one === document.activeElement")


def test_every_explained_word_has_its_meaning(drawn: DrawnReport) -> None:
    page = drawn("bounce_rates").page
    targets = page.locator("button.term").evaluate_all("(all) => all.map((one) => one.getAttribute('popovertarget'))")
    meanings = page.locator(".meaning[popover]").evaluate_all("(all) => all.map((one) => one.id)")
    assert targets
    assert set(targets) == set(meanings)
    within = page.evaluate(
        """() => Array.from(document.querySelectorAll(".meaning"), (one) => {
          document.querySelector(`[popovertarget="${one.id}"]`).click();
          const box = one.getBoundingClientRect();
          one.hidePopover();
          return box.left >= 0 && box.right <= innerWidth && box.height > 20;
        })"""
    )
    assert all(within)
