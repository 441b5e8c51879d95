"""The first figure stands without a script, and the interactive one takes its place without a jump."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import TIMEOUT_MILLISECONDS
from tests.browser.reader import READY
from tests.shelf import Shelf

SCREENS = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
NEARLY = 8  # pixels
# Text and the middle of its box, from the figure's left upper corner.
TEXTS = """
([plot, which]) => {
  const from = plot.getBoundingClientRect();
  return Object.fromEntries(Array.from(plot.querySelectorAll(which), (one) => {
    const box = one.getBoundingClientRect();
    return [one.textContent, [(box.left + box.right) / 2 - from.left, (box.top + box.bottom) / 2 - from.top]];
  }));
}
"""
BOX = "(plot) => { const box = plot.getBoundingClientRect(); return [box.x, box.y + scrollY, box.width, box.height]; }"
# What the figure shows in every frame, without repetitions.
WATCH = """
window.__shown = [];
(function look() {
  const plot = document.querySelector("#figure-hero .plot");
  const shown = plot?.querySelector(".still") ? "still" : plot?.querySelector(".main-svg") ? "drawn" : "nothing";
  if (plot && window.__shown.at(-1) !== shown) window.__shown.push(shown);
  requestAnimationFrame(look);
})();
"""


@contextmanager
def first_screen(browser: Browser, shelf: Shelf, name: str, *, scripts: bool, **options: Any) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=scripts, **options)
    context.set_default_timeout(TIMEOUT_MILLISECONDS)
    page = context.new_page()
    if scripts:
        page.add_init_script(WATCH)
    page.goto((shelf.run(name) / "report.html").as_uri())
    if scripts:
        page.wait_for_function(f"performance.getEntriesByName('{READY}').length > 0")
        page.locator("#figure-hero").scroll_into_view_if_needed()
        page.locator("#figure-hero .main-svg").first.wait_for()
    yield page
    context.close()


def measured(page: Page, *which: str) -> tuple[list[float], list[dict[str, list[float]]]]:
    """The figure's box on the page, and places of its texts."""
    plot = page.locator("#figure-hero .plot")
    handle = plot.element_handle()
    return plot.evaluate(BOX), [page.evaluate(TEXTS, [handle, one]) for one in which]


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", ["bounce_rates", "hostile", "hundreds"])
def test_the_interactive_figure_stands_where_the_still_one_stood(
    browser: Browser, shelf: Shelf, name: str, screen: str
) -> None:
    with first_screen(browser, shelf, name, scripts=False, **SCREENS[screen]) as page:
        before, still = measured(page, ".still-left span", ".still-below span", ".still-keys li span")
        within = page.locator(".still").evaluate("(still) => [still.scrollWidth, still.scrollHeight]")
    with first_screen(browser, shelf, name, scripts=True, **SCREENS[screen]) as page:
        after, drawn = measured(page, ".ytick text", ".xtick text", ".legendtext")
    assert after == before
    assert within <= [before[2] + 1, before[3] + 1]
    for texts, plotted in zip(still, drawn, strict=True):
        both = texts.keys() & plotted.keys()
        assert len(both) >= min(2, len(texts))
        for text in both:
            assert texts[text] == pytest.approx(plotted[text], abs=NEARLY), text


def test_no_frame_is_empty(browser: Browser, shelf: Shelf) -> None:
    with first_screen(browser, shelf, "bounce_rates", scripts=True) as page:
        assert page.evaluate("window.__shown") == ["still", "drawn"]


def test_without_scripts_the_still_figure_is_seen(browser: Browser, shelf: Shelf) -> None:
    with first_screen(browser, shelf, "bounce_rates", scripts=False, **SCREENS["desktop"]) as page:
        assert page.locator("#figure-hero svg").is_visible()
        assert page.locator("#figure-hero .still-left span").count() == 8
        assert page.locator("#figure-hero .fallback").count() == 0
        assert page.locator(".fallback").first.inner_text()
