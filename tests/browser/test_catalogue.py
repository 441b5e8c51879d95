"""The catalogue opened from disk: found by words, filtered, put in order, quiet and accessible."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from pypdf import PdfReader

from tasks.reports.catalogue import catalogue_page
from tasks.view.catalogue.order import STANDINGS, in_order
from tests.browser.conftest import TIMEOUT_MILLISECONDS
from tests.browser.test_accessibility import AXE, broken_rules
from tests.catalogues import catalogue_of_many
from tests.shelf import Shelf

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
MOST_SCREENS = {"desk": 30, "phone": 75}
WIDTHS = "() => [document.documentElement.scrollWidth, innerWidth]"

# Leaves the first of the lines that have the same badges.
ONE_OF_A_KIND = """
() => {
  const kinds = new Set();
  for (const line of document.querySelectorAll("li.study")) {
    const kind = [...line.querySelectorAll(":scope > p .status")].map((one) => one.innerText).join();
    if (kinds.has(kind)) line.remove();
    kinds.add(kind);
  }
}
"""


@pytest.fixture
def catalogue(browser: Browser, shelf: Shelf) -> Iterator[Page]:
    for name in ("bounce_rates", "sleepstudy", "hostile"):
        shelf.run(name)
    with quiet_page(browser, (shelf.reports / "index.html").as_uri()) as page:
        yield page


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of a page of 300 studies."""
    page = tmp_path_factory.mktemp("many") / "index.html"
    page.write_text(catalogue_page(catalogue_of_many(300, datetime.now(UTC))), "utf-8")
    return page.as_uri()


@contextmanager
def quiet_page(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """The page, which must ask for nothing but itself, complain of nothing and show no dialog."""
    context = browser.new_context(**{"viewport": DESK, **options})
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MILLISECONDS)
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: heard.append(request.url) if request.url != address else None)
    page.goto(address)
    yield page
    context.close()
    assert heard == []


def shown(page: Page) -> list[str]:
    """Addresses of the studies on the page, in its order."""
    links = page.locator("li.study:visible h3 a").evaluate_all(
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


def test_the_order_can_be_chosen(catalogue: Page) -> None:
    first = shown(catalogue)
    for order in ("newest", "worst", "name", "look"):
        catalogue.locator("select[name=order]").select_option(order)
        if order == "name":
            assert shown(catalogue) == sorted(first)
        if order == "newest":
            moments = catalogue.locator("li.study .fresh time").evaluate_all("(all) => all.map((one) => one.dateTime)")
            assert moments == sorted(moments, reverse=True)
    assert shown(catalogue) == first


def test_what_has_become_stale_moves_up_as_on_the_served_page(browser: Browser, many: str, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    studies = catalogue_of_many(300, now).studies
    expected = [study.name for study in in_order(studies, now=now) if study.latest]
    assert expected != [study.name for study in in_order(studies) if study.latest]
    with quiet_page(browser, many) as page:
        assert shown(page) == expected
        page.locator("select[name=freshness]").select_option("stale")
        stale = [study.name for study in studies if study.is_stale(now)]
        assert sorted(shown(page)) == sorted(stale)
        assert page.locator(".status.stale:visible").count() == len(stale)


@pytest.mark.parametrize(("name", "viewport"), [("desk", DESK), ("phone", PHONE)])
def test_three_hundred_studies_are_read_on_one_page(
    browser: Browser, many: str, name: str, viewport: dict[str, int]
) -> None:
    with quiet_page(browser, many, viewport=viewport, is_mobile=name == "phone") as page:
        height = page.evaluate("document.documentElement.scrollHeight")
        assert height / viewport["height"] < MOST_SCREENS[name]
        wide, screen = page.evaluate(WIDTHS)
        assert wide <= screen == viewport["width"]
        page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        wide, screen = page.evaluate(WIDTHS)
        assert wide <= screen == viewport["width"]


def test_a_search_among_three_hundred_finds_a_study_and_a_run(browser: Browser, many: str) -> None:
    with quiet_page(browser, many) as page:
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")  # past the link to catalogue.json
        page.keyboard.type("region_123")
        page.wait_for_function("document.querySelectorAll('li.study:not([hidden])').length === 1")
        assert page.locator(".found").inner_text() == "1 of 300 studies"
        run = page.locator("li.study:visible tbody a").nth(2).get_attribute("href")
        assert run is not None
        page.locator("input[name=q]").fill(run.split("/")[1])
        page.wait_for_function("document.querySelectorAll('tbody tr:not([hidden]) a').length === 1")
        assert page.locator("tbody a:visible").get_attribute("href") == run


def test_the_keyboard_opens_a_line(browser: Browser, many: str) -> None:
    with quiet_page(browser, many) as page:
        line = page.locator("li.study:has(summary)").first
        line.locator("h3 a").focus()
        while line.locator("summary:focus").count() == 0:
            page.keyboard.press("Tab")
            assert line.locator(":focus").count() == 1  # it has not left the line
        table = line.locator("table")
        assert not table.is_visible()
        page.keyboard.press("Enter")
        assert table.is_visible()
        page.keyboard.press("Enter")
        assert not table.is_visible()


def test_without_a_script_everything_is_there_but_the_search(browser: Browser, many: str) -> None:
    with quiet_page(browser, many, java_script_enabled=False) as page:
        assert page.locator("li.study").count() == 300
        assert not page.locator("form.search").is_visible()
        line = page.locator("li.study:has(summary)").first
        assert line.locator(".fresh time").is_visible()
        line.locator("summary").click()
        assert line.locator("table").is_visible()


@pytest.mark.parametrize(("scheme", "viewport"), [("light", DESK), ("dark", DESK), ("light", PHONE)])
def test_no_grave_violation_in_many_lines(browser: Browser, many: str, scheme: Any, viewport: dict[str, int]) -> None:
    with quiet_page(browser, many, color_scheme=scheme, viewport=viewport) as page:
        page.evaluate(ONE_OF_A_KIND)
        assert set(page.locator("li.study .status:visible").all_inner_texts()) == set(STANDINGS.values())
        page.evaluate("for (const fold of document.querySelectorAll('li.study > details')) fold.open = true")
        page.evaluate(AXE + ";0")
        assert broken_rules(page) == []


@pytest.mark.parametrize("viewport", [DESK, PHONE])
def test_the_served_page_is_accessible_and_as_wide_as_its_screen(
    browser: Browser, shelf: Shelf, site: str, viewport: dict[str, int]
) -> None:
    shelf.run("hostile")
    with quiet_page(browser, site, viewport=viewport, is_mobile=viewport == PHONE) as page:
        page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        wide, screen = page.evaluate(WIDTHS)
        assert wide <= screen == viewport["width"]
        page.evaluate(AXE + ";0")
        assert broken_rules(page) == []


def test_paper_has_a_compact_list(browser: Browser, many: str) -> None:
    with quiet_page(browser, many) as page:
        pages = PdfReader(BytesIO(page.pdf(format="A4"))).pages
        assert len(pages) < 40
        first = pages[0].extract_text()
    assert "None can be trusted" in first
    assert "How to read this" not in first


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_grave_violation(catalogue: Page, scheme: str) -> None:
    catalogue.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    catalogue.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    catalogue.evaluate(AXE + ";0")
    assert broken_rules(catalogue) == []
