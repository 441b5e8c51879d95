"""How big a report is and how soon it can be used, beside its limits (`make bench` prints them)."""

from __future__ import annotations

import gzip
import statistics
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser

from tests.browser.reader import READY
from tests.shelf import Shelf

pytestmark = pytest.mark.bench

LOADS = 7
MEGABYTE = 1e6
LIMITS = {"bounce_rates": 1.0, "many": 5.0}  # MB
READY_LIMIT = 1.0  # seconds
PICTURE_LIMIT = 0.7
WATCH = """
new PerformanceObserver((list) => { window.__picture = list.getEntries()[0].renderTime; })
  .observe({ type: "element", buffered: true });
window.__tasks = [0];
new PerformanceObserver((list) => { for (const task of list.getEntries()) window.__tasks.push(task.duration); })
  .observe({ type: "longtask", buffered: true });
"""
TIMES = f"""
() => {{
  const [navigation] = performance.getEntriesByType("navigation"), [mark] = performance.getEntriesByName("{READY}");
  const before = window.__tasks;
  return [window.__picture, mark.startTime, navigation.domContentLoadedEventEnd, Math.max(...before)];
}}
"""


@dataclass(frozen=True)
class Load:
    """Seconds from the start of a page load.

    `picture` is when the first figure is seen, as a still picture (how that is known: `tests.reading_budget`);
    `longest` is the longest task that kept the page from answering.
    """

    picture: float
    ready: float
    parsed: float
    longest: float


def load(browser: Browser, address: str) -> Load:
    """In a profile of its own, so that nothing is cached."""
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_function(f"performance.getEntriesByName('{READY}').length > 0", timeout=60_000)
    times = page.evaluate(TIMES)
    context.close()
    return Load(*(milliseconds / 1000 for milliseconds in times))


@pytest.mark.parametrize("name", LIMITS)
def test_size_and_time_to_interactive(browser: Browser, shelf: Shelf, site: str, name: str) -> None:
    folder = shelf.run(name)
    content = (folder / "report.html").read_bytes()
    raw, packed = len(content) / MEGABYTE, len(gzip.compress(content)) / MEGABYTE
    loads = [load(browser, f"{site}{folder.parent.name}/{folder.name}/report.html") for _ in range(LOADS)]
    picture, ready, parsed, longest = (
        statistics.median(getattr(one, what) for one in loads) for what in ("picture", "ready", "parsed", "longest")
    )
    print(
        f"\n{name}: report.html {raw:.2f} MB (gzip {packed:.2f} MB), limit {LIMITS[name]:.0f} MB; "
        f"median of {LOADS} loads: first picture after {picture:.2f} s, limit {PICTURE_LIMIT} s; "
        f"interactive after {ready:.2f} s, limit {READY_LIMIT:.0f} s; "
        f"parsed after {parsed:.2f} s; longest task {longest:.2f} s"
    )
    assert raw <= LIMITS[name]
    assert picture <= PICTURE_LIMIT
    assert ready <= READY_LIMIT
