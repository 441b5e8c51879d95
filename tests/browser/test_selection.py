"""One group, chosen anywhere, is marked everywhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import OpenReport
from tests.browser.reader import Reader

CHOSEN = "document.documentElement.dataset.selectedGroup"
# A point that can be clicked: where it is on the screen, and its group.
POINT = """
(figure) => {
  const plot = document.querySelector("#" + figure + " .plot"), box = plot.getBoundingClientRect();
  const { xaxis, yaxis } = plot._fullLayout;
  const trace = plot.data.findIndex((one) => one.meta?.groups && one.mode !== "lines");
  const full = plot._fullData[trace], groups = plot.data[trace].meta.groups;
  const inside = (k) => groups[k] >= 0 && full.x[k] != null && full.y[k] != null;
  const place = groups.findIndex((_, k) => k > 1 && inside(k));
  return { group: groups[place], x: box.left + xaxis._offset + xaxis.d2p(full.x[place]),
    y: box.top + yaxis._offset + yaxis.d2p(full.y[place]) };
}
"""
# The point, once it has been at the same place in ten frames.
STANDING_POINT = f"""
async (figure) => {{
  const find = {POINT};
  let last = find(figure), frames = 0;
  while (frames < 10) {{
    await new Promise(requestAnimationFrame);
    const now = find(figure);
    frames = now.x === last.x && now.y === last.y ? frames + 1 : 0;
    last = now;
  }}
  return last;
}}
"""
NOTE_HOVER = """
(figure) => document.querySelector("#" + figure + " .plot").on("plotly_hover", () => { window.__hovered = true; })
"""
FIRST_WITH_POINTS = """
(figures) => figures.find((figure) =>
  figure.querySelector(".plot").data.some((trace) => trace.meta?.groups && trace.mode?.includes("markers"))).id
"""
# Figures that show a group's points among others', by whether they mark it now.
MARKED = """
(group) => Array.from(document.querySelectorAll(".plot.js-plotly-plot")).flatMap((plot) => {
  const own = plot.data.filter((trace) => trace.meta?.groups?.includes(group));
  if (!own.length) return [];
  const is = plot.data.some((trace) => trace.meta?.isOverlay) || own.some((trace) => trace.selectedpoints?.length > 0);
  return [{ figure: plot.closest("figure").id, is }];
})
"""


def with_points(report: Reader) -> str:
    """The id of a figure whose points are groups."""
    found = report.page.locator("figure:has(> .plot)").evaluate_all(FIRST_WITH_POINTS)
    return str(found)


def assert_marked(page: Page, group: int) -> None:
    """In every drawn figure that shows the group, two at least, and in every row and panel of it and no other."""
    page.wait_for_function(
        f"(group) => {{ const all = ({MARKED})(group); return all.length >= 2 && all.every((one) => one.is); }}",
        arg=group,
    )
    rows = page.locator("[data-group]").evaluate_all(
        "(all) => all.map((one) => [Number(one.dataset.group), one.classList.contains('is-selected')])"
    )
    assert sum(own == group for own, _ in rows) >= 2
    assert all(is_marked == (own == group) for own, is_marked in rows)
    assert page.evaluate(CHOSEN) == str(group)


def assert_cleared(page: Page) -> None:
    page.wait_for_function(
        "() => Array.from(document.querySelectorAll('.plot.js-plotly-plot'))"
        ".every((plot) => plot.data.every((trace) => !trace.meta?.isOverlay && !trace.selectedpoints))"
    )
    assert page.locator(".is-selected, [aria-current='true'][data-group]").count() == 0
    assert page.evaluate(CHOSEN) is None
    assert "#group=" not in page.url


@pytest.fixture
def report(open_report: OpenReport) -> Reader:
    return open_report("bounce_rates")


def test_a_row_chooses_its_group(report: Reader) -> None:
    page = report.page
    row = page.locator("tbody tr[data-group='2']").first
    row.locator("button.group-name").click()
    assert_marked(page, 2)
    assert row.locator("button.group-name").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Escape")
    assert_cleared(page)


def test_the_keyboard_goes_through_a_table_s_groups(report: Reader) -> None:
    page = report.page
    page.locator("tbody tr[data-group] button.group-name").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert_marked(page, 1)
    assert page.locator("#announcer").inner_text().endswith("is marked in tables and figures.")


def test_a_point_chooses_its_group(report: Reader) -> None:
    report.draw_all()
    page, figure = report.page, with_points(report)
    page.locator(f"#{figure} .plot").scroll_into_view_if_needed()
    point = page.evaluate(STANDING_POINT, figure)
    page.evaluate(NOTE_HOVER, figure)
    page.mouse.move(point["x"], point["y"])
    page.wait_for_function("window.__hovered")  # Plotly's clicks are on what is hovered
    page.mouse.click(point["x"], point["y"])
    page.wait_for_function(f"{CHOSEN} !== undefined")
    assert_marked(page, point["group"])


def test_a_panel_chooses_its_group(report: Reader) -> None:
    page = report.page
    page.locator(".panel[data-group='4'] .plot").first.click()
    assert_marked(page, 4)
    page.locator("#group-clear").click()
    assert_cleared(page)


def test_the_finder_chooses_a_group_and_the_address_keeps_it(report: Reader) -> None:
    page = report.page
    page.locator("#group-picker").click()
    page.keyboard.type("lond")
    assert page.locator("#group-options [aria-selected='true']").inner_text().startswith("london")
    page.keyboard.press("Enter")
    group = int(page.evaluate(CHOSEN))
    assert_marked(page, group)
    assert page.url.endswith("#group=london")
    page.reload()
    assert_marked(page, group)


def test_one_of_ten_thousand_is_found_and_shown_on_its_page_of_the_table(open_report: OpenReport) -> None:
    report = open_report("many")
    page = report.page
    page.locator("#group-picker").fill("clinic 09876")
    page.keyboard.press("Enter")
    assert page.evaluate(CHOSEN) == "9876"
    report.draw_all()
    tables = page.locator("table[data-rows='10000']")
    assert tables.count() >= 1
    for table in tables.all():
        table.scroll_into_view_if_needed()
        table.locator("tr[data-group='9876'].is-selected").wait_for()
