"""The catalogue opened from disk: found by words, filtered, put in order, quiet and accessible."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import TIMEOUT_MILLISECONDS
from tests.browser.test_accessibility import AXE, broken_rules
from tests.shelf import Shelf


@pytest.fixture
def catalogue(browser: Browser, shelf: Shelf) -> Iterator[Page]:
    for name in ("bounce_rates", "sleepstudy", "hostile"):
        shelf.run(name)
    page = browser.new_context(viewport={"width": 1300, "height": 900}).new_page()
    page.set_default_timeout(TIMEOUT_MILLISECONDS)
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: heard.append(request.url) if not request.url.startswith("file:") else None)
    page.goto((shelf.reports / "index.html").as_uri())
    yield page
    page.context.close()
    assert heard == []


def shown(page: Page) -> list[str]:
    """Addresses of the studies on the page, in its order."""
    links = page.locator("li.study:visible h3 a, li.study:visible h2 a").evaluate_all(
        "(all) => all.map((one) => one.getAttribute('href').split('/')[0])"
    )
    return list(links)


def test_words_find_a_study(catalogue: Page) -> None:
    everything = shown(catalogue)
    assert {"bounce_rates", "sleepstudy"} < set(everything)
    catalogue.locator("input[name=q]").fill("short sleep")
    catalogue.wait_for_function("document.querySelectorAll('li.study:not([hidden])').length === 1")
    assert shown(catalogue) == ["sleepstudy"]
    catalogue.locator("input[name=q]").fill("")
    catalogue.wait_for_function("document.querySelectorAll('li.study[hidden]').length === 0")
    assert shown(catalogue) == everything


def test_a_verdict_that_nobody_has_leaves_no_study(catalogue: Page) -> None:
    catalogue.locator("select[name=status]").select_option("none")
    catalogue.wait_for_function("document.querySelectorAll('li.study:not([hidden])').length === 0")
    assert shown(catalogue) == []


def test_the_newest_comes_first_when_asked(catalogue: Page) -> None:
    catalogue.locator("select[name=order]").select_option("newest")
    newest = catalogue.locator("li.study").evaluate_all("(all) => all.map((one) => one.dataset.newest)")
    assert newest == sorted(newest, reverse=True)
    catalogue.locator("select[name=order]").select_option("name")
    assert shown(catalogue) == sorted(shown(catalogue))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_grave_violation(catalogue: Page, scheme: str) -> None:
    catalogue.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    catalogue.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    catalogue.evaluate(AXE + ";0")
    assert broken_rules(catalogue) == []
