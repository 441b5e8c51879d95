"""Tables sort, are searched and saved."""

from __future__ import annotations

import io
import math
import re

import pandas as pd
from playwright.sync_api import Download, Locator, Page, TimeoutError

from tests.browser.conftest import TIMEOUT_MILLISECONDS, DrawnReport, OpenReport

MINUS, MISSING = "−", "–"
COLUMN = """
(table, place) =>
  [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) => row.cells[place].textContent)
"""
# Each column of numbers: sorted up, sorted down, and put back.
SORT_ALL = """
(table) => {
  const column = (place) => [...table.tBodies[0].rows].map((row) => row.cells[place].textContent);
  const before = column(0), sorts = [];
  for (const head of table.tHead.rows[0].cells) {
    if (!head.classList.contains("number")) continue;
    for (let times = 0; times < 2; times += 1) {
      head.querySelector("button.sort").click();
      sorts.push([head.cellIndex, head.getAttribute("aria-sort"), column(head.cellIndex)]);
    }
    head.querySelector("button.sort").click();
  }
  return [before, sorts, column(0)];
}
"""


def tables(page: Page) -> list[Locator]:
    return page.locator("table[data-table]").all()


def n_rows(table: Locator) -> int:
    return int(str(table.get_attribute("data-rows")))


def frame(table: Locator) -> Locator:
    return table.locator("xpath=ancestor::figure[1]")


def number(text: str) -> float:
    """The first number of a cell as a reader reads it; missing ones are not."""
    found = re.search(r"[−-]?\d[\d,]*(\.\d+)?(\s×\s10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?", text)
    if not found or text.strip() == MISSING:
        return math.nan
    plain = found.group().replace(",", "").replace(MINUS, "-")
    mantissa, _, power = re.sub(r"\s×\s10", "e", plain).partition("e")
    return float(mantissa) * 10.0 ** int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)


def column(table: Locator, place: int) -> list[str]:
    return [text.strip() for text in table.evaluate(COLUMN, place)]


def in_order(values: list[float], *, descending: bool) -> bool:
    """Missing ones last in both directions."""
    known = [value for value in values if not math.isnan(value)]
    return values[: len(known)] == sorted(known, reverse=descending) or len(known) == 0


def test_every_column_of_numbers_sorts_both_ways_and_back(drawn: DrawnReport) -> None:
    wrong = []
    for table in tables(drawn("bounce_rates").page):
        before, sorts, after = table.evaluate(SORT_ALL)
        for place, direction, texts in sorts:
            values = [number(text) for text in texts]
            if not in_order(values, descending=direction == "descending"):
                wrong.append((table.get_attribute("id"), place, direction, values[:8]))
        directions = {direction for _, direction, _ in sorts}
        assert directions <= {"ascending", "descending"}
        assert after == before
    assert wrong == []


def test_names_sort_as_people_count(drawn: DrawnReport) -> None:
    page = drawn("bounce_rates").page
    table = page.locator("table[data-table]:has([data-group])").first
    table.locator("thead th button.sort").first.click()
    names = [text.split("\n")[0] for text in column(table, 0)]
    table.locator("thead th button.sort").first.dblclick()
    assert names == sorted(names)
    assert len(set(names)) > 4


def test_a_table_is_searched_by_its_words(open_report: OpenReport) -> None:
    page = open_report("sleepstudy").page
    table = next(one for one in tables(page) if n_rows(one) > 10 and one.locator("[data-group]").count())
    name = column(table, 0)[3]
    search = frame(table).locator("input.table-search")
    search.fill(name)
    assert column(table, 0) == [name]
    assert frame(table).locator("output.table-count").inner_text() == f"1 of {n_rows(table)} rows"
    search.fill("")
    assert len(column(table, 0)) == n_rows(table)


def test_ten_thousand_groups_are_turned_over_searched_and_sorted(drawn: DrawnReport) -> None:
    page = drawn("many").page
    tabled = [one for one in tables(page) if n_rows(one) == 10_000]
    assert tabled
    table = tabled[0]
    table.scroll_into_view_if_needed()
    pages, search = frame(table).locator("nav.table-page"), frame(table).locator("input.table-search")
    first = column(table, 0)
    assert len(first) == 50
    pages.locator(".next").click()
    second = column(table, 0)
    assert not set(first) & set(second)
    pages.locator(".previous").click()
    assert column(table, 0) == first

    search.fill("clinic 04321")
    assert column(table, 0) == ["clinic 04321"]
    search.fill("clinic 043")
    assert frame(table).locator("output.table-count").inner_text() == "100 of 10,000 rows"
    search.fill("")

    heads = table.locator("thead th.number")
    heads.nth(1).locator("button.sort").click()
    place = int(heads.nth(1).evaluate("(head) => head.cellIndex"))
    lowest = [number(text) for text in column(table, place)]
    assert lowest == sorted(lowest)
    assert column(table, 0) != first


def test_every_table_is_saved_whole(drawn: DrawnReport) -> None:
    found = tables(drawn("hostile").page)
    assert len(found) >= 10
    for table in found:
        saved, n_columns = save(table), table.locator("thead th").count()
        assert len(saved) == n_rows(table), table.get_attribute("id")
        assert len(saved.columns) >= n_columns


def test_ten_thousand_groups_are_saved_with_plain_numbers(drawn: DrawnReport) -> None:
    page = drawn("many").page
    table = next(one for one in tables(page) if n_rows(one) == 10_000)
    saved = save(table)
    assert len(saved) == 10_000
    assert saved.iloc[:, 0].nunique() == 10_000
    heads = table.locator("thead th").evaluate_all("(all) => all.map((one) => one.classList.contains('number'))")
    assert sum(pd.api.types.is_numeric_dtype(saved[name]) for name in saved) >= sum(heads) - 1


def save(table: Locator) -> pd.DataFrame:
    """Chromium drops every eleventh download of a page, whatever the page is; then it is asked for again."""
    try:
        download = downloaded(table, 1_000)
    except TimeoutError:
        download = downloaded(table, TIMEOUT_MILLISECONDS)
    return pd.read_csv(io.BytesIO(download.path().read_bytes()), encoding="utf-8-sig")


def downloaded(table: Locator, milliseconds: float) -> Download:
    """Of this table: one of another, asked for twice, may still come."""
    name = f"{table.get_attribute('id')}.csv"
    with table.page.expect_download(lambda one: one.suggested_filename == name, timeout=milliseconds) as download:
        frame(table).locator("button.table-csv").click()
    return download.value
